import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { PromptWindow, readPrompt, withUnread } from "../../../src/inference/promptist/prompt-window.js";
import { Gpt2Tokenizer } from "../../../src/inference/tokenizers/tokenizer.js";

const directory = fileURLToPath(new URL("../../../checkpoints/miniature/promptist", import.meta.url));
const tokenizer = Gpt2Tokenizer.open(directory);
const tokensOf = (text: string) => tokenizer.encode(`${text} Rephrase:`).length;
const POSITIONS = 256;
const ROOM = POSITIONS - 75;

const words = "an old lighthouse on a cliff above the sea at night with a boat and a storm";
const long = {
  phrases: Array.from({ length: 64 }, (_, i) => `a cat and ${i} boats`).join(", "),
  sentences: "A knight rides to the old castle. ".repeat(40).trim(),
  words: `${words} `.repeat(12).trim(),
  "one word": "lighthouse".repeat(60),
  digits: "1234567890".repeat(60),
  chinese: "在雨中的一只猫，油画，".repeat(30),
  "chinese without marks": "在雨中的一只猫油画".repeat(30),
  emoji: "👩🏽‍🚀🐎".repeat(100),
  spaces: `a${" ".repeat(900)}b`,
  "6,000 letters": "A cat, ".repeat(857).trim(),
};

describe("readPrompt", () => {
  it("leaves a prompt that fits as it is, to the last token", () => {
    const exact = Array.from({ length: 400 }, (_, n) => "cat ".repeat(n).trim()).find(
      (text) => tokensOf(text) === ROOM,
    );
    expect(exact).toBeDefined();
    expect(readPrompt(tokenizer, exact!, ROOM)).toEqual({
      ids: tokenizer.encode(`${exact} Rephrase:`),
      text: exact,
      unread: null,
    });
    expect(readPrompt(tokenizer, `${exact} cat`, ROOM)).toMatchObject({ text: exact, unread: "cat" });
  });

  it.each(Object.entries(long))("reads the beginning of a long prompt that fits: %s", (_, prompt) => {
    expect(tokensOf(prompt)).toBeGreaterThan(ROOM);
    const { ids, text, unread } = readPrompt(tokenizer, prompt, ROOM);
    expect(ids).toEqual(tokenizer.encode(`${text} Rephrase:`));
    expect(ids.length).toBeLessThanOrEqual(ROOM);
    expect(ids.length).toBeGreaterThan(prompt === long.spaces ? 2 : ROOM / 3);
    // Nothing is lost but what stood between both parts.
    expect(prompt.startsWith(text)).toBe(true);
    expect(prompt.endsWith(unread!)).toBe(true);
    expect(prompt.slice(text.length, prompt.length - unread!.length)).toMatch(/^[\s,，]*$/);
  });

  it("cuts at the end of a phrase, a sentence or a word, and never within a letter", () => {
    expect(readPrompt(tokenizer, long.phrases, ROOM).text).toMatch(/boats$/);
    expect(readPrompt(tokenizer, long.phrases, ROOM).unread).toMatch(/^a cat/);
    expect(readPrompt(tokenizer, long.sentences, ROOM).text).toMatch(/castle\.$/);
    expect(readPrompt(tokenizer, long.sentences, ROOM).unread).toMatch(/^A knight/);
    expect(words.split(" ")).toContain(readPrompt(tokenizer, long.words, ROOM).unread?.split(" ")[0]);
    expect(readPrompt(tokenizer, long.chinese, ROOM).text).toMatch(/[猫画]$/);
    expect(readPrompt(tokenizer, long.emoji, ROOM).unread).toMatch(/^(👩🏽‍🚀|🐎)/u);
  });

  it.each([0, -256, 1])("reads nothing where there is room for %d tokens", (room) => {
    expect(readPrompt(tokenizer, "A cat", room)).toEqual({ ids: [], text: "", unread: "A cat" });
  });
});

describe("withUnread", () => {
  const read = { ids: [1], text: "a cat", unread: "a dog" };

  it.each([
    ["a cat, oil painting", "a cat, oil painting, a dog"],
    ["a cat, oil painting.", "a cat, oil painting. a dog"],
    ["a cat", "a cat, a dog"],
    ["", "a cat, a dog"],
  ])("puts the rest behind %j", (rewrite, whole) => {
    expect(withUnread("a cat, a dog", read, rewrite)).toBe(whole);
  });

  it("changes no rewrite of a prompt that was read whole", () => {
    expect(withUnread("a cat", { ids: [1], text: "a cat", unread: null }, "")).toBe("");
  });
});

describe("PromptWindow", () => {
  it("agrees with what is read", () => {
    const window = new PromptWindow(directory);
    for (const prompt of [...Object.values(long), words, "a cat", "cat ".repeat(80)]) {
      const { unread } = readPrompt(tokenizer, prompt.trim(), ROOM);
      expect(window.isLonger(prompt, 75)).toBe(unread !== null);
    }
  });
});
