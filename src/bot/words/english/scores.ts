import type { PairScores } from "../../../core/judgement.js";
import type { PerSide } from "../../../core/side.js";
import type { Mean } from "../../../core/statistics/bootstrap.js";
import { clip } from "../../discord/markdown.js";
import { count } from "./parts.js";
import type { Translated } from "./translated.js";

/** Scores of pictures (core/judgement.ts); arrows point from the prompt as written to the rewrite. */
export const scoreLines = {
  decimal: (value: number, digits: number) => value.toFixed(digits),
  /** What the judges' numbers say of the rewrite; `of`: whose it is, beside another rewriter's. */
  judges: (parts: readonly string[], of: string | null) =>
    `Judges${of === null ? "" : ` of ${of}`}: ${parts.join(" · ")}`,
  fits: {
    same: "fits the prompt as well",
    better: "fits the prompt better",
    worse: "fits the prompt less well",
  },
  looksSame: (points: number) => `looks as good (${points.toFixed(1)} of 10)`,
  looks: (isBetter: boolean, from: number, to: number) =>
    `looks ${isBetter ? "better" : "worse"} (${from.toFixed(1)} → ${to.toFixed(1)} of 10)`,
  /** The numbers themselves, each "0.670 → 0.750". */
  relevance: (change: string) => `relevance to the prompt ${change}`,
  beauty: (change: string) => `beauty ${change}`,
  rewardOf: (reward: string) => `reward ${reward} (what Promptist was trained to raise)`,
  /** `names`: who wrote the two texts, of a pair of two rewriters. */
  pair: (parts: readonly string[], names: PerSide<string> | null) =>
    `Scores, ${names?.baseline ?? "as written"} → ${names?.optimized ?? "rewritten"}: ${parts.join(" · ")}`,
  title: "**Scores**: means with 95 % intervals; above zero, the rewrite did better.",
  relevanceChange: "Relevance change",
  beautyGain: "Beauty change",
  reward: "Reward",
  mean: (mean: string, low: string, high: string, n: number) => `${mean} (${low} to ${high}), n = ${n}`,
  plotAlt: (facts: readonly string[]) => `A dot for each pair, and the means: ${facts.join("; ")}`,
  tableHead: " #  relevance      beauty        reward",
} as const;

/** In a picture, and so in English. */
export const plotTitle = (pairs: number): string => `What rewriting changed in ${count(pairs, "pair")}`;

type ScoreWords = Translated<typeof scoreLines>;

/** Changes up to these are called none: cosines of CLIP, and points of ten. */
const SAME_RELEVANCE = 0.01;
const SAME_BEAUTY = 0.1;

/**
 * What the judges' numbers say of the rewrite, in words; null where nobody judged both sides. Numbers: means
 * where there are several pairs.
 */
export function verdictOfJudges(
  relevance: PerSide<number | null>,
  beauty: PerSide<number | null>,
  words: ScoreWords = scoreLines,
  of: string | null = null,
): string | null {
  const parts = [...relevanceWords(relevance, words), ...beautyWords(beauty, words)];
  return parts.length === 0 ? null : words.judges(parts, of);
}

/** The numbers themselves; null where nobody judged. */
export function scoresOfPair(
  scores: PairScores,
  words: ScoreWords = scoreLines,
  names: PerSide<string> | null = null,
): string | null {
  const { relevance, beauty, reward } = scores;
  const parts = [
    ...(isJudged(relevance) ? [words.relevance(twoCells(relevance, 3, words))] : []),
    ...(isJudged(beauty) ? [words.beauty(twoCells(beauty, 2, words))] : []),
    ...(reward === null ? [] : [words.rewardOf(signed(reward, 2, words))]),
  ];
  return parts.length === 0 ? null : words.pair(parts, names);
}

/** A mean with its interval. */
export function meanWords({ mean, low, high, n }: Mean, words: ScoreWords = scoreLines): string {
  const digits = Math.max(Math.abs(low), Math.abs(high)) < 0.5 ? 3 : 2;
  return words.mean(signed(mean, digits, words), signed(low, digits, words), signed(high, digits, words), n);
}

/** A pair in the table of a batch. */
export const scoreRow = (row: number, scores: PairScores, prompt: string, words: ScoreWords): string =>
  [
    String(row).padStart(2),
    twoCells(scores.relevance, 3, words).padEnd(13),
    twoCells(scores.beauty, 2, words).padEnd(12),
    (scores.reward === null ? "-" : signed(scores.reward, 2, words)).padStart(6),
    clip(prompt.replaceAll("`", "'"), 16),
  ].join("  ");

function relevanceWords({ baseline, optimized }: PerSide<number | null>, { fits }: ScoreWords): string[] {
  if (baseline === null || optimized === null) return [];
  const gain = optimized - baseline;
  return [Math.abs(gain) <= SAME_RELEVANCE ? fits.same : gain > 0 ? fits.better : fits.worse];
}

function beautyWords({ baseline, optimized }: PerSide<number | null>, words: ScoreWords): string[] {
  if (baseline === null || optimized === null) return [];
  const gain = optimized - baseline;
  if (Math.abs(gain) <= SAME_BEAUTY) return [words.looksSame(optimized)];
  return [words.looks(gain > 0, baseline, optimized)];
}

function signed(value: number, digits: number, { decimal }: ScoreWords): string {
  if (Number(value.toFixed(digits)) === 0) return decimal(0, digits);
  return value > 0 ? `+${decimal(value, digits)}` : `−${decimal(-value, digits)}`;
}

const score = (value: number | null, digits: number, { decimal }: ScoreWords): string =>
  value === null ? "-" : decimal(value, digits);

const isJudged = ({ baseline, optimized }: PerSide<number | null>): boolean =>
  baseline !== null || optimized !== null;

const twoCells = (
  { baseline, optimized }: PerSide<number | null>,
  digits: number,
  words: ScoreWords,
): string => `${score(baseline, digits, words)} → ${score(optimized, digits, words)}`;
