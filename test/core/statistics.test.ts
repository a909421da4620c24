import { describe, expect, it } from "vitest";
import { bootstrapMean } from "../../src/core/statistics.js";

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
