import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TorchRandom } from "../../../src/inference/numbers/torch-random.js";
import { within } from "../../support/within.js";

interface Golden {
  sequences: { seed: number; sizes: number[]; draws: number[][] }[];
  long: {
    seed: number;
    shape: number[];
    first: number[];
    last: number[];
    sum: number;
    absSum: number;
    secondDraw: number[];
    every997th: number[];
  }[];
}
const golden: Golden = JSON.parse(
  readFileSync(new URL("../../golden/torch-randn.json", import.meta.url), "utf8"),
);

/** PyTorch's own scalar and AVX2 code differ by up to 1.8e-6. */
const TOLERANCE = 2e-6;

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(actual[i]! - expected[i]!));
  return largest;
}

describe("TorchRandom", () => {
  it("gives MT19937's bits", () => {
    const random = new TorchRandom(0);
    expect(Array.from({ length: 5 }, () => random.uint32())).toEqual([
      2357136044, 2546248239, 3071714933, 3626093760, 2588848963,
    ]);
  });

  it.each(golden.sequences)(
    "seed $seed draws $sizes one after the other like torch.randn",
    ({ seed, sizes, draws }) => {
      const random = new TorchRandom(seed);
      for (const [i, size] of sizes.entries()) {
        expect(largestDifference(random.randn(size), draws[i]!)).toBeLessThan(TOLERANCE);
      }
    },
  );

  it.each(golden.long)("seed $seed fills a tensor of shape $shape like torch.randn", (expected) => {
    const random = new TorchRandom(expected.seed);
    const count = expected.shape.reduce((product, size) => product * size, 1);
    const samples = random.randn(count);
    expect(largestDifference(samples.subarray(0, 8), expected.first)).toBeLessThan(TOLERANCE);
    expect(largestDifference(samples.subarray(count - 20), expected.last)).toBeLessThan(TOLERANCE);
    expect(
      largestDifference(
        samples.filter((_, i) => i % 997 === 0),
        expected.every997th,
      ),
    ).toBeLessThan(TOLERANCE);
    expect(samples.reduce((sum, x) => sum + x, 0)).toBeCloseTo(expected.sum, 2);
    expect(samples.reduce((sum, x) => sum + Math.abs(x), 0)).toBeCloseTo(expected.absSum, 2);
    expect(largestDifference(random.randn(count).subarray(0, 8), expected.secondDraw)).toBeLessThan(
      TOLERANCE,
    );
  });

  it("restarts with manualSeed, even with half a pair kept", () => {
    const random = new TorchRandom(3);
    const first = random.randn(5);
    random.manualSeed(3);
    expect(random.randn(5)).toEqual(first);
  });

  it("draws the latents of a 512x512 picture in under 5 ms", () => {
    const random = new TorchRandom(0);
    const times = Array.from({ length: 40 }, () => {
      const start = performance.now();
      random.randn(4 * 64 * 64);
      return performance.now() - start;
    }).sort((a, b) => a - b);
    expect(times[20]).toBeLessThan(within(5));
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 53])("refuses the seed %s", (seed) => {
    expect(() => new TorchRandom(seed)).toThrow(RangeError);
  });
});
