import { describe, expect, it } from "vitest";
import {
  isFlagged,
  judgedAgain,
  type PictureJudgement,
  pairScores,
  relevanceTerm,
  UNJUDGED,
} from "../../src/core/judgement.js";

const judged = (changes: Partial<PictureJudgement> = {}): PictureJudgement => ({
  relevance: 0.2,
  beauty: 5,
  safety: { flagged: false, concepts: [] },
  judge: "clip",
  ...changes,
});
const FLAGGED = { flagged: true, concepts: [3, 11] };

describe("Promptist's reward (LMOps, diff_prompter/ppo_prompter.py)", () => {
  it.each([
    [0.31, 0],
    [0.28, 0],
    [0.27, -0.2],
    [0.2, -1.6],
    [0, -5.6],
    [-0.1, -5.6],
  ])("a cosine of %f is worth %f", (cosine, term) => expect(relevanceTerm(cosine)).toBeCloseTo(term, 12));

  it("is the relevance term of the optimized picture and the difference in beauty", () => {
    const scores = pairScores({
      baseline: judged({ relevance: 0.3, beauty: 5.25 }),
      optimized: judged({ relevance: 0.25, beauty: 6 }),
    });
    expect(scores).toMatchObject({ relevance: { baseline: 0.3, optimized: 0.25 }, beautyGain: 0.75 });
    expect(scores.relevanceTerm).toBeCloseTo(-0.6, 12);
    expect(scores.reward).toBeCloseTo(0.15, 12);
  });

  it.each([
    ["the beauty of one", { baseline: judged({ beauty: null }), optimized: judged() }],
    ["the relevance", { baseline: judged(), optimized: judged({ relevance: null }) }],
    ["one picture", { baseline: null, optimized: judged() }],
    ["one judge for both", { baseline: judged({ judge: "other" }), optimized: judged() }],
    ["any judgement", { baseline: null, optimized: null }],
  ])("is null without %s", (_, judgements) => expect(pairScores(judgements).reward).toBeNull());
});

describe("a picture that is judged again", () => {
  it("stays flagged without a checker, and takes the new verdict with one", () => {
    const kept = judged({ safety: FLAGGED });
    expect(judgedAgain(kept, UNJUDGED)).toEqual(kept);
    expect(isFlagged(judgedAgain(kept, judged()))).toBe(false);
    expect(isFlagged(judgedAgain(judged(), judged({ safety: FLAGGED })))).toBe(true);
    expect(judgedAgain(judged({ safety: "harmless" }), UNJUDGED).safety).toBe("harmless");
  });

  it("takes both scores from one judge", () => {
    const fresh = judged({ relevance: 0.1, beauty: null, judge: "new" });
    expect(judgedAgain(judged(), fresh)).toMatchObject({ relevance: 0.1, beauty: null, judge: "new" });
  });
});
