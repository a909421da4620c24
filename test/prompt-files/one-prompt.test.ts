import { expect, it } from "vitest";
import { readOnePrompt } from "../../src/prompt-files/one-prompt.js";
import { parsePromptFile } from "../../src/prompt-files/prompt-file.js";

it.each([
  ["a cat", { prompt: "a cat" }],
  ["  a cat\nin the rain ", { prompt: "  a cat\nin the rain " }],
  ["```\na cat\n```", { prompt: "a cat" }],
  ["`a cat`", { prompt: "a cat" }],
  ["{red|blue} cat", { prompt: "{red|blue} cat" }],
  [
    '{"prompt": "a cat", "settings": {"seed": 5, "size": {"width": 64, "height": 72}}}',
    { prompt: "a cat", seed: 5, image: { size: { width: 64, height: 72 } } },
  ],
  ["Look:\n```\na cat\n```", { prompt: "a cat", unread: ["what is outside the code block is not read"] }],
  [
    "a cat\nSteps: 20\nMade with love",
    { prompt: "a cat", image: { steps: 20 }, unread: ["what follows the settings is not read"] },
  ],
  [
    '{"prompt": "a (cat:1.3)", "settings": {"steps": 6, "prompts": "weighted"}}',
    { prompt: "a (cat:1.3)", image: { steps: 6, prompts: "weighted" } },
  ],
  [
    "a (cat:1.3) --steps 6 --prompts weighted",
    { prompt: "a (cat:1.3)", image: { steps: 6, prompts: "weighted" } },
  ],
  [
    "prompt:a [cat] prompts:weighted steps:6",
    { prompt: "prompt:a [cat]", image: { steps: 6, prompts: "weighted" } },
  ],
  [
    "a [cat]\nSteps: 20, Prompt mode: weighted",
    { prompt: "a [cat]", image: { steps: 20, prompts: "weighted" } },
  ],
  ["/imagine a cat --seed 3", { prompt: "a cat", seed: 3 }],
  [
    "a cat\nin rain\nNegative prompt: ugly,\nblurry\nSteps: 20, Sampler: Nope, Clip skip: 2",
    {
      prompt: "a cat in rain",
      image: { steps: 20, negative: "ugly, blurry" },
      unread: ["`Clip skip` is not read", "`Nope` is not a sampler of ours, so the usual one is taken"],
    },
  ],
])("%j", (text, expected) => {
  expect(readOnePrompt(text)).toEqual({ image: {}, unread: [], ...expected });
});

it("refuses a setting that it can't read", () => {
  expect(() => readOnePrompt("a cat --steps many")).toThrow(
    "In the prompt, `steps` is not a whole number from 0 on.",
  );
});

it.each([
  ["prompt_mode", "weighted", "weighted", []],
  ["prompts", " Weighted", "weighted", []],
  ["emphasis", "diffusers", "diffusers", []],
  ["prompts", "loud", undefined, ["`loud` is no way to read prompts here, so the usual one is taken"]],
])("reads the column %s with %s", (column, value, mode, unread) => {
  const bytes = Buffer.from(`prompt,${column}\na (cat:1.3),${value}\n`);
  const limits = { maxBytes: 1000, maxPrompts: 10, maxPromptLength: 100 };
  const { pairs, notes } = parsePromptFile(bytes, "rows.csv", limits);
  expect(pairs.map(({ prompt, image }) => [prompt, image?.prompts])).toEqual([["a (cat:1.3)", mode]]);
  expect(notes.unread.map(({ problem }) => problem)).toEqual(unread);
});

it("takes a column prompts without another one for the prompts", () => {
  const limits = { maxBytes: 1000, maxPrompts: 10, maxPromptLength: 100 };
  const { pairs } = parsePromptFile(Buffer.from("prompts,steps\na cat,6\n"), "rows.csv", limits);
  expect(pairs).toMatchObject([{ prompt: "a cat", image: { steps: 6 } }]);
});
