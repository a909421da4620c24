import { expect, it } from "vitest";
import { readOnePrompt } from "../../src/prompt-files/one-prompt.js";

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
