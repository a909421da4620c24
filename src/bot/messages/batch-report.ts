import type { Job } from "../../core/job.js";
import type { PictureStore } from "../../pictures/store.js";
import type { OutgoingFile } from "../discord/outgoing.js";
import { labels, resultLines } from "../words/messages.js";
import type { Audience } from "./audience.js";
import { planZips, writeZip, type ZipPlan } from "./batch-zip.js";
import { fitPictures, type SizeLimit } from "./picture-fit.js";
import { type Exhibition, exhibitFor } from "./picture-policy.js";
import { csvReport } from "./report.js";
import { batchScores } from "./scores.js";
import { type NamedPicture, namedPicture, pairOf, readPicture } from "./stored-picture.js";

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
/** Of a message's bytes; what is left is for pictures. */
const SHARE_OF_RECORDS = 0.5;

export interface ReportOptions {
  readonly pictures: PictureStore;
  /** Who sees it. */
  readonly audienceOf: () => Promise<Audience>;
}

/** The report of a finished batch within the bytes of one message; `shown`: which of its pictures may be in it. */
export async function batchReport(
  job: Job,
  options: ReportOptions,
  limit: SizeLimit,
  shown: Exhibition,
): Promise<BatchReport> {
  const scores = await batchScores(job);
  const fittedRecords = await fitRecords(job, recordsOf(job), limit, options.pictures);
  const records = [...fittedRecords, ...(scores.plot === null ? [] : [scores.plot])];
  const pictures = picturesOf(job, shown);
  const kept = job.sheets.length > SHEETS_SHOWN ? job.sheets.slice(-1) : job.sheets;
  const allowed = (await Promise.all(kept.map(({ number }) => sheetPicture(job, number, options)))).filter(
    (sheet) => sheet !== null,
  );
  const wanted = await Promise.all(allowed.map(({ picture }) => readPicture(options.pictures, picture)));
  const present = wanted.filter((sheet) => sheet !== null);
  const rest = limit.total - bytesOf(records);
  const fitted = await fitPictures(present, { ...limit, total: Math.floor(rest * SHARE_OF_SHEETS) });
  const sheets = fitted.files.filter((file) => file !== null);

  const room: SizeLimit = { perFile: limit.perFile, total: rest - bytesOf(sheets) };
  const slots = FILES_MAX - sheets.length - records.length;
  const packed = await packPictures(job, options, pictures, room, slots);
  const lines = [
    ...scores.lines,
    ...(kept.length < job.sheets.length ? [resultLines.earlierSheets(job.sheets.length - 1)] : []),
    ...packed.lines,
    ...(fitted.shrunk ? [resultLines.shrunk] : []),
    ...(fittedRecords.length === 0 ? [resultLines.recordsLeftOut] : []),
    ...(job.picturesPrunedAt === null && (packed.missing || present.length < wanted.length)
      ? [resultLines.missing]
      : []),
    ...(job.picturesPrunedAt === null ? [] : [resultLines.pruned(job.picturesPrunedAt)]),
    resultLines.again,
  ];
  return { files: [...sheets, ...records, ...packed.files], lines };
}

/** The records as they are, or in a zip where a message can't carry them; none where it can't carry that either. */
async function fitRecords(
  { id }: Job,
  records: readonly OutgoingFile[],
  { perFile, total }: SizeLimit,
  pictures: PictureStore,
): Promise<readonly OutgoingFile[]> {
  const most = Math.min(perFile, total * SHARE_OF_RECORDS);
  if (bytesOf(records) <= most) return records;
  const data = await writeZip({ texts: records, pictures: [], bytes: most }, pictures);
  return data.length <= most ? [{ name: `${id}-records.zip`, data, description: null }] : [];
}

/** One of the zips of a batch, for who asks for it; null where there is no such part. `parts`: how many there are. */
export async function batchZip(
  job: Job,
  options: ReportOptions,
  part: number,
  limit: SizeLimit,
  shown: Exhibition,
): Promise<{ readonly file: OutgoingFile | null; readonly parts: number }> {
  const plan = await planAll(job, options, picturesOf(job, shown), limit.perFile);
  const chosen = plan.parts[part - 1];
  return {
    file: chosen === undefined ? null : zipFile(job, part, plan, await writeZip(chosen, options.pictures)),
    parts: plan.parts.length,
  };
}

