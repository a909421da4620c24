import type { Mean } from "../../../core/statistics/bootstrap.js";
import { count, listed } from "./parts.js";

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** What an evaluation is to draw, and what it found. Names of rewriters are code. */
export const evaluationLines = {
  amount: (prompts: number, names: readonly string[], seeds: number, pictures: number) =>
    `${count(prompts, "prompt")}, drawn with each of ${listed(names)} from ${count(seeds, "seed")}. That makes ${count(pictures, "picture")}.`,
  same: "Seeds and settings are the same for all. Rewrites, seeds and settings of the file's own rows are not used.",
  measures: { reward: "reward", relevance: "relevance", beauty: "beauty" },
  /** `gain`: a mean with its interval; `rate`: shares of the pictures, from 0 to 1. */
  better: (name: string, baseline: string, measure: string, gain: string, rate: Mean) =>
    `${name} does better than ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
  worse: (name: string, baseline: string, measure: string, gain: string, rate: Mean) =>
    `${name} does worse than ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
  open: (name: string, baseline: string, measure: string, gain: string, rate: Mean) =>
    `${name} can't be told from ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
  noScores: "There is no report: no two pictures of a prompt have scores. Install CLIP to judge them.",
  file: "The zip has the whole report: open its `report.html` in a browser.",
  smaller: "Its pictures are smaller: they are too large for this channel otherwise.",
  withoutPictures: "It is without pictures: with them it is too large for this channel.",
  tooLarge: "The report is too large for this channel.",
  pictures: (jobId: string) => `\`/show id:${jobId} part:1\` brings the pictures themselves.`,
} as const;

const wins = ({ mean, low, high }: Mean): string =>
  `${percent(mean)} of its pictures win (${percent(low)} to ${percent(high)}).`;
