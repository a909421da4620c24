import { relevanceTerm } from "../core/judgement.js";
import { bootstrapDifference, bootstrapMean, type Mean, meanOf } from "../core/statistics/bootstrap.js";
import { wilson } from "../core/statistics/shares.js";

/**
 * What is measured of a picture, after the paper (Hao et al. 2022, section 2.3; LMOps, diff_prompter/ppo_prompter.py):
 * `relevance`, the cosine of picture and plain prompt; `beauty`, the aesthetic predictor's score; `reward`, f_rel of the
 * relevance plus what the beauty gains over the baseline's picture of the same seed.
 */
export const MEASURES = ["reward", "relevance", "beauty"] as const;
export type Measure = (typeof MEASURES)[number];

/** Values drawn for the intervals of the whole, and for those of a part of the prompts, of which there are many. */
const DRAWS = { whole: 20_000_000, part: 2_000_000 };

/**
 * The scores of all pictures of an evaluation, compact: [prompts, rewriters, seeds], NaN where there is none. Values of
 * one prompt depend on each other, since its seeds share the prompt. So each prompt counts once, as the mean of its
 * seeds, and intervals are of prompts drawn anew (a bootstrap of clusters); what is compared is compared within a
 * prompt and seed.
 */
export class Scores {
  readonly #relevance: Float64Array;
  readonly #beauty: Float64Array;

  /** @param baseline the index of the rewriter that others are compared with */
  constructor(
    readonly prompts: number,
    readonly rewriters: number,
    readonly seeds: number,
    readonly baseline: number,
  ) {
    this.#relevance = new Float64Array(prompts * rewriters * seeds).fill(Number.NaN);
    this.#beauty = new Float64Array(prompts * rewriters * seeds).fill(Number.NaN);
  }

  set(
    { prompt, rewriter, seed }: PictureIndex,
    { relevance, beauty }: { readonly relevance: number | null; readonly beauty: number | null },
  ): void {
    const at = this.#at(prompt, rewriter, seed);
    this.#relevance[at] = relevance ?? Number.NaN;
    this.#beauty[at] = beauty ?? Number.NaN;
  }

  has({ prompt, rewriter, seed }: PictureIndex): boolean {
    return !Number.isNaN(this.#relevance[this.#at(prompt, rewriter, seed)]!);
  }

  /** A measure of one picture; NaN where it has none. */
  valueOf(measure: Measure, { prompt, rewriter, seed }: PictureIndex): number {
    const at = this.#at(prompt, rewriter, seed);
    if (measure === "relevance") return this.#relevance[at]!;
    if (measure === "beauty") return this.#beauty[at]!;
    const baseline = this.#at(prompt, this.baseline, seed);
    return relevanceTerm(this.#relevance[at]!) + this.#beauty[at]! - this.#beauty[baseline]!;
  }

  /** The measures that the judges gave. */
  get measures(): readonly Measure[] {
    return this.#beauty.every(Number.isNaN) ? ["relevance"] : MEASURES;
  }

  /** The mean of a rewriter's pictures. Null where none has the measure. */
  mean(measure: Measure, rewriter: number): Mean | null {
    const values = this.#perPrompt((prompt, seed) => this.valueOf(measure, { prompt, rewriter, seed }));
    return bootstrapMean(values.filter(isNumber), 1, DRAWS.whole);
  }

  /** By how much a rewriter's pictures are above another's of the same prompt and seed, a value a prompt; NaN for none. */
  gains(measure: Measure, rewriter: number, other = this.baseline): Float64Array {
    return this.#perPrompt((prompt, seed) => this.#gain(measure, prompt, rewriter, other, seed));
  }

  gain(measure: Measure, rewriter: number, other = this.baseline): Mean | null {
    return bootstrapMean(this.gains(measure, rewriter, other).filter(isNumber), 1, DRAWS.whole);
  }

  /** The share of pictures, 0 to 1, that are above another rewriter's of the same prompt and seed; equal ones count half. */
  wins(measure: Measure, rewriter: number, other = this.baseline): Mean | null {
    const shares = this.#perPrompt((prompt, seed) => {
      const gain = this.#gain(measure, prompt, rewriter, other, seed);
      return gain > 0 ? 1 : gain < 0 ? 0 : gain === 0 ? 0.5 : Number.NaN;
    });
    const share = bootstrapMean(shares.filter(isNumber), 1, DRAWS.whole);
    if (share === null || (share.mean > 0 && share.mean < 1)) return share;
    // Where all prompts agree, those drawn anew do too, however few they are.
    return { ...share, ...wilson(share.mean * share.n, share.n) };
  }

  #gain(measure: Measure, prompt: number, rewriter: number, other: number, seed: number): number {
    const [ours, theirs] = [rewriter, other].map((rewriter) =>
      this.valueOf(measure, { prompt, rewriter, seed }),
    );
    return ours! - theirs!;
  }

  /** For each prompt the mean over its seeds, without NaN; NaN where there is no other. */
  #perPrompt(value: (prompt: number, seed: number) => number): Float64Array {
    return Float64Array.from({ length: this.prompts }, (_, prompt) => {
      const values = Array.from({ length: this.seeds }, (_, seed) => value(prompt, seed));
      return meanOf(values.filter(isNumber));
    });
  }

  #at(prompt: number, rewriter: number, seed: number): number {
    return (prompt * this.rewriters + rewriter) * this.seeds + seed;
  }
}

/** Of which prompt, by which rewriter and with which of its seeds a picture is, each from 0. */
export interface PictureIndex {
  readonly prompt: number;
  readonly rewriter: number;
  readonly seed: number;
}

const isNumber = (value: number): boolean => !Number.isNaN(value);

/** The mean of the values at some prompts; null where there is none. */
export const meanAt = (values: Float64Array, prompts: readonly number[]): Mean | null =>
  bootstrapMean(prompts.map((prompt) => values[prompt]!).filter(isNumber), 1, DRAWS.part);

/** The mean of the values at some prompts minus that at all others; null where one of them is empty. */
export function differenceAt(values: Float64Array, prompts: readonly number[]): Mean | null {
  const isIn = new Set(prompts);
  const [inside, outside]: [number[], number[]] = [[], []];
  for (const [prompt, value] of values.entries())
    if (isNumber(value)) (isIn.has(prompt) ? inside : outside).push(value);
  return bootstrapDifference(inside, outside, 1, DRAWS.part);
}
