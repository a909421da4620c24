import { describe, expect, test } from "vitest";
import { choose, EXPLORED, type Option } from "../../src/taste/choice.js";
import type { Difference, Known } from "../../src/taste/posterior.js";

const option = (feature: number, likelihood = 0): Option => ({
  difference: { features: [feature], values: [1] },
  likelihood,
});
/** Effects of features, each known as well as the others and apart from them. */
const known = (effects: readonly number[], variance: number): Known => ({
  logOdds: ({ features }: Difference) => effects[features[0]!]!,
  covariance: (a, b) => (a.features[0] === b.features[0] ? variance : 0),
});
/** T. Ettinger's mulberry32. */
function seeded(seed: number) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("the choice of a rewrite", () => {
  const options = [option(0), option(1), option(2)];

  test("takes what is liked best, and explores in its stated share", () => {
    const random = seeded(20);
    const counts = [0, 0, 0];
    for (let n = 0; n < 2_000; n++) counts[choose(options, known([0, 1, -1], 0.04), random).index]!++;
    // Thompson's draws find the best nearly always here, so the first is what is explored.
    expect(counts[1]! / 2_000).toBeCloseTo(1 - EXPLORED / 2, 1);
    expect(counts[0]! / 2_000).toBeGreaterThan(0.03);
    expect(counts[0]! / 2_000).toBeLessThan(0.08);
    expect(counts[2]).toBeLessThan(10);
  });

  test("weighs the likelihood as much as the taste", () => {
    const unlikely = [option(0), option(1, -2), option(2)];
    const { propensities } = choose(unlikely, known([0, 1, -1], 0.01), seeded(1));
    expect(propensities.indexOf(Math.max(...propensities))).toBe(0);
  });

  test("tells each one's propensity: how often it is taken", () => {
    const random = seeded(3);
    const taste = known([0, 0.1, -0.1], 0.25);
    const rounds = 4_000;
    const [counts, sums] = [
      [0, 0, 0],
      [0, 0, 0],
    ];
    for (let n = 0; n < rounds; n++) {
      const { index, propensities } = choose(options, taste, random);
      expect(propensities.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      counts![index]!++;
      for (const [i, share] of propensities.entries()) sums![i]! += share;
    }
    for (const i of [0, 1, 2]) expect(counts![i]! / rounds).toBeCloseTo(sums![i]! / rounds, 1);
    // Whatever is known, the first is always possible, so that the way without taste can be judged.
    expect(sums![0]! / rounds).toBeGreaterThan(EXPLORED / 2);
  });

  test("of two with the same features follows the likelihood, and of one takes it", () => {
    const same = choose([option(1), option(1, -0.5)], known([0, 3], 1), seeded(4));
    expect(same.propensities[0]).toBeCloseTo(1, 9);
    expect(choose([option(0)], known([0], 1), seeded(5))).toEqual({
      index: 0,
      greedy: 0,
      propensities: [1],
    });
  });
});
