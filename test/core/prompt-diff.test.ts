import { describe, expect, it } from "vitest";
import { addedPhrases, lostNouns, nounsOf, withoutPhrases } from "../../src/core/prompt-diff.js";

describe("added phrases", () => {
  const prompt = "A cat in the rain";
  const rewrite = "A cat in the rain by night, highly detailed, 8 k, sharp focus";

  it("are the runs between commas, with their offsets", () => {
    const phrases = addedPhrases(prompt, rewrite);
    expect(phrases.map(({ text }) => text)).toEqual(["by night", "highly detailed", "8 k", "sharp focus"]);
    for (const { text, start, end } of phrases) expect(rewrite.slice(start, end)).toBe(text);
  });

  it("go without leaving commas or double spaces", () => {
    const phrases = addedPhrases(prompt, rewrite);
    expect(withoutPhrases(rewrite, [phrases[0]!, phrases[2]!])).toBe(
      "A cat in the rain, highly detailed, sharp focus",
    );
    expect(withoutPhrases(rewrite, phrases)).toBe(prompt);
    expect(withoutPhrases(rewrite, [])).toBe(rewrite);
  });

  it("are none where nothing was added", () => expect(addedPhrases(prompt, "A cat")).toEqual([]));
});

describe("lost nouns", () => {
  it.each([
    ["a red fox wearing boots", "a red fox, highly detailed", ["boots"]],
    ["two mountains", "a mountain, sharp focus", []],
    ["A cat in the rain", "portrait of a dog", ["cat", "rain"]],
    ["Fear", "a beautiful sunset", ["fear"]],
    ["Fear", "Fear, oil on canvas", []],
    ["A cat, a cat", "a dog", ["cat"]],
  ])("%j to %j: %j", (prompt, rewrite, lost) => expect(lostNouns(prompt, rewrite)).toEqual(lost));
});

describe("nouns", () => {
  it.each([
    ["Two cats in the rain", ["cat", "rain"]],
    ["A fantasy castle, a castle of ice", ["fantasy", "castle", "ice"]],
    ["Fear", ["fear"]],
    ["", []],
  ])("of %j are %j", (prompt, nouns) => {
    expect(nounsOf(prompt)).toEqual(nouns);
  });

  it("are not looked for in a text that would hold the thread", () => {
    expect(nounsOf("a cat and ".repeat(100))).toEqual([]);
  });
});
