/**
 * What the judges say about pictures: CLIP scores how well one shows the prompt, the aesthetic predictor how
 * much people would like it, and the safety checker decides whether it may be shown. Scores follow
 * Promptist's definitions (Hao et al. 2022, section 2.3; LMOps, diff_prompter/ppo_prompter.py), so a pair
 * here is measured by what the rewriter was trained for.
 */

import type { PerSide } from "./side.js";

/** What the safety checker found in one picture. */
export interface SafetyVerdict {
  readonly flagged: boolean;
  /**
   * Indices of the checker's concepts whose thresholds the picture passed, ascending; empty if it is not
   * flagged.
   */
  readonly concepts: readonly number[];
}

/** True if a safety checker ran and flagged the picture. */
export const isFlagged = (judgement: PictureJudgement | null): boolean =>
  typeof judgement?.safety === "object" && judgement.safety.flagged;

/** What the judges say about one picture. */
export interface PictureJudgement {
  /** Cosine of the picture's and the plain prompt's embeddings, from -1 to 1; null without CLIP. */
  readonly relevance: number | null;
  /** The aesthetic predictor's score, from about 1 to 10; null without a predictor. */
  readonly beauty: number | null;
  /**
   * `unchecked`: the checkpoint has no safety checker. `harmless`: it has none and needs none, because it
   * comes with the program and can draw only what it was trained on.
   */
  readonly safety: SafetyVerdict | "unchecked" | "harmless";
  /** Name of the CLIP and its predictor; only scores of the same judge compare. Null if there is neither. */
  readonly judge: string | null;
}

/** The judgement when there are no judges. */
export const UNJUDGED: PictureJudgement = Object.freeze({
  relevance: null,
  beauty: null,
  safety: "unchecked",
  judge: null,
});

/**
 * Combines a new judgement of a picture with its old one. Values that today's judges don't give are kept from
 * the old one, so a flagged picture stays flagged after the checker is removed.
 */
export function judgedAgain(kept: PictureJudgement, fresh: PictureJudgement): PictureJudgement {
  const scores = fresh.judge === null ? kept : fresh;
  const safety = typeof fresh.safety === "object" ? fresh.safety : kept.safety;
  return { relevance: scores.relevance, beauty: scores.beauty, safety, judge: scores.judge };
}

/** Scores of both pictures together. A value is null if one of its parts is. */
export interface PairScores {
  /** Cosines of the pictures with the plain prompt. */
  readonly relevance: PerSide<number | null>;
  readonly beauty: PerSide<number | null>;
  /** Promptist's f_rel: 0 if the optimized picture is relevant enough, else its scaled distance from that. */
  readonly relevanceTerm: number | null;
  /** Promptist's f_aes: the optimized picture's beauty minus the baseline's. */
  readonly beautyGain: number | null;
  /** relevanceTerm + beautyGain: what Promptist was trained to raise. */
  readonly reward: number | null;
  readonly judge: string | null;
}

/** Above this cosine Promptist gains nothing from more relevance; below, it pays this much per unit. */
const RELEVANT_ENOUGH = 0.28;
const RELEVANCE_SCALE = 20;
/** 5.6 in the paper; makes the term 0 at 0.28. */
const RELEVANCE_OFFSET = RELEVANCE_SCALE * RELEVANT_ENOUGH;

/**
 * Promptist's f_rel of the optimized picture's cosine with the plain prompt: min(0, 20 max(0, cosine) - 5.6).
 */
export const relevanceTerm = (cosine: number): number =>
  cosine > RELEVANT_ENOUGH ? 0 : RELEVANCE_SCALE * Math.max(0, cosine) - RELEVANCE_OFFSET;

/**
 * The scores of a pair. If two different judges scored it, values that need both sides are null.
 * @param isBesidePlain whether the baseline is the prompt as written, without which there is no reward
 */
export function pairScores(
  { baseline, optimized }: PerSide<PictureJudgement | null>,
  isBesidePlain = true,
): PairScores {
  const relevance = { baseline: baseline?.relevance ?? null, optimized: optimized?.relevance ?? null };
  const beauty = { baseline: baseline?.beauty ?? null, optimized: optimized?.beauty ?? null };
  const term = relevance.optimized === null ? null : relevanceTerm(relevance.optimized);
  const comparable = baseline !== null && optimized !== null && baseline.judge === optimized.judge;
  const beautyGain =
    comparable && beauty.baseline !== null && beauty.optimized !== null
      ? beauty.optimized - beauty.baseline
      : null;
  return {
    relevance,
    beauty,
    relevanceTerm: term,
    beautyGain,
    reward: !isBesidePlain || term === null || beautyGain === null ? null : term + beautyGain,
    judge: optimized?.judge ?? baseline?.judge ?? null,
  };
}
