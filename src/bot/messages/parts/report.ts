import { stringify } from "csv-stringify/sync";
import {
  type Item,
  imageOf,
  isKept,
  type Job,
  type Picture,
  rewriterOf,
  scoresOf,
  textOfSide,
} from "../../../core/job.js";
import type { PairScores } from "../../../core/judgement.js";
import { loraText } from "../../../core/known-models.js";
import { type ImageOptions, promptModeOf } from "../../../core/options.js";
import { SIDES } from "../../../core/side.js";
import { type Cell, CSV_OPTIONS, cellText } from "../../../core/spreadsheet.js";

/** What a report is made of: a job, or a batch of the command line, whose `id` is empty. */
export type Reported = Pick<Job, "id" | "items" | "text" | "image" | "checkpoints" | "hashes">;

/** What a row is made from: the item, its job, what it was drawn with, and its scores. */
interface Row {
  readonly image: ImageOptions;
  readonly job: Reported;
  readonly item: Item;
  readonly scores: PairScores;
}

/** The columns in order, each with the function that makes its cell. */
const COLUMNS: readonly (readonly [name: string, cell: (row: Row) => Cell])[] = [
  ["number", ({ item }) => item.index + 1],
  ["seed", ({ item }) => item.seed],
  ["original", ({ item }) => item.prompt],
  ["optimized", ({ item }) => item.rewrite],
  ["steps", ({ image }) => image.steps],
  // As text: a number would be rounded.
  ["guidance", ({ image }) => String(image.guidance)],
  ["scheduler", ({ image }) => image.scheduler],
  ["width", ({ image }) => image.size?.width],
  ["height", ({ image }) => image.size?.height],
  ["negative", ({ image }) => image.negative],
  ["rewriting_ms", ({ item }) => item.rewriteMs],
  ["baseline_ms", ({ item }) => item.pictures.baseline?.ms],
  ["optimized_ms", ({ item }) => item.pictures.optimized?.ms],
  ["promptist", ({ job }) => job.checkpoints.promptist],
  ["stable_diffusion", ({ job }) => job.checkpoints.diffusion],
  ["promptist_sha256", ({ job }) => job.hashes.promptist],
  ["stable_diffusion_sha256", ({ job }) => job.hashes.diffusion],
  ["job", ({ job }) => job.id],
  ["baseline_relevance", ({ scores }) => scores.relevance.baseline],
  ["optimized_relevance", ({ scores }) => scores.relevance.optimized],
  ["relevance_term", ({ scores }) => scores.relevanceTerm],
  ["baseline_beauty", ({ scores }) => scores.beauty.baseline],
  ["optimized_beauty", ({ scores }) => scores.beauty.optimized],
  ["beauty_gain", ({ scores }) => scores.beautyGain],
  ["reward", ({ scores }) => scores.reward],
  ["judge", ({ scores }) => scores.judge],
  ["baseline_safety", ({ item }) => safetyOf(item.pictures.baseline)],
  ["optimized_safety", ({ item }) => safetyOf(item.pictures.optimized)],
  ["prompt_mode", ({ image }) => promptModeOf(image)],
  ["embeddings", ({ item }) => embeddingsOf(item)],
  ["strength", ({ image }) => image.from?.strength],
  ["source_sha256", ({ image }) => sourcesOf(image)],
  ["style", ({ image }) => image.style?.name],
  ["style_prompt", ({ image }) => image.style?.prompt],
  ["style_negative", ({ image }) => image.style?.negative],
  ["model", ({ image }) => image.model || null],
  ["loras", ({ image }) => image.loras?.map(loraText).join(", ")],
  ["models_sha256", ({ item }) => modelsOf(item)],
  ["speed", ({ image }) => image.speed],
  ["rewriter", ({ job, item }) => rewriterOf(job, item)],
  ["against", ({ job, item }) => (item.against === undefined ? null : rewriterOf(job, item, "baseline"))],
  ["against_text", ({ item }) => (item.against === undefined ? null : textOfSide(item, "baseline"))],
  ["kept", ({ item }) => (isKept(item) ? "yes" : null)],
];

/** prompts.json: prompts with their rewrites, which a batch takes again as pairs. */
export function promptsJson(items: readonly Pick<Item, "prompt" | "rewrite">[]): string {
  const list = items.map(({ prompt, rewrite }) => ({ original: prompt, optimized: rewrite }));
  return `${JSON.stringify(list, null, 2)}\n`;
}

/** A job as CSV (RFC 4180): a row for each prompt that was drawn, with all that it takes to draw it again. */
export function csvReport(job: Reported): string {
  const rows = job.items
    .filter(({ cancelled }) => !cancelled)
    .map((item) => {
      const row = { job, item, image: imageOf(job, item), scores: scoresOf(item) };
      return COLUMNS.map(([, cell]) => cellText(cell(row)));
    });
  return stringify([COLUMNS.map(([name]) => name), ...rows], CSV_OPTIONS);
}

/** `name sha256`, with semicolons between them. */
function embeddingsOf({ notes }: Item): string {
  const used = notes.flatMap((note) => (note.code === "embedding" ? [`${note.name} ${note.sha256}`] : []));
  return [...new Set(used)].join("; ");
}

/** The model and the LoRAs, each as `name sha256`, with semicolons between them. */
function modelsOf({ notes }: Item): string {
  const used = notes.flatMap((note) => (note.code === "models" ? note.used : []));
  return [...new Set(used.map(({ name, hash }) => [name, hash ?? ""].join(" ").trim()))].join("; ");
}

/** Of the pictures that both sides go on from; with a space between two different ones. */
const sourcesOf = ({ from }: ImageOptions): string | null =>
  from === undefined ? null : [...new Set(SIDES.map((side) => from.sources[side].sha256))].join(" ");

function safetyOf(picture: Picture | null): string | null {
  if (picture === null) return null;
  const safety = picture.judgement?.safety ?? "unchecked";
  if (typeof safety === "string") return safety;
  return safety.flagged ? "flagged" : "passed";
}
