import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Mean } from "../../src/core/statistics/bootstrap.js";
import { differenceAt, type Measure, meanAt, Scores } from "../../src/evaluation/scores.js";

/** Scores whose means and intervals numpy and scipy.stats.bootstrap computed: test/golden/evaluation.py. */
const golden = JSON.parse(
  readFileSync(fileURLToPath(new URL("../golden/evaluation.json", import.meta.url)), "utf8"),
) as {
  prompts: number;
  rewriters: number;
  seeds: number;
  baseline: number;
  relevance: number[];
  beauty: number[];
  expected: { measure: Measure; rewriter: number; mean: Mean; gain?: Mean; wins?: Mean }[];
  group: { prompts: number[]; gain: Mean; difference: Mean };
};
const { prompts, rewriters, seeds, baseline, relevance, beauty } = golden;

function filled(): Scores {
  const scores = new Scores(prompts, rewriters, seeds, baseline);
  for (let at = 0; at < relevance.length; at++) {
    const seed = at % seeds;
    const rewriter = Math.floor(at / seeds) % rewriters;
    const prompt = Math.floor(at / seeds / rewriters);
    scores.set({ prompt, rewriter, seed }, { relevance: relevance[at]!, beauty: beauty[at]! });
  }
  return scores;
}

/** The ends are quantiles of 2,000 resamples here and of 200,000 there: within 5 % of the interval's width. */
function expectInterval(ours: Mean | null, theirs: Mean): void {
  expect(ours).not.toBeNull();
  expect(ours!.n).toBe(theirs.n);
  expect(ours!.mean).toBeCloseTo(theirs.mean, 9);
  const width = theirs.high - theirs.low;
  expect(Math.abs(ours!.low - theirs.low)).toBeLessThan(0.05 * width);
  expect(Math.abs(ours!.high - theirs.high)).toBeLessThan(0.05 * width);
}

describe("scores", () => {
  const scores = filled();

  test.each(golden.expected)("$measure of rewriter $rewriter are the reference's", (expected) => {
    const { measure, rewriter, mean, gain, wins } = expected;
    // The baseline's own reward varies with its relevance alone.
    expectInterval(scores.mean(measure, rewriter), mean);
    if (gain) expectInterval(scores.gain(measure, rewriter), gain);
    if (wins) expectInterval(scores.wins(measure, rewriter), wins);
  });

  test("a group's gain and its difference from the rest are the reference's", () => {
    const gains = scores.gains("reward", 0);
    expectInterval(meanAt(gains, golden.group.prompts), golden.group.gain);
    expectInterval(differenceAt(gains, golden.group.prompts), golden.group.difference);
    expect(differenceAt(gains, [...gains.keys()])).toBeNull();
    expect(meanAt(gains, [])).toBeNull();
  });

  test("equal pictures win half", () => {
    const pair = new Scores(1, 2, 1, 1);
    for (const rewriter of [0, 1])
      pair.set({ prompt: 0, rewriter, seed: 0 }, { relevance: 0.2, beauty: 5.1 });
    expect(pair.wins("reward", 0)).toMatchObject({ mean: 0.5, n: 1 });
    expect(pair.gain("reward", 0)).toMatchObject({ mean: 0 });
  });

  test("a picture that is missing leaves out its pair, and a judge that is missing its measures", () => {
    const some = new Scores(3, 2, 2, 1);
    const put = (prompt: number, rewriter: number, seed: number, relevance: number) =>
      some.set({ prompt, rewriter, seed }, { relevance, beauty: null });
    for (const seed of [0, 1]) {
      put(0, 0, seed, 0.3);
      put(0, 1, seed, 0.1);
      put(1, 0, seed, 0.4);
    }
    put(1, 1, 1, 0.3);
    put(2, 0, 0, 0.9);
    expect(some.measures).toEqual(["relevance"]);
    const { mean, n } = some.gain("relevance", 0)!;
    expect([mean, n]).toEqual([expect.closeTo(0.15, 12), 2]);
    expect(some.mean("reward", 0)).toBeNull();
  });
});
