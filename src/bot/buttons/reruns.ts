import { InputError } from "../../core/errors.js";
import {
  type EvaluationDesign,
  type Item,
  imageOf,
  type Job,
  onlyOf,
  textOptionsOf,
} from "../../core/job.js";
import { randomSeed } from "../../core/options.js";
import { addedPhrases, withoutPhrases } from "../../core/prompt-diff.js";
import type { NewItem } from "../../db/queue.js";
import { evaluationItems } from "../requests/evaluation.js";
import { againstOf, unwritten } from "../requests/opponents.js";
import type { CommandRequest } from "../requests/request.js";

/** What the buttons under a result ask for: a new job with one change, linked to the job of the result. */

/** The same prompt and rewrite from another seed. */
export function again(job: Job): CommandRequest {
  const seed = randomSeed();
  if (job.kind === "grid") return gridAgain(job, { seed });
  const items = job.items.map((item) => {
    const { prompt, rewrite, candidates } = item;
    return { prompt, rewrite, candidates, ...onlyOf(item), ...sidesOf(item) };
  });
  return { ...child(job, items), image: { ...imageOf(job, job.items[0]), seed } };
}

/**
 * All prompts of a job again, with the same texts, seeds and options: its deleted pictures, or another try of
 * one that made no result.
 */
export const redraw = (job: Job): CommandRequest => {
  // A grid and an evaluation know an item by its place.
  const isPlaced = job.grid !== undefined || job.evaluation !== undefined;
  const left = isPlaced ? job.items : job.items.filter(({ cancelled }) => !cancelled);
  const items = (left.length > 0 ? left : job.items).map((item) => {
    const { prompt, rewrite, candidates, seed, image } = item;
    return {
      prompt,
      rewrite,
      candidates,
      seed,
      ...(image === undefined ? {} : { image }),
      ...onlyOf(item),
      ...sidesOf(item),
    };
  });
  return {
    kind: job.kind,
    text: job.text,
    image: job.image,
    ...designOf(job),
    parentId: job.id,
    // The result has already shown which picture is which.
    blind: job.blind && job.state !== "done",
    known: items.flatMap(({ prompt, rewrite }) => [prompt, rewrite]),
    prompts: async () => ({ items }),
  };
};

