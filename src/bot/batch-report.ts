import type { Job } from "../core/job.js";
import { planZips, writeZip, type ZipPlan } from "./batch-zip.js";
import { labels, resultLines } from "./messages.js";
import type { OutgoingFile } from "./outgoing.js";
import { fitPictures, type SizeLimit } from "./picture-fit.js";
import { csvReport } from "./report.js";
import { pairOf, readPicture, type StoredPicture, storedPicture } from "./stored-picture.js";

/** What a batch leaves: files for its last message, and lines that say what they are and where the others are. */
export interface BatchReport {
  /** Contact sheets first, then the records, then the pictures or zips of them. */
  readonly files: readonly OutgoingFile[];
  readonly lines: readonly string[];
}

/** Discord: files of one message. */
const FILES_MAX = 10;
/** More sheets than these came while the batch was drawn; the last one stands for them. */
const SHEETS_SHOWN = 5;
const SHARE_OF_SHEETS = 0.5;

/** The report of a finished batch within the bytes of one message. */
export async function batchReport(
  job: Job,
  picturesDir: string,
  limit: SizeLimit,
  plot: OutgoingFile | null,
): Promise<BatchReport> {
  const records = [...(plot === null ? [] : [plot]), ...recordsOf(job)];
  const pictures = picturesOf(job, picturesDir);
  const kept = job.sheets.length > SHEETS_SHOWN ? job.sheets.slice(-1) : job.sheets;
  const wanted = await Promise.all(
    kept.map(({ number }) => readPicture(sheetPicture(job, picturesDir, number))),
  );
  const present = wanted.filter((sheet) => sheet !== null);
  const rest = limit.total - bytesOf(records);
  const fitted = await fitPictures(present, { ...limit, total: Math.floor(rest * SHARE_OF_SHEETS) });
  const sheets = fitted.files.filter((file) => file !== null);

  const room: SizeLimit = { perFile: limit.perFile, total: rest - bytesOf(sheets) };
  const slots = FILES_MAX - sheets.length - records.length;
  const packed = await packPictures(job, picturesDir, pictures, room, slots);
  const lines = [
    ...(kept.length < job.sheets.length ? [resultLines.earlierSheets(job.sheets.length - 1)] : []),
    ...packed.lines,
    ...(fitted.shrunk ? [resultLines.shrunk] : []),
    ...(job.picturesPrunedAt === null && (packed.missing || present.length < wanted.length)
      ? [resultLines.missing]
      : []),
    ...(job.picturesPrunedAt === null ? [] : [resultLines.pruned(job.picturesPrunedAt)]),
    resultLines.again,
  ];
  return { files: [...sheets, ...records, ...packed.files], lines };
}

/** One of the zips of a batch, for who asks for it; null where there is no such part. `parts`: how many there are. */
export async function batchZip(
  job: Job,
  picturesDir: string,
  part: number,
  limit: SizeLimit,
): Promise<{ readonly file: OutgoingFile | null; readonly parts: number }> {
  const plan = await planAll(job, picturesDir, limit.perFile);
  const chosen = plan.parts[part - 1];
  return {
    file: chosen === undefined ? null : zipFile(job, part, plan, await writeZip(chosen)),
    parts: plan.parts.length,
  };
}

/** A contact sheet that a batch has; null for a number that it has not. */
export function sheetPicture(job: Job, picturesDir: string, number: number): StoredPicture | null {
  const sheet = job.sheets.find((one) => one.number === number);
  if (sheet === undefined) return null;
  const prompts = sheet.items.map((index) => job.items[index]?.prompt ?? "");
  const name = `${job.id}-contact-sheet-${number}`;
  return storedPicture(job, picturesDir, sheet.items, sheet.file, name, labels.contactSheetAlt(prompts));
}

/** Each picture by itself where they all fit the message, else in zips. */
async function packPictures(
  job: Job,
  picturesDir: string,
  pictures: readonly StoredPicture[],
  room: SizeLimit,
  slots: number,
): Promise<{ files: OutgoingFile[]; lines: string[]; missing: boolean }> {
  if (pictures.length <= slots) {
    const files = (await Promise.all(pictures.map(readPicture))).filter((file) => file !== null);
    const fits = files.every(({ data }) => data.length <= room.perFile) && bytesOf(files) <= room.total;
    if (fits) {
      const named = files.map((file) => ({ ...file, name: `${job.id}-${file.name}` }));
      return { files: named, lines: [], missing: files.length < pictures.length };
    }
  }
  const plan = await planAll(job, picturesDir, room.perFile);
  const files: OutgoingFile[] = [];
  let left = room.total;
  for (const [i, part] of plan.parts.entries()) {
    if (part.bytes > left || files.length === slots) break;
    const file = zipFile(job, i + 1, plan, await writeZip(part));
    files.push(file);
    left -= file.data.length;
  }
  // A sheet shows several; it is no picture of its own.
  const zipped = plan.parts.flatMap((part) => part.pictures).filter(({ items }) => items.length === 1).length;
  const all = plan.parts.length;
  const where =
    zipped === 0
      ? []
      : files.length === all && all === 1
        ? [resultLines.zipped(zipped)]
        : [resultLines.zips(zipped, files.length, all, job.id)];
  const lines = [...where, ...(plan.tooLarge === 0 ? [] : [resultLines.zipTooLarge])];
  return { files, lines, missing: plan.missing > 0 };
}

function planAll(job: Job, picturesDir: string, perFile: number): Promise<ZipPlan> {
  const sheets = job.sheets.flatMap(({ number }) => sheetPicture(job, picturesDir, number) ?? []);
  const texts = recordsOf(job).map(({ name, data }) => ({ name, data }));
  return planZips(texts, [...sheets, ...picturesOf(job, picturesDir)], perFile);
}

const picturesOf = (job: Job, picturesDir: string): StoredPicture[] =>
  job.items.flatMap((item) => pairOf(job, item, picturesDir));

function zipFile(job: Job, part: number, { parts }: ZipPlan, data: Buffer): OutgoingFile {
  const name = parts.length === 1 ? `${job.id}.zip` : `${job.id}-${part}-of-${parts.length}.zip`;
  return { name, data, description: null };
}

/** prompts.json and report.csv. */
function recordsOf(job: Job): OutgoingFile[] {
  const list = job.items.map(({ prompt, optimized }) => ({ original: prompt, optimized }));
  return [
    { name: "prompts.json", data: Buffer.from(`${JSON.stringify(list, null, 2)}\n`), description: null },
    { name: "report.csv", data: Buffer.from(csvReport(job)), description: null },
  ];
}

const bytesOf = (files: readonly OutgoingFile[]): number =>
  files.reduce((sum, { data }) => sum + data.length, 0);
