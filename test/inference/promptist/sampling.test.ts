import { describe, expect, it } from "vitest";
import {
  distribution,
  draw,
  SeededRandom,
  topKReaches,
  xoshiro128,
} from "../../../src/inference/promptist/sampling.js";

const ids = [7, 3, 9, 1, 4];
const logits = [2, 1, 1, 0, -3];
const off = { temperature: 1, topK: 0, topP: 1 };

describe("the distribution", () => {
  it("is the softmax with every filter off", () => {
    const { ids: kept, probabilities } = distribution(ids, logits, off);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    expect(kept).toEqual(ids);
    for (const [i, p] of probabilities.entries()) expect(p).toBeCloseTo(Math.exp(logits[i]!) / sum, 12);
  });

  it("sharpens as the temperature falls", () => {
    const [first, second] = distribution(ids, logits, { ...off, temperature: 0.5 }).probabilities;
    expect(first! / second!).toBeCloseTo(Math.exp(2), 5);
  });

  it("keeps values equal to the k-th", () => {
    expect(distribution(ids, logits, { ...off, topK: 2 }).ids).toEqual([7, 3, 9]);
    expect(distribution(ids, logits, { ...off, topK: 1 }).ids).toEqual([7]);
    expect(distribution(ids, logits, { ...off, topK: 99 }).ids).toEqual(ids);
  });

  it("drops the least likely while they hold at most 1 - p", () => {
    // Probabilities .5 .25 .125 .125: the last two add up to .25.
    const halves = [3, 2, 1, 1].map((power) => power * Math.LN2);
    expect(distribution([0, 1, 2, 3], halves, { ...off, topP: 0.9 }).ids).toEqual([0, 1, 2, 3]);
    expect(distribution([0, 1, 2, 3], halves, { ...off, topP: 0.8 }).ids).toEqual([0, 1, 2]);
    expect(distribution([0, 1, 2, 3], halves, { ...off, topP: 0.7 }).ids).toEqual([0, 1]);
    expect(distribution([0, 1, 2, 3], halves, { ...off, topP: 0 }).ids).toEqual([0]);
    const { probabilities } = distribution([0, 1, 2, 3], halves, { ...off, topP: 0.7 });
    expect(probabilities[0]).toBeCloseTo(2 / 3, 6);
  });

  it("knows when the given values suffice for top-k", () => {
    expect(topKReaches([5, 4, 3], 2, 10)).toBe(true);
    expect(topKReaches([5, 3, 3], 2, 10)).toBe(false);
    expect(topKReaches([5, 3, 3], 0, 10)).toBe(false);
    expect(topKReaches([5, 3, 3], 0, 3)).toBe(true);
  });
});

describe("the draw", () => {
  it("follows the distribution", () => {
    const random = new SeededRandom(1);
    const target = distribution(ids, logits, off);
    const counts = new Map<number, number>();
    const draws = 20_000;
    for (let i = 0; i < draws; i++) {
      const id = draw(target, random.uniform());
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    for (const [i, id] of target.ids.entries()) {
      // Within five standard deviations of a binomial count.
      const p = target.probabilities[i]!;
      expect(Math.abs((counts.get(id) ?? 0) - draws * p)).toBeLessThan(5 * Math.sqrt(draws * p * (1 - p)));
    }
  });

  it("is the same for the same seed and differs between seeds, in the high half too", () => {
    const first = (seed: number) => {
      const random = new SeededRandom(seed);
      return [random.uniform(), random.uniform(), random.uniform()];
    };
    expect(first(42)).toEqual(first(42));
    const seeds = [0, 1, 42, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1];
    expect(new Set(seeds.map((seed) => first(seed).join())).size).toBe(seeds.length);
  });

  it("is xoshiro128**", () => {
    // First outputs for the state 1, 2, 3, 4, computed by hand from the published recurrence.
    const state = Uint32Array.of(1, 2, 3, 4);
    expect([xoshiro128(state), xoshiro128(state), xoshiro128(state)]).toEqual([11520, 0, 5927040]);
  });
});
