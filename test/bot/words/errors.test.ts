import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { adminLines } from "../../../src/bot/words/english/admin.js";
import { errorSentence, sentenceOf } from "../../../src/bot/words/english/errors.js";
import { endSentence } from "../../../src/bot/words/english/result.js";
import { EXPLANATIONS } from "../../../src/cli/parts/explanations.js";
import { DiscordError, InputError } from "../../../src/core/errors.js";
import type { Failure, Job } from "../../../src/core/job.js";
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
    ["prompt,seed\nb,c,d", "a.csv", "Line 2 of the file: there are 3 columns instead of 2."],
    ["a\n\xff\x81", "a.txt", "Line 2 of the file is not UTF-8 text."],
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

/** What a hole in a sentence looks like. */
const HOLE = /NaN|undefined|null|\[object|Infinity|``| {2}| [.,]|function/;
const WHOLE = {
  times: 3,
  axis: "colour",
  example: "steps=10,20,30",
  words: "steps guidance",
  cells: 36,
  unit: "line",
  number: 3,
  limit: 1000,
  option: "steps",
  expected: "a whole number",
  min: 1,
  max: 9,
  multiple: 8,
  size: "512x768",
  word: "blood",
  model: "dreamy",
  kind: "PDF document",
  problem: "json",
  scope: "channel",
  program: "ComfyUI",
  found: 1001,
  value: "x",
  tokens: 9,
  length: 9,
  minutes: 30,
  at: 1_700_000_000,
};
const NAMES = Object.keys(WHOLE);
/** What a value may be instead, from a row of another version. */
const ODD: readonly unknown[] = [undefined, null, Number.NaN, Infinity, "", " ", {}, [], true, () => "x"];
const contexts = [
  {},
  WHOLE,
  { ...WHOLE, unit: "entry", problem: "not a list", scope: "server" },
  ...NAMES.flatMap((name) => [
    { [name]: WHOLE[name as keyof typeof WHOLE] },
    ...ODD.map((value) => ({ ...WHOLE, [name]: value })),
  ]),
  ...ODD.map((value) => Object.fromEntries(NAMES.map((name) => [name, value]))),
] as readonly Failure["context"][];

/** Everything that people read about a failed job, and what the operator reads of its code. */
function surfaces(code: string, context: Failure["context"]): string[] {
  // As it comes back from the row after a restart.
  const failure: Failure = JSON.parse(JSON.stringify({ code, context, detail: "/a/path", at: 1 }));
  const job = { id: "abc", kind: "compare", state: "failed", origin: { userId: "1" } } as Job;
  const stored = { ...job, failures: [failure] };
  return [
    errorSentence(code, context),
    sentenceOf(new InputError(code as never, "internal", context)),
    sentenceOf(new DiscordError("INTERNAL", "outer", { cause: new InputError(code as never, "", context) })),
    sentenceOf(new Error("outer", { cause: new InputError(code as never, "internal", context) })),
    endSentence(stored),
    endSentence({ ...stored, failures: [failure, failure, failure] }),
    adminLines.failed(stored),
    adminLines.failed({ ...stored, failures: [] }),
  ];
}

describe("no sentence has a hole", () => {
  it("is tried with every value that a sentence has", () => {
    const source = readFileSync(new URL("../../../src/bot/words/english/errors.ts", import.meta.url), "utf8");
    const read = [...source.matchAll(/\b(?:c|values)\.(?:text|number|say)\("(\w+)"/g)].map(
      ([, name]) => name,
    );
    expect(new Set(read).size).toBeGreaterThan(8);
    expect(read.filter((name) => !NAMES.includes(name!))).toEqual([]);
  });

  it.each(Object.entries(EXPLANATIONS))("%s", (code, { means, todo }) => {
    for (const context of contexts)
      for (const sentence of surfaces(code, context)) {
        expect(sentence, JSON.stringify(context)).not.toMatch(HOLE);
        expect(sentence).toMatch(/^[A-Z\d`].*\.$/);
      }
    expect(`${means} ${todo}`).not.toMatch(/NaN|undefined|null|\[object/);
  });
});
