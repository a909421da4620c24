import type { Job } from "../../core/job.js";
import { SCORE_COLUMNS, scoreCells } from "./scores.js";

const COLUMNS = [
  "number",
  "seed",
  "original",
  "optimized",
  "steps",
  "guidance",
  "scheduler",
  "width",
  "height",
  "negative",
  "rewriting_ms",
  "baseline_ms",
  "optimized_ms",
  "promptist",
  "stable_diffusion",
  "promptist_sha256",
  "stable_diffusion_sha256",
  "job",
  ...SCORE_COLUMNS,
] as const;

/** A batch as CSV (RFC 4180): a row for each prompt that was drawn, with all that it takes to draw it again. */
export function csvReport(job: Job): string {
  const { image, checkpoints, hashes } = job;
  const rows = job.items
    .filter(({ cancelled }) => !cancelled)
    .map((item) => [
      item.index + 1,
      item.seed,
      item.prompt,
      item.rewrite,
      image.steps,
      String(image.guidance),
      image.scheduler,
      image.size?.width,
      image.size?.height,
      image.negative,
      item.rewriteMs,
      item.pictures.baseline?.ms,
      item.pictures.optimized?.ms,
      checkpoints.promptist,
      checkpoints.diffusion,
      hashes.promptist,
      hashes.diffusion,
      job.id,
      ...scoreCells(item),
    ]);
  return [COLUMNS, ...rows].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

/** Spreadsheets take a text that begins so for a formula, and run it; `parsePromptFile` takes the mark away again. */
const FORMULA = /^'*[=+\-@\t\r]/;

function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  // A seed may be as large as a number counts exactly, and must stay what it is.
  if (typeof value === "number")
    return String(Number.isInteger(value) ? value : Math.round(value * 1e5) / 1e5);
  const inert = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
