import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration, numbered } from "../../../src/bot/words/english/parts.js";

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
});

it.each([
  [[2], "prompt 2"],
  [[2, 1003], "prompts 2 and 1,003"],
  [Array.from({ length: 12 }, (_, i) => i + 1), "prompts 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"],
])("names prompts by their numbers: %j", (prompts, words) => {
  expect(numbered(prompts)).toBe(words);
});
