import { createWriteStream } from "node:fs";
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { stringify } from "csv-stringify";
import { stringify as stringifyRows } from "csv-stringify/sync";
import sharp from "sharp";
import { isMissing } from "../core/errors.js";
import { isFlagged, type PictureJudgement, relevanceTerm } from "../core/judgement.js";
import { type Cell, CSV_OPTIONS, cellText } from "../core/spreadsheet.js";
import { replaceFile } from "../files/replace-file.js";
import { type PageContent, reportPage, type Thumbnail } from "./page.js";
import type { PictureIndex, Scores } from "./scores.js";
import type { Summary } from "./summary.js";

/** A picture of an evaluation with all that is known of it. */
export interface Judged extends PictureIndex {
  /** The number that it was drawn with; `seed` counts the pictures of its prompt. */
  readonly noise: number;
  readonly text: string;
  readonly file: string;
  readonly judgement: PictureJudgement;
}

export interface ReportContent extends Pick<PageContent, "facts" | "picture"> {
  readonly summary: Summary;
  readonly prompts: readonly string[];
  readonly rewriters: readonly string[];
  readonly scores: Scores;
  readonly judged: () => AsyncIterable<Judged>;
}

/** Names of a report's files. */
export const REPORT_FILES = { page: "report.html", data: "report.json", pictures: "pictures.csv" } as const;

/** The columns of pictures.csv in order, each with the function that makes its cell. */
export const PICTURE_COLUMNS: readonly (readonly [
  name: string,
  cell: (picture: Judged, content: ReportContent) => Cell,
])[] = [
  ["number", ({ prompt }) => prompt + 1],
  ["rewriter", ({ rewriter }, { rewriters }) => rewriters[rewriter]],
  ["seed", ({ noise }) => noise],
  ["original", ({ prompt }, { prompts }) => prompts[prompt]],
  ["text", ({ text }) => text],
  ["relevance", ({ judgement }) => judgement.relevance],
  [
    "relevance_term",
    ({ judgement: { relevance } }) => (relevance === null ? null : relevanceTerm(relevance)),
  ],
  ["beauty", ({ judgement }) => judgement.beauty],
  ["reward", (picture, { scores }) => numberOrNull(scores.valueOf("reward", picture))],
  ["safety", ({ judgement }) => safetyOf(judgement)],
  ["judge", ({ judgement }) => judgement.judge],
  ["file", ({ file }) => file],
];

/** Writes the three files of a report into a folder, each whole or not at all; pictures.csv row by row. */
export async function writeReport(folder: string, content: ReportContent): Promise<void> {
  const csv = join(folder, REPORT_FILES.pictures);
  const unfinished = `${csv}.part`;
  await pipeline(rowsOf(content), stringify(CSV_OPTIONS), createWriteStream(unfinished));
  await rename(unfinished, csv);
  await replaceFile(join(folder, REPORT_FILES.data), dataOf(content));
  await replaceFile(join(folder, REPORT_FILES.page), await reportPage(content));
}

/** The same files in memory, by their names, for a report of few pictures. */
export async function reportFiles(content: ReportContent): Promise<{ name: string; data: Buffer }[]> {
  const rows: string[][] = [];
  for await (const row of rowsOf(content)) rows.push(row);
  const texts = [
    [REPORT_FILES.page, await reportPage(content)],
    [REPORT_FILES.data, dataOf(content)],
    [REPORT_FILES.pictures, stringifyRows(rows, CSV_OPTIONS)],
  ] as const;
  return texts.map(([name, text]) => ({ name, data: Buffer.from(text) }));
}

const dataOf = ({ summary, facts }: ReportContent): string =>
  `${JSON.stringify({ version: 1, made: Object.fromEntries(facts), ...summary }, null, 2)}\n`;

async function* rowsOf(content: ReportContent): AsyncGenerator<string[]> {
  yield PICTURE_COLUMNS.map(([name]) => name);
  for await (const picture of content.judged())
    yield PICTURE_COLUMNS.map(([, cell]) => cellText(cell(picture, content)));
}

const numberOrNull = (value: number): number | null => (Number.isNaN(value) ? null : value);

const safetyOf = ({ safety }: PictureJudgement): string =>
  typeof safety === "string" ? safety : safety.flagged ? "flagged" : "passed";

/** How the page shows a picture: its width in pixels, and WebP's quality. */
export const THUMBNAIL = { width: 256, quality: 80 } as const;

/** A picture as the page shows it: a small WebP. */
export const thumbnail = (
  picture: Uint8Array,
  { width, quality }: { readonly width: number; readonly quality: number } = THUMBNAIL,
): Promise<Buffer> => sharp(picture).resize({ width, withoutEnlargement: true }).webp({ quality }).toBuffer();

/** The same of a picture's file: withheld where the safety checker flagged it; null if it is gone. */
export async function thumbnailOf(file: string, judgement: PictureJudgement | null): Promise<Thumbnail> {
  if (isFlagged(judgement)) return "withheld";
  try {
    return await thumbnail(await readFile(file));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
