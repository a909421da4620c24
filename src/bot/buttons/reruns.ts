import { InputError } from "../../core/errors.js";
import type { Item, Job } from "../../core/job.js";
import { randomSeed } from "../../core/options.js";
import type { NewItem } from "../../db/queue.js";
import { addedPhrases, withoutPhrases } from "../messages/prompt-diff.js";
import type { CommandRequest } from "../requests/request.js";

/** What the buttons under a result ask for: a new job with one change, linked to the job of the result. */

/** The same prompt and rewrite from another seed. */
export function again(job: Job): CommandRequest {
  const seed = randomSeed();
  const { prompt, rewrite, candidates } = itemOf(job);
  return { ...child(job, { prompt, rewrite, candidates }), image: { ...job.image, seed } };
}

/** The same pictures of all prompts again: the same texts, seeds and options. */
export const redraw = (job: Job): CommandRequest => {
  const items = job.items
    .filter(({ cancelled }) => !cancelled)
    .map(({ prompt, rewrite, candidates, seed }) => ({ prompt, rewrite, candidates, seed }));
  return {
    kind: job.kind,
    text: job.text,
    image: job.image,
    parentId: job.id,
    blind: false,
    known: items.flatMap(({ prompt, rewrite }) => [prompt, rewrite]),
    prompts: async () => ({ items }),
  };
};

/** The command of a job again, from a new seed: a prompt without a rewrite of its own is rewritten anew. */
export function repeated(job: Job): CommandRequest {
  const seed = randomSeed();
  const items = job.items.map(({ prompt, rewrite, candidates }) =>
    job.kind === "optimize" ? { prompt, rewrite: null } : { prompt, rewrite, candidates },
  );
  return {
    kind: job.kind,
    text: { ...job.text, seed },
    image: { ...job.image, seed },
    parentId: job.id,
    blind: job.blind,
    confirm: job.kind === "batch",
    known: items.flatMap(({ prompt, rewrite }) => [prompt, rewrite]),
    prompts: async () => ({ items }),
  };
}

/** Another prompt, with a rewrite of its own, from the same seed. */
export function withPrompt(job: Job, prompt: string): CommandRequest {
  if (prompt === itemOf(job).prompt) throw nothingChanged();
  return child(job, { prompt, rewrite: null });
}

/** The same prompt beside a rewrite that the user wrote. */
export const withRewrite = (job: Job, rewrite: string): CommandRequest => pairOf(job, rewrite);

/** The same prompt beside another of the rewrites that the search found. */
export function withBeam(job: Job, index: number): CommandRequest {
  const candidate = itemOf(job).candidates[index];
  if (candidate === undefined) throw unknownChoice("rewrite");
  if (job.kind !== "optimize" && candidate.text === itemOf(job).rewrite) throw nothingChanged();
  return pairOf(job, candidate.text);
}

/** The rewrite with only those added phrases whose indexes are in `kept`. */
export function withWords(job: Job, kept: readonly number[]): CommandRequest {
  const { prompt, rewrite } = itemOf(job);
  const phrases = addedPhrases(prompt, rewrite ?? "");
  if (kept.some((index) => phrases[index] === undefined)) throw unknownChoice("words");
  // A menu shows 25 phrases at most; the others stay.
  const dropped = phrases.slice(0, WORDS_MAX).filter((_, index) => !kept.includes(index));
  if (dropped.length === 0) throw nothingChanged();
  return pairOf(job, withoutPhrases(rewrite ?? "", dropped));
}
export const WORDS_MAX = 25;

/** Pictures of the prompt and of its rewrite, both unchanged. */
export const drawPair = (job: Job): CommandRequest => pairOf(job, itemOf(job).rewrite ?? "");

/** One picture, of the prompt as written. */
export function drawRaw(job: Job): CommandRequest {
  const { prompt } = itemOf(job);
  return child(job, { prompt, rewrite: prompt });
}

function pairOf(job: Job, rewrite: string): CommandRequest {
  const { prompt, candidates } = itemOf(job);
  // A waiting job has no rewrite yet, and switching every word off leaves none.
  if (rewrite === "") throw unknownChoice("rewrite");
  return child(job, { prompt, rewrite, candidates });
}

function child(job: Job, item: NewItem): CommandRequest {
  const { seed } = itemOf(job);
  return {
    kind: "compare",
    text: job.text,
    image: { ...job.image, seed },
    parentId: job.id,
    blind: job.blind,
    known: [item.prompt, item.rewrite],
    prompts: async () => ({ items: [item] }),
  };
}

function itemOf(job: Job): Item {
  const [item] = job.items;
  if (item === undefined) throw unknownChoice("prompt");
  return item;
}

const nothingChanged = () => new InputError("INPUT_UNCHANGED", "Nothing was changed.");
const unknownChoice = (option: string) =>
  new InputError("INPUT_CHOICE", `There is no such ${option} in this job.`, { option });
