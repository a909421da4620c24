import type { Item, Job, Sheet } from "../../../core/job.js";
import type { PictureStore } from "../../../pictures/store.js";
import type { OutgoingFile } from "../../discord/outgoing.js";
import { fitPictures, type SizeLimit } from "./picture-fit.js";
import { viewOf } from "./picture-policy.js";
import type { Facts } from "./presentation.js";
import { csvReport, promptsJson } from "./report.js";
import { batchScores } from "./scores.js";
import { type NamedPicture, namedPicture, pairOf, readPicture } from "./stored-picture.js";
import { planZips, writeZip, type ZipPlan } from "./zips.js";

/** The files of an overview, and lines that say what they are and where the others are. */
export interface OverviewFiles {
  /** Contact sheets first, then the records, then the pictures or zips of them. */
  readonly files: readonly OutgoingFile[];
  readonly lines: readonly string[];
}

/** Discord: files of one message. */
const FILES_MAX = 10;
/** With more sheets only the last one is shown; the zip has them all. */
const SHEETS_SHOWN = 5;
const SHARE_OF_SHEETS = 0.5;
/** Of a message's bytes; what is left is for pictures. */
const SHARE_OF_RECORDS = 0.5;

/** The overview of a finished job within the bytes of one message. */
export async function overviewFiles(job: Job, facts: Facts, limit: SizeLimit): Promise<OverviewFiles> {
  const { resultLines } = facts.words;
  const scores = await batchScores(job, facts.words);
  const fittedRecords = await fitRecords(job, recordsOf(job), limit, facts.pictures);
  const records = [...fittedRecords, ...(scores.plot === null ? [] : [scores.plot])];
  const pictures = picturesOf(job, facts);
  const kept = sheetsShown(job);
  const allowed = kept.flatMap(({ number }) => sheetPicture(job, number, facts) ?? []);
  const wanted = await Promise.all(allowed.map((picture) => readPicture(facts.pictures, picture)));
  const present = wanted.filter((sheet) => sheet !== null);
  const rest = limit.total - bytesOf(records);
  const fitted = await fitPictures(present, { ...limit, total: Math.floor(rest * SHARE_OF_SHEETS) });
  const sheets = fitted.files.filter((file) => file !== null);

  const room: SizeLimit = { perFile: limit.perFile, total: rest - bytesOf(sheets) };
  const slots = FILES_MAX - sheets.length - records.length;
  const packed = await packPictures(job, facts, pictures, room, slots);
  const lines = [
    ...scores.lines,
    ...(kept.length < job.sheets.length ? [resultLines.earlierSheets(job.sheets.length - kept.length)] : []),
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

/** When the result first comes, the last one and those that were not posted while the batch was drawn. */
function sheetsShown({ sheets, delivery }: Job): readonly Sheet[] {
  const fresh =
    delivery.deliveredAt === null
      ? sheets.filter((sheet) => sheet.settled !== true || sheet === sheets.at(-1))
      : sheets;
  return fresh.length > SHEETS_SHOWN ? fresh.slice(-1) : fresh;
}

/**
 * The records as they are, or in a zip where a message can't carry them; none where it can't carry the zip
 * either.
 */
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

/** One of the zips of a job's pictures; null where there is no such part. `parts`: how many there are. */
export async function zipPart(
  job: Job,
  part: number,
  facts: Facts,
  limit: SizeLimit,
): Promise<{ readonly file: OutgoingFile | null; readonly parts: number }> {
  const plan = await planAll(job, facts, picturesOf(job, facts), limit.perFile);
  const chosen = plan.parts[part - 1];
  return {
    file: chosen === undefined ? null : zipFile(job, part, plan, await writeZip(chosen, facts.pictures)),
    parts: plan.parts.length,
  };
}

/** The name of a contact sheet's file in a message, without its ending. */
export const sheetName = (jobId: string, number: number): string => `${jobId}-contact-sheet-${number}`;

/** The items on a contact sheet. */
export const sheetItems = (job: Job, number: number): Item[] =>
  (job.sheets.find((sheet) => sheet.number === number)?.items ?? []).flatMap((i) => job.items[i] ?? []);

/** A contact sheet as its audience may see it; null where it is missing or may not be posted. */
export function sheetPicture(job: Job, number: number, { audience, words }: Facts): NamedPicture | null {
  const sheet = job.sheets.find((one) => one.number === number);
  if (sheet === undefined) return null;
  const items = sheetItems(job, number);
  const file = viewOf(items, audience).combined(sheet.file);
  const { grid } = job;
  if (grid !== undefined) {
    const axes = [grid.x.name, ...(grid.y === null ? [] : [grid.y.name])].join(", ");
    return namedPicture(job, file, `${job.id}-grid`, words.gridLines.alt(items[0]?.prompt ?? "", axes));
  }
  const alt = words.labels.contactSheetAlt(items.map(({ prompt }) => prompt));
  return namedPicture(job, file, sheetName(job.id, number), alt);
}

/** Each picture by itself where they all fit the message, else in zips. */
async function packPictures(
  job: Job,
  facts: Facts,
  pictures: readonly NamedPicture[],
  room: SizeLimit,
  slots: number,
): Promise<{ files: OutgoingFile[]; lines: string[]; missing: boolean }> {
  if (pictures.length <= slots) {
    const files = (await Promise.all(pictures.map((it) => readPicture(facts.pictures, it)))).filter(
      (file) => file !== null,
    );
    const fits = files.every(({ data }) => data.length <= room.perFile) && bytesOf(files) <= room.total;
    if (fits) {
      const named = files.map((file) => ({ ...file, name: `${job.id}-${file.name}` }));
      return { files: named, lines: [], missing: files.length < pictures.length };
    }
  }
  const { resultLines } = facts.words;
  const plan = await planAll(job, facts, pictures, room.perFile);
  const files: OutgoingFile[] = [];
  let left = room.total;
  for (const [i, part] of plan.parts.entries()) {
    if (part.bytes > left || files.length === slots) break;
    const file = zipFile(job, i + 1, plan, await writeZip(part, facts.pictures));
    files.push(file);
    left -= file.data.length;
  }
  // A contact sheet does not count as a picture.
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
  facts: Facts,
  pictures: readonly NamedPicture[],
  perFile: number,
): Promise<ZipPlan> {
  const sheets = job.sheets.flatMap(({ number }) => sheetPicture(job, number, facts) ?? []);
  const texts = recordsOf(job).map(({ name, data }) => ({ name, data }));
  const all = [...sheets, ...pictures];
  return planZips(texts, all, perFile, facts.pictures);
}

const picturesOf = (job: Job, { view }: Facts): NamedPicture[] =>
  job.items.flatMap((item) => pairOf(job, item, (side) => view.shows(item, side)));

function zipFile(job: Job, part: number, { parts }: ZipPlan, data: Buffer): OutgoingFile {
  const name = parts.length === 1 ? `${job.id}.zip` : `${job.id}-${part}-of-${parts.length}.zip`;
  return { name, data, description: null };
}

const recordsOf = (job: Job): OutgoingFile[] => [
  { name: "prompts.json", data: Buffer.from(promptsJson(job.items)), description: null },
  { name: "report.csv", data: Buffer.from(csvReport(job)), description: null },
];

const bytesOf = (files: readonly OutgoingFile[]): number =>
  files.reduce((sum, { data }) => sum + data.length, 0);
