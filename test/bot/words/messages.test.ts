import { describe, expect, it } from "vitest";
import { clip, codeBlock } from "../../../src/bot/discord/markdown.js";
import { cancelRow, decodeCustomId, encodeCustomId } from "../../../src/bot/messages/components.js";
import { bar, fractionDone } from "../../../src/bot/messages/status-message.js";
import { errorSentence } from "../../../src/bot/words/errors.js";
import { formatBytes, formatDuration } from "../../../src/bot/words/parts.js";
import { noteLine } from "../../../src/bot/words/result.js";
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

describe("a person's text", () => {
  it("is cut between characters", () => {
    expect(clip("abcdef", 6)).toBe("abcdef");
    expect(clip("abcdefg", 6)).toBe("abcde…");
    expect(clip("abcd🐎g", 6)).toBe("abcd…");
  });

  it("cannot leave its code block", () => {
    const block = codeBlock("```js\n@everyone` `` ````", 100);
    expect(block.slice(4, -4)).not.toContain("``");
    expect(block.startsWith("```\n") && block.endsWith("\n```")).toBe(true);
    expect(codeBlock("x".repeat(500), 100)).toHaveLength(100);
  });

  it("stays code in a note", () => {
    expect(noteLine({ code: "truncated", side: "optimized", words: "a ` b" })).toContain("`a ' b`");
  });
});

describe("numbers", () => {
  it.each([
    [12, "12 ms"],
    [12_345, "12.3 s"],
    [185_000, "3 min 5 s"],
    [119_600, "2 min 0 s"],
  ])("%d ms is %s", (ms, expected) => expect(formatDuration(ms)).toBe(expected));

  it.each([
    [100, "100 bytes"],
    [1536, "1.5 KiB"],
    [10 * 1024 ** 2, "10 MiB"],
  ])("%d bytes is %s", (bytes, expected) => expect(formatBytes(bytes)).toBe(expected));

  it.each([
    [0, "▱▱▱▱▱▱▱▱▱▱ 0 %"],
    [0.31, "▰▰▰▱▱▱▱▱▱▱ 31 %"],
    [0.999, "▰▰▰▰▰▰▰▰▰▱ 99 %"],
    [1, "▰▰▰▰▰▰▰▰▰▰ 100 %"],
  ])("%d as a bar", (fraction, expected) => expect(bar(fraction)).toBe(expected));

  it.each([
    ["rewrite", 31, 62, 0, 1, 0.5],
    ["rewrite", 10, 20, 1, 2, 0.75],
    ["baseline", 51, 51, 0, 1, 0.5],
    ["optimized", 0, 51, 0, 1, 0.5],
    ["optimized", 51, 51, 6, 7, 1],
    ["baseline", 0, 0, 0, 0, 0],
  ] as const)("of %s, step %d of %d, item %d of %d: %d", (making, step, steps, item, items, expected) => {
    const phase = making === "rewrite" ? "text" : "image";
    expect(fractionDone({ jobId: "a", phase, making, step, steps, item, items })).toBeCloseTo(expected);
  });
});

describe("custom ids", () => {
  it("carry the verb and the job", () => {
    const jobId = "n98q4nt4g9h5";
    expect(decodeCustomId(encodeCustomId("cancel", jobId))).toEqual({
      verb: "cancel",
      jobId,
      argument: null,
    });
    expect(decodeCustomId(encodeCustomId("vote", jobId, "tie"))).toEqual({
      verb: "vote",
      jobId,
      argument: "tie",
    });
    expect(cancelRow("n98q4nt4g9h5", false).components[0]).toMatchObject({
      custom_id: "cancel:n98q4nt4g9h5",
      disabled: true,
    });
  });

  it.each([
    "",
    "cancel",
    "cancel:",
    "cancel:a:b",
    "cancel:a b",
    "erase:abc",
    "vote:abc",
    "vote:abc:both",
    "constructor:abc",
    "cancel:../../etc",
    "cancel:a\n",
    `cancel:${"a".repeat(65)}`,
  ])("%j is not ours", (customId) => expect(decodeCustomId(customId)).toBeNull());
});
