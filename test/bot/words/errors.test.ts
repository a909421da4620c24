import { describe, expect, it } from "vitest";
import { errorSentence } from "../../../src/bot/words/errors.js";
import { InputError } from "../../../src/core/errors.js";
import { parsePromptFile } from "../../../src/prompt-files/prompt-file.js";

describe("errorSentence", () => {
  it.each([
    [
      "INPUT_TOO_LONG",
      { limit: 1000 },
      "The prompt is longer than 1,000 characters. Shorten it and try again.",
    ],
    [
      "INPUT_TOO_LONG",
      { unit: "line", number: 7, limit: 9 },
      "Line 7 of the file is longer than 9 characters.",
    ],
    ["FILE_TOO_BIG", { limit: 1_048_576 }, "The file is larger than 1 MiB."],
    ["FILE_TOO_MANY", { limit: 100 }, "The file holds more than 100 prompts."],
    ["INPUT_OPTION", { option: "steps", expected: "a number" }, "The option `steps` takes a number."],
    ["OUT_OF_MEMORY", {}, "not enough memory"],
  ])("%s %j", (code, context, part) => {
    expect(errorSentence(code, context)).toContain(part);
  });

  it.each(["NO_SUCH_CODE", "toString", "__proto__"])(
    "reads the unknown code %s as an internal error",
    (code) => {
      expect(errorSentence(code)).toBe(errorSentence("INTERNAL"));
    },
  );

  it.each([
    ['["a" "b"]', "a.json", "Line 1 of the file is not valid JSON."],
    ["{}", "a.json", "The file is JSON, but not a list."],
    ["[1]", "a.json", "Entry 1 of the file: neither a text nor an object"],
    ["a\nb,c", "a.csv", "Line 2 of the file: there are 2 columns instead of 1."],
    ["a\n\xff", "a.txt", "Line 2 of the file is not UTF-8 text."],
  ])("has what parsePromptFile knows about %j", (content, name, sentence) => {
    const limits = { maxBytes: 100, maxPrompts: 5, maxPromptLength: 50 };
    try {
      parsePromptFile(Buffer.from(content, "latin1"), name, limits);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      expect(errorSentence(error.code, error.context)).toContain(sentence);
      expect(errorSentence(error.code, error.context)).not.toMatch(/undefined|NaN/);
    }
  });
});