/** The command of a job again, from a new seed: a prompt without a rewrite of its own is rewritten anew. */
export function repeated(job: Job): CommandRequest {
  const seed = randomSeed();
  if (job.kind === "grid") return { ...gridAgain(job, { seed }), confirm: true };
  if (job.evaluation !== undefined) return evaluationAgain(job, job.evaluation, seed);
  const items = job.items.map((item) => {
    const { prompt, rewrite, candidates } = item;
    const own = {
      ...sidesOf(item),
      ...(item.text === undefined ? {} : { text: { ...item.text, seed } }),
    };
    return job.kind === "optimize"
      ? { prompt, rewrite: null, ...own }
      : { prompt, rewrite, candidates, ...own };
  });
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
  if (job.kind === "grid") return gridAgain(job, { prompt });
  const request = child(
    job,
    job.items.map((item) => ({
      prompt,
      rewrite: null,
      ...onlyOf(item),
      ...ownText(item),
      ...againstOf(unwritten(item.against)),
    })),
  );
  return job.kind === "optimize" ? { ...request, kind: "optimize" } : request;
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

/** The rewrite without the added phrases that have these indexes. */
export function withoutWords(job: Job, indexes: readonly number[]): CommandRequest {
  const { prompt, rewrite } = itemOf(job);
  const phrases = addedPhrases(prompt, rewrite ?? "");
  if (indexes.some((index) => phrases[index] === undefined)) throw unknownChoice("words");
  const dropped = phrases.filter((_, index) => indexes.includes(index));
  if (dropped.length === 0) throw nothingChanged();
  return pairOf(job, withoutPhrases(rewrite ?? "", dropped));
}

/** Pictures of the prompt and of its rewrite, both unchanged; one that was not needed yet is made. */
export function drawPair(job: Job): CommandRequest {
  const { prompt, rewrite, only, against } = itemOf(job);
  return only === "baseline" && rewrite === null
    ? child(job, [{ prompt, rewrite, ...againstOf(against) }])
    : pairOf(job, rewrite ?? "");
}

/** Pictures of the prompt and of one of the rewrites that several rewriters made. */
export function pairOfItem(job: Job, index: number): CommandRequest {
  const item = job.items[index];
  if (item === undefined || item.rewrite === null) throw unknownChoice("rewrite");
  const { prompt, rewrite, candidates } = item;
  return { ...child(job, [{ prompt, rewrite, candidates }]), text: textOptionsOf(job, item) };
}

/** One picture, of the prompt as written. */
export function drawRaw(job: Job): CommandRequest {
  const { prompt } = itemOf(job);
  return child(job, [{ prompt, rewrite: prompt }]);
}

function pairOf(job: Job, rewrite: string): CommandRequest {
  const { prompt, candidates } = itemOf(job);
  // A waiting job has no rewrite yet, and switching every word off leaves none.
  if (rewrite === "") throw unknownChoice("rewrite");
  return child(
    job,
    job.items.map(({ against }) => ({ prompt, rewrite, candidates, ...againstOf(against) })),
  );
}

/** All cells of a grid again, with the same rewrite, from another seed or for another prompt. */
function gridAgain(
  job: Job,
  { seed, prompt }: { readonly seed?: number; readonly prompt?: string },
): CommandRequest {
  const { grid } = job;
  const isSeeded = grid?.x.name === "seed" || grid?.y?.name === "seed";
  const items = job.items.map((item) => ({
    prompt: prompt ?? item.prompt,
    rewrite: prompt === undefined ? item.rewrite : null,
    candidates: prompt === undefined ? item.candidates : [],
    seed: seed === undefined || isSeeded ? item.seed : seed,
    ...onlyOf(item),
    ...ownText(item),
    ...(item.image === undefined ? {} : { image: item.image }),
  }));
  return {
    kind: "grid",
    text: job.text,
    image: { ...job.image, ...(seed === undefined ? {} : { seed }) },
    ...designOf(job),
    parentId: job.id,
    known: items.flatMap(({ prompt, rewrite }) => [prompt, rewrite]),
    prompts: async () => ({ items }),
  };
}

/** An item's own way of being rewritten. */
const ownText = ({ text }: Item): Pick<NewItem, "text"> => (text === undefined ? {} : { text });

/** What the items of a job are the parts of. */
const designOf = ({ grid, evaluation }: Job) => ({
  ...(grid === undefined ? {} : { grid }),
  ...(evaluation === undefined ? {} : { evaluation }),
});

/** The prompts of an evaluation again, all rewritten anew and drawn from other seeds. */
function evaluationAgain(job: Job, evaluation: EvaluationDesign, seed: number): CommandRequest {
  const perPrompt = evaluation.rewriters.length * evaluation.seeds;
  const texts = evaluation.rewriters.map((_, i) => ({
    ...textOptionsOf(job, job.items[i * evaluation.seeds]),
    seed,
  }));
  const prompts = job.items.filter(({ index }) => index % perPrompt === 0).map(({ prompt }) => prompt);
  return {
    kind: "evaluation",
    text: texts[0]!,
    image: { ...job.image, seed },
    evaluation,
    parentId: job.id,
    confirm: true,
    known: prompts,
    prompts: async () => ({ items: evaluationItems(prompts, { design: evaluation, texts }, seed) }),
  };
}
/** Who writes an item's two texts, and what the opponent wrote. */
const sidesOf = (item: Item): Pick<NewItem, "text" | "against"> => ({
  ...ownText(item),
  ...againstOf(item.against),
});

/** A comparison of as many pairs; the seeds go on from the job's first one. */
function child(job: Job, items: readonly NewItem[]): CommandRequest {
  return {
    kind: "compare",
    text: textOptionsOf(job, itemOf(job)),
    image: imageOf(job, itemOf(job)),
    parentId: job.id,
    blind: job.blind,
    known: items.flatMap(({ prompt, rewrite }) => [prompt, rewrite]),
    prompts: async () => ({ items }),
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