/** The name of a contact sheet's file in a message, without its ending. */
export const sheetName = (jobId: string, number: number): string => `${jobId}-contact-sheet-${number}`;

/** A contact sheet as it may be posted, with what it leaves out; null for one that there is not, or may not be posted. */
export async function sheetPicture(
  job: Job,
  number: number,
  { audienceOf }: ReportOptions,
): Promise<{
  readonly picture: NamedPicture;
  readonly items: readonly number[];
  readonly shown: Exhibition;
} | null> {
  const sheet = job.sheets.find((one) => one.number === number);
  if (sheet === undefined) return null;
  const items = sheet.items.flatMap((index) => job.items[index] ?? []);
  const shown = await exhibitFor(items, audienceOf);
  const alt = labels.contactSheetAlt(items.map(({ prompt }) => prompt));
  const name = sheetName(job.id, number);
  const picture = namedPicture(job, shown.composed(sheet.file), name, alt);
  return picture === null ? null : { picture, items: sheet.items, shown };
}

/** Each picture by itself where they all fit the message, else in zips. */
async function packPictures(
  job: Job,
  options: ReportOptions,
  pictures: readonly NamedPicture[],
  room: SizeLimit,
  slots: number,
): Promise<{ files: OutgoingFile[]; lines: string[]; missing: boolean }> {
  if (pictures.length <= slots) {
    const files = (await Promise.all(pictures.map((it) => readPicture(options.pictures, it)))).filter(
      (file) => file !== null,
    );
    const fits = files.every(({ data }) => data.length <= room.perFile) && bytesOf(files) <= room.total;
    if (fits) {
      const named = files.map((file) => ({ ...file, name: `${job.id}-${file.name}` }));
      return { files: named, lines: [], missing: files.length < pictures.length };
    }
  }
  const plan = await planAll(job, options, pictures, room.perFile);
  const files: OutgoingFile[] = [];
  let left = room.total;
  for (const [i, part] of plan.parts.entries()) {
    if (part.bytes > left || files.length === slots) break;
    const file = zipFile(job, i + 1, plan, await writeZip(part, options.pictures));
    files.push(file);
    left -= file.data.length;
  }
  // A sheet shows several; it is no picture of its own.
  const zipped = plan.parts.flatMap((part) => part.pictures).filter((it) => pictures.includes(it)).length;
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

async function planAll(
  job: Job,
  options: ReportOptions,
  pictures: readonly NamedPicture[],
  perFile: number,
): Promise<ZipPlan> {
  const sheets = await Promise.all(job.sheets.map(({ number }) => sheetPicture(job, number, options)));
  const texts = recordsOf(job).map(({ name, data }) => ({ name, data }));
  const all = [...sheets.flatMap((sheet) => sheet?.picture ?? []), ...pictures];
  return planZips(texts, all, perFile, options.pictures);
}

const picturesOf = (job: Job, { shows }: Exhibition): NamedPicture[] =>
  job.items.flatMap((item) => pairOf(job, item, (side) => shows(item, side)));

function zipFile(job: Job, part: number, { parts }: ZipPlan, data: Buffer): OutgoingFile {
  const name = parts.length === 1 ? `${job.id}.zip` : `${job.id}-${part}-of-${parts.length}.zip`;
  return { name, data, description: null };
}

/** prompts.json and report.csv. */
function recordsOf(job: Job): OutgoingFile[] {
  const list = job.items.map(({ prompt, rewrite }) => ({ original: prompt, optimized: rewrite }));
  return [
    { name: "prompts.json", data: Buffer.from(`${JSON.stringify(list, null, 2)}\n`), description: null },
    { name: "report.csv", data: Buffer.from(csvReport(job)), description: null },
  ];
}

const bytesOf = (files: readonly OutgoingFile[]): number =>
  files.reduce((sum, { data }) => sum + data.length, 0);
