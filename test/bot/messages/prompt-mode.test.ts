import { describe, expect, it } from "vitest";
import { textOfResult } from "../../../src/bot/messages/own-result.js";
import { marksLines, modeLines } from "../../../src/bot/messages/parts/prompt-mode.js";
import { english } from "../../../src/bot/words/english/english.js";
import type { Item, ItemNote, Job } from "../../../src/core/job.js";
import { DEFAULT_IMAGE_OPTIONS, type ImageOptions } from "../../../src/core/options.js";

const image: ImageOptions = { ...DEFAULT_IMAGE_OPTIONS, guidance: 7, seed: 1 };
const itemOf = (prompt: string, notes: ItemNote[] = []) => ({ prompt, notes, seed: 1 }) as unknown as Item;
const jobOf = (changes: Partial<ImageOptions> = {}, kind = "compare") =>
  ({ kind, image: { ...image, ...changes } }) as Job;
const CUT: ItemNote = { code: "truncated", side: "baseline", words: "rain" };

describe("modeLines", () => {
  it.each([
    ["a marked prompt", jobOf(), itemOf("a (cat:1.2)"), /^`\(word:1\.3\)`.* are read as plain text here\./],
    ["a marked negative prompt", jobOf({ negative: "[dog]" }), itemOf("a cat"), /plain text here/],
    [
      "another program's marks",
      jobOf({ prompts: "weighted" }),
      itemOf("a [cat|dog]"),
      /have no meaning here/,
    ],
    ["a cut prompt", jobOf(), itemOf("a cat", [CUT]), /reads long prompts to their end/],
  ])("tell of %s", (_, job, item, line) => {
    expect(modeLines(job, item, english)).toEqual([expect.stringMatching(line)]);
  });

  it.each([
    ["weighted prompts", jobOf({ prompts: "weighted" }), itemOf("a (cat:1.2)", [CUT])],
    ["plain prompts", jobOf(), itemOf("a (black) cat")],
    ["a negative prompt that is not used", jobOf({ negative: "[dog]" }, "optimize"), itemOf("a cat")],
  ])("are none for %s", (_, job, item) => expect(modeLines(job, item, english)).toEqual([]));

  it("are none for a job from before there was a choice, unless it has marks", () => {
    const { prompts: _, ...old } = image;
    expect(modeLines({ kind: "compare", image: old } as Job, itemOf("a cat"), english)).toEqual([]);
    expect(modeLines({ kind: "compare", image: old } as Job, itemOf("a [cat]"), english)).toHaveLength(1);
  });
});

it("marksLines names the prompts of a batch that are marked, each read in its own way", () => {
  const items = [
    { prompt: "a (cat:1.2)" },
    { prompt: "a [dog]", image: { prompts: "weighted" } as const },
    { prompt: "a cat" },
    { prompt: "a cat", image: { negative: "a BREAK b" } },
  ];
  expect(marksLines(items, image, english)).toEqual([
    expect.stringContaining("plain text in prompts 1 and 4."),
  ]);
  expect(marksLines(items, { ...image, prompts: "weighted" }, english)).toEqual([]);
});

it("a result's own text tells how its prompt was read", () => {
  const description = "**Prompt**```\na (cat:1.2)\n```\n-# seed 5 · weighted prompts · 2 s";
  expect(JSON.parse(textOfResult(description)!)).toMatchObject({
    prompt: "a (cat:1.2)",
    settings: { seed: "5", prompt_mode: "weighted" },
  });
});
