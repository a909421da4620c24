import { describe, expect, it } from "vitest";
import {
  addedPhrases,
  diffMarkdown,
  lostNouns,
  withoutPhrases,
} from "../../../src/bot/messages/prompt-diff.js";

describe("the difference of a prompt and its rewrite", () => {
  it.each([
    ["A cat", "A cat, highly detailed", "A cat**, highly detailed**"],
    ["A cat in the rain", "A dog in rain", "A ~~cat~~ **dog** in ~~the~~ rain"],
    ["A cat", "A cat", "A cat"],
    ["", "A cat", "**A cat**"],
    ["A *cat* @everyone", "A *cat* @everyone <@1>", "A \\*cat\\* \\@everyone **\\<\\@1\\>**"],
    ["- a list", "- a list", "\\- a list"],
  ])("%j to %j", (prompt, rewrite, markdown) => {
    expect(diffMarkdown(prompt, rewrite, 500)).toBe(markdown);
  });

  it("is cut between words and closes its marks", () => {
    const text = diffMarkdown("A cat", `A cat, ${"very detailed ".repeat(50)}`, 100);
    expect(text.length).toBeLessThanOrEqual(100);
    expect(text.endsWith("…")).toBe(true);
    expect(text).toMatch(/^A cat\*\*, (very detailed )+very( detailed)?\*\*…$/);
  });
});

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
