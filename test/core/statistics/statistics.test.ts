import { describe, expect, it } from "vitest";
import { bootstrapMean } from "../../../src/core/statistics/bootstrap.js";
import { seededRandom } from "../../../src/core/statistics/random.js";
import { weightedShare, wilson } from "../../../src/core/statistics/shares.js";

/**
 * The sum of twelve uniform numbers minus six is nearly normal with deviation 1; uses its own fixed
 * generator.
 */
function normals(n: number, seed: number): number[] {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: n }, () => Array.from({ length: 12 }, uniform).reduce((a, b) => a + b, -6));
}

describe("bootstrapMean", () => {
  it("is null for no values, and a point for one value or equal ones", () => {
    expect(bootstrapMean([])).toBeNull();
    expect(bootstrapMean([2.5])).toEqual({ mean: 2.5, low: 2.5, high: 2.5, n: 1 });
    expect(bootstrapMean([3, 3, 3])).toEqual({ mean: 3, low: 3, high: 3, n: 3 });
  });

  it("gives the same interval each time, and a different one for a different seed", () => {
    const values = normals(30, 7);
    expect(bootstrapMean(values)).toEqual(bootstrapMean(values));
    expect(bootstrapMean(values, 2)).not.toEqual(bootstrapMean(values));
  });

  it("is as wide as normal theory predicts: 1.96 standard errors to each side", () => {
    const values = normals(200, 3);
    const { mean, low, high } = bootstrapMean(values)!;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const half = 1.959964 * Math.sqrt(variance / values.length);
    expect(mean - low).toBeGreaterThan(half * 0.85);
    expect(mean - low).toBeLessThan(half * 1.15);
    expect(high - mean).toBeGreaterThan(half * 0.85);
    expect(high - mean).toBeLessThan(half * 1.15);
  });

  it("covers the true mean about 95 times in 100", () => {
    const covered = Array.from(
      { length: 200 },
      (_, trial) => bootstrapMean(normals(40, 1000 + trial))!,
    ).filter(({ low, high }) => low <= 0 && 0 <= high);
    expect(covered.length / 200).toBeGreaterThan(0.89);
    expect(covered.length / 200).toBeLessThan(0.99);
  });
});

describe("weightedShare", () => {
  it("is Wilson's share of pairs where all weigh the same", () => {
    expect(weightedShare([])).toBeNull();
    const pairs = [1, 1, 0, 1].map((won) => ({ weight: 1, won, n: 1 }));
    expect(weightedShare(pairs)).toEqual({ share: 0.75, n: 4, ...wilson(3, 4) });
    // Ten votes on each pair are no more pairs.
    const voted = pairs.map(({ won }) => ({ weight: 1, won: 10 * won, n: 10 }));
    expect(weightedShare(voted)).toEqual({ share: 0.75, n: 40, ...wilson(3, 4) });
  });

  it("is right of a choice that was rarely made, and its interval holds", () => {
    const random = seededRandom(7);
    let held = 0;
    let sum = 0;
    for (let round = 0; round < 400; round++) {
      const pairs = [];
      for (let pair = 0; pair < 600; pair++) {
        // Where the first wins more often it is also taken more often, which misleads the plain share.
        const [wins, propensity] = random() < 0.5 ? [0.7, 0.8] : [0.3, 0.1];
        if (random() < propensity) pairs.push({ weight: 1 / propensity, won: random() < wins ? 1 : 0, n: 1 });
      }
      const { share, low, high } = weightedShare(pairs)!;
      sum += share;
      if (low <= 0.5 && 0.5 <= high) held++;
    }
    expect(sum / 400).toBeCloseTo(0.5, 2);
    expect(held / 400).toBeGreaterThan(0.93);
  });
});
