import { expect, it } from "vitest";
import { typedPrompt } from "../../src/cli/parts/prompt.js";

const TEXT = "a cat\nNegative prompt: ugly\nSteps: 25, Sampler: Euler a, Seed: 99, Clip skip: 2";

it("takes settings from the text, except those that the command line gives, and says what it can't use", () => {
  const said: string[] = [];
  const output = { say: (line: string) => void said.push(line) };
  expect(typedPrompt(TEXT, output, (option) => option === "steps")).toEqual({
    prompt: "a cat",
    image: { speed: "full", scheduler: "euler-ancestral", negative: "ugly", seed: 99 },
  });
  expect(said).toEqual(["Of the prompt, `Clip skip` is not read."]);
  expect(typedPrompt(" a cat ", output, () => false)).toEqual({ prompt: " a cat ", image: {} });
});

it("refuses a text without a prompt, and settings out of range", () => {
  const read = (text: string) => typedPrompt(text, { say: () => {} }, () => false);
  expect(() => read("/imagine ")).toThrow("The prompt is empty");
  expect(() => read("a cat --steps 5000")).toThrow("The option steps takes");
});
