/**
 * What the judges say about pictures: CLIP how well one shows the prompt, the aesthetic predictor how much people
 * would like it, the safety checker whether it may be shown. Scores are Promptist's own (Hao et al. 2022, section 2.3;
 * LMOps, diff_prompter/ppo_prompter.py), so that a pair here says what the rewriter was trained for.
 */

import type { PerSide } from "./side.js";

/** What the safety checker found in one picture. */
export interface SafetyVerdict {
  readonly flagged: boolean;
  /** Indices of the checker's concepts whose thresholds the picture passed, ascending; empty where it is not flagged. */
  readonly concepts: readonly number[];
}

/** True where the safety checker was there and found something. */
export const isFlagged = (judgement: PictureJudgement | null): boolean =>
  typeof judgement?.safety === "object" && judgement.safety.flagged;

/** What the judges say about one picture. */
export interface PictureJudgement {
  /** Cosine of the picture's and the plain prompt's embeddings, from -1 to 1; null without a CLIP. */
  readonly relevance: number | null;
  /** The aesthetic predictor's score, from about 1 to 10; null without a predictor. */
  readonly beauty: number | null;
  /**
   * `unchecked` where the checkpoint has no safety checker; `harmless` where it has none and needs none, since it comes
   * with the program and can draw only what it was trained on.
   */
  readonly safety: SafetyVerdict | "unchecked" | "harmless";
  /** Name of the CLIP, with that of the predictor: scores compare within one only. Null where there is neither. */
  readonly judge: string | null;
}

/** The judgement where nobody judges. */
export const UNJUDGED: PictureJudgement = Object.freeze({
  relevance: null,
  beauty: null,
  safety: "unchecked",
  judge: null,
});

/**
 * A judgement made anew of a picture that had one. What the present judges do not say is kept of what earlier ones
 * said: a picture that was flagged once stays so when the checker is gone.
 */
export function judgedAgain(kept: PictureJudgement, fresh: PictureJudgement): PictureJudgement {
  const scores = fresh.judge === null ? kept : fresh;
  const safety = typeof fresh.safety === "object" ? fresh.safety : kept.safety;
  return { relevance: scores.relevance, beauty: scores.beauty, safety, judge: scores.judge };
}

/** What the judgements of both pictures say together. A value is null where one of its parts is. */
export interface PairScores {
  /** Cosines of the pictures with the plain prompt. */
  readonly relevance: PerSide<number | null>;
  readonly beauty: PerSide<number | null>;
  /** Promptist's f_rel: 0 where the optimized picture is relevant enough, else how far it is from that, scaled. */
  readonly relevanceTerm: number | null;
  /** Promptist's f_aes: beauty of the optimized picture less that of the baseline. */
  readonly beautyGain: number | null;
  /** relevanceTerm + beautyGain, what Promptist was trained to raise. */
  readonly reward: number | null;
  readonly judge: string | null;
}

/** Cosine above which more relevance is worth nothing to Promptist, and what it pays for each unit below. */
const RELEVANT_ENOUGH = 0.28;
const RELEVANCE_SCALE = 20;
/** The paper's 5.6, which makes the term 0 at 0.28. */
const RELEVANCE_OFFSET = RELEVANCE_SCALE * RELEVANT_ENOUGH;

/** Promptist's f_rel of the optimized picture's cosine with the plain prompt: min(0, 20 max(0, cosine) - 5.6). */
export const relevanceTerm = (cosine: number): number =>
  cosine > RELEVANT_ENOUGH ? 0 : RELEVANCE_SCALE * Math.max(0, cosine) - RELEVANCE_OFFSET;

/** The scores of a pair. Judgements of two judges do not compare: what needs both is null then. */
export function pairScores({ baseline, optimized }: PerSide<PictureJudgement | null>): PairScores {
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
    reward: term === null || beautyGain === null ? null : term + beautyGain,
    judge: optimized?.judge ?? baseline?.judge ?? null,
  };
}
