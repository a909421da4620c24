import type { PairScores } from "../../core/judgement.js";
import type { PerSide } from "../../core/side.js";
import type { Mean } from "../../core/statistics.js";
import { clip } from "../discord/markdown.js";
import { count } from "./parts.js";

/** Scores of pictures (core/judgement.ts); arrows point from the prompt as written to the rewrite. */
export const scoreLines = {
  /**
   * What the scores say about the rewrite, in words; null unless both sides were judged. Numbers: means
   * where there are several pairs.
   */
  verdict: (relevance: PerSide<number | null>, beauty: PerSide<number | null>) => {
    const parts = [...relevanceWords(relevance), ...beautyWords(beauty)];
    return parts.length === 0 ? null : `Judges: ${parts.join(" · ")}`;
  },
  /** The numbers themselves; null where nobody judged. */
  pair: (scores: PairScores) => {
    const parts = [
      ...change("relevance to the prompt", scores.relevance.baseline, scores.relevance.optimized, 3),
      ...change("beauty", scores.beauty.baseline, scores.beauty.optimized, 2),
      ...(scores.reward === null
        ? []
        : [`reward ${signed(scores.reward, 2)} (what Promptist was trained to raise)`]),
    ];
    return parts.length === 0 ? null : `Scores, as written → rewritten: ${parts.join(" · ")}`;
  },
  title: "**Scores**: means with 95 % intervals; above zero, the rewrite did better.",
  relevanceChange: "Relevance change",
  beautyGain: "Beauty change",
  reward: "Reward",
  mean: ({ mean, low, high, n }: Mean) => {
    const digits = Math.max(Math.abs(low), Math.abs(high)) < 0.5 ? 3 : 2;
    return `${signed(mean, digits)} (${signed(low, digits)} to ${signed(high, digits)}), n = ${n}`;
  },
  plotTitle: (pairs: number) => `What rewriting changed in ${count(pairs, "pair")}`,
  plotAlt: (facts: readonly string[]) => `A dot for each pair, and the means: ${facts.join("; ")}`,
  tableHead: " #  relevance      beauty        reward",
  tableRow: (row: number, scores: PairScores, prompt: string) =>
    [
      String(row).padStart(2),
      twoCells(scores.relevance.baseline, scores.relevance.optimized, 3).padEnd(13),
      twoCells(scores.beauty.baseline, scores.beauty.optimized, 2).padEnd(12),
      (scores.reward === null ? "-" : signed(scores.reward, 2)).padStart(6),
      clip(prompt.replaceAll("`", "'"), 16),
    ].join("  "),
} as const;

/** Changes up to these are called none: cosines of CLIP, and points of ten. */
const SAME_RELEVANCE = 0.01;
const SAME_BEAUTY = 0.1;

function relevanceWords({ baseline, optimized }: PerSide<number | null>): string[] {
  if (baseline === null || optimized === null) return [];
  const gain = optimized - baseline;
  const how = Math.abs(gain) <= SAME_RELEVANCE ? "as well" : gain > 0 ? "better" : "less well";
  return [`fits the prompt ${how}`];
}

function beautyWords({ baseline, optimized }: PerSide<number | null>): string[] {
  if (baseline === null || optimized === null) return [];
  const gain = optimized - baseline;
  if (Math.abs(gain) <= SAME_BEAUTY) return [`looks as good (${optimized.toFixed(1)} of 10)`];
  return [`looks ${gain > 0 ? "better" : "worse"} (${baseline.toFixed(1)} → ${optimized.toFixed(1)} of 10)`];
}

const signed = (value: number, digits: number): string => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : value > 0 ? `+${text}` : text.replace("-", "−");
};

const score = (value: number | null, digits: number): string =>
  value === null ? "-" : value.toFixed(digits);

const twoCells = (from: number | null, to: number | null, digits: number): string =>
  `${score(from, digits)} → ${score(to, digits)}`;

const change = (name: string, from: number | null, to: number | null, digits: number): string[] =>
  from === null && to === null ? [] : [`${name} ${twoCells(from, to, digits)}`];
