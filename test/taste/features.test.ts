import { describe, expect, it } from "vitest";
import { Features } from "../../src/taste/features.js";

const BEAM = { prompt: "A cat", mode: "beam", rewriter: "promptist" } as const;

describe("the difference of a pair's sides", () => {
  /** By the features' names, of which only phrases have one that is told. */
  function read(features: Features, pair: Parameters<Features["difference"]>[0]) {
    const { features: numbers, values } = features.difference(pair);
    const phrases = Object.fromEntries(
      numbers.flatMap((number, i) => {
        const phrase = features.phrase(number);
        return phrase === null ? [] : [[phrase, values[i]]];
      }),
    );
    const rest = numbers.flatMap((number, i) => (features.phrase(number) === null ? [values[i]] : []));
    return { phrases, rest, numbers };
  }

  it("is what the rewrite adds to the prompt, its length, its writer and its mode", () => {
    const { phrases, rest } = read(new Features(), { ...BEAM, rewrite: "A cat, sharp, Oil  Paint, sharp" });
    expect(phrases).toEqual({ sharp: 1, "oil paint": 1 });
    expect(rest).toEqual([2, 1, 1]);
  });

  it("is, of two rewrites, what one has and the other lacks", () => {
    const features = new Features();
    const against = { text: "A cat, sharp, blurry", rewriter: "magicprompt" };
    const pair = read(features, { ...BEAM, rewrite: "A cat, sharp, oil, bright", against });
    expect(pair.phrases).toEqual({ oil: 1, bright: 1, blurry: -1 });
    expect(pair.rest).toEqual([1, 1, -1]);
    const swapped = read(features, {
      ...BEAM,
      rewriter: "magicprompt",
      rewrite: against.text,
      against: { text: "A cat, sharp, oil, bright", rewriter: "promptist" },
    });
    const sum = new Map<number, number>();
    for (const { numbers, values } of [pair, swapped].map(({ numbers, phrases, rest }) => ({
      numbers,
      values: [...Object.values(phrases), ...rest],
    })))
      for (const [i, number] of numbers.entries()) sum.set(number, (sum.get(number) ?? 0) + values[i]!);
    expect([...sum.values()].every((value) => value === 0)).toBe(true);
  });

  it("tells rewriters apart", () => {
    const features = new Features();
    const rewrite = "A cat, sharp";
    const [one, other] = ["promptist", "magicprompt"].map((rewriter) =>
      features.difference({ ...BEAM, rewriter, rewrite }),
    );
    expect(one!.features).not.toEqual(other!.features);
    expect(one!.features.filter((feature) => !other!.features.includes(feature))).toHaveLength(1);
  });
});
