import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  EMPHASIS_MAX,
  hasForeignMarks,
  readEmphasis,
  readWords,
  withMarks,
  withoutMarks,
} from "../../src/core/emphasis.js";

interface Parsed {
  readonly prompt: string;
  readonly fragments: readonly (readonly [text: string, weight: number])[];
}
const { parsed }: { parsed: Parsed[] } = JSON.parse(
  readFileSync(new URL("../golden/weighted/cases.json", import.meta.url), "utf8"),
);

/** The fragments as the reference lists them: a BREAK is one of its own, and empty texts do not count. */
const fragmentsOf = (prompt: string) =>
  readEmphasis(prompt).parts.flatMap((part, i) => [
    ...(i === 0 ? [] : [["BREAK", -1] as const]),
    ...part.map(({ text, weight }) => [text, weight] as const),
  ]);

describe("readEmphasis", () => {
  it.each(parsed)("reads $prompt as AUTOMATIC1111 does", ({ prompt, fragments }) => {
    const expected = fragments.filter(([text]) => text !== "");
    const found = fragmentsOf(prompt);
    expect(found.map(([text]) => text)).toEqual(expected.map(([text]) => text));
    for (const [i, [, weight]] of found.entries()) expect(weight).toBeCloseTo(expected[i]![1], 10);
  });

  it("takes a BREAK inside brackets for one, and a weight that is no number for text", () => {
    expect(fragmentsOf("(a BREAK b:1.2)")).toEqual([
      ["a", 1.2],
      ["BREAK", -1],
      ["b", 1.2],
    ]);
    expect(fragmentsOf("(a:1.2.3)")).toEqual([["a:1.2.3", 1.1]]);
  });

  it("bounds weights", () => {
    expect(fragmentsOf("(a:99999999999999999999)")).toEqual([["a", EMPHASIS_MAX]]);
    expect(fragmentsOf("(a:-1e9) (b:-999)").at(-1)).toEqual(["b", -EMPHASIS_MAX]);
  });

  it.each([
    ["a (red:1.3) cat", true],
    ["a [red] cat", true],
    ["a ((red)) cat", true],
    ["a cat BREAK a dog", true],
    ["hakurei \\(touhou\\)", true],
    ["a cat (black) in 16:9", false],
    ["a BREAKFAST, [] and :)", false],
    ["1.3) (", false],
  ])("tells of %s whether it is marked", (prompt, isMarked) => {
    expect(readEmphasis(prompt).isMarked).toBe(isMarked);
  });
});

describe("hasForeignMarks", () => {
  it.each([
    ["a cat <hypernet:style:0.8>", true],
    ["a cat AND a dog", true],
    ["a [cat|dog]", true],
    ["a [cat:dog:0.5]", true],
    ["a [cat:0.5]", true],
    ["a [cat], (dog:1.2) BREAK BRAND <3", false],
    ["a \\[cat|dog\\]", false],
  ])("of %s", (prompt, has) => expect(hasForeignMarks(prompt)).toBe(has));

  it("are looked for in linear time", () => {
    for (const piece of ["[", "[a:", "[a|", "<hypernet:", "[:", " AND"]) {
      const started = performance.now();
      hasForeignMarks(piece.repeat(50_000));
      expect(performance.now() - started, piece).toBeLessThan(5000);
    }
  });
});

/** Repeatable random texts of marks, words and everything between. */
function* randomTexts(count: number): Generator<string> {
  const pieces = [
    "(",
    ")",
    "[",
    "]",
    "\\",
    ":",
    "1.3",
    ":1.3)",
    ":.",
    "BREAK",
    " ",
    ",",
    "cat",
    "é",
    "😀",
    "\n",
    "İ",
  ];
  let state = 7;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let i = 0; i < count; i++)
    yield Array.from({ length: next(40) }, () => pieces[next(pieces.length)]).join("");
}

describe("any text", () => {
  it("is read without throwing, every letter of it at most once, with finite weights", () => {
    for (const text of randomTexts(5000)) {
      const fragments = readEmphasis(text).parts.flat();
      expect(fragments.every(({ weight }) => Number.isFinite(weight))).toBe(true);
      expect(fragments.reduce((sum, fragment) => sum + fragment.text.length, 0)).toBeLessThanOrEqual(
        text.length,
      );
    }
  });

  it("keeps its weights where a rewrite adds words, which have none", () => {
    for (const text of randomTexts(3000)) {
      const plain = withoutMarks(text);
      if (plain === "" || /[\\İ]/u.test(plain)) continue;
      const marked = withMarks(text, `${plain}, by (x:2) [y] BREAK \\z`);
      const before = readEmphasis(text.trim()).parts.flat();
      const after = readEmphasis(marked).parts.flat();
      const weigh = (fragments: typeof before) =>
        fragments.flatMap(({ text, weight }) =>
          [...text.replace(/\s/gu, "")].map((letter) => [letter, weight]),
        );
      const [own, all] = [weigh(before), weigh(after)];
      expect(all.slice(0, own.length), text).toEqual(own);
      expect(all.slice(own.length), text).toEqual(
        [...("," + "by(x:2)[y]break\\z")].map((letter) => [letter, 1]),
      );
    }
  });

  it("takes time in proportion to its length", () => {
    const time = (text: string) => {
      const started = performance.now();
      withMarks(text, `${withoutMarks(text)}, x`);
      return performance.now() - started;
    };
    for (const piece of ["(", "[", "(a", ")", "(a:1.1)", ": ", ":1", " ", "BREAK ", "\\", "(a:1 "]) {
      time(piece.repeat(1000));
      // Quadratic work on 200,000 letters would take minutes.
      expect(time(piece.repeat(200_000 / piece.length)), piece).toBeLessThan(5000);
    }
  });
});

describe("withoutMarks", () => {
  it.each([
    ["a (red:1.3) cat in the [rain]", "a red cat in the rain"],
    ["a cat BREAK a dog, BREAK rain", "a cat, a dog, rain"],
    ["hakurei \\(touhou\\)", "hakurei (touhou)"],
    ["a cat", "a cat"],
    ["(:1.2)", ""],
  ])("of %s is %s", (prompt, plain) => expect(withoutMarks(prompt)).toBe(plain));

  it("is what is read of a weighted prompt, unless nothing is left", () => {
    expect(readWords("a (cat:1.3)", "weighted")).toBe("a cat");
    expect(readWords("a (cat:1.3)", "diffusers")).toBe("a (cat:1.3)");
    expect(readWords("(:1.2)", "weighted")).toBe("(:1.2)");
  });
});

describe("withMarks", () => {
  it.each([
    [
      "puts what was added behind the marked prompt",
      "a (red:1.3) cat",
      "a red cat, oil painting",
      "a (red:1.3) cat, oil painting",
    ],
    ["sees neither case nor spaces", "a (Red:1.3)  cat", "A red cat by X", "a (Red:1.3)  cat by X"],
    ["takes brackets of the rewrite for text", "a cat", "a cat, (art)", "a cat, \\(art\\)"],
    ["closes brackets before it", "a [(cat", "a cat, art", "a [(cat)], art"],
    ["leaves a prompt that was not rewritten", "a (red:1.3) cat", "a red cat", "a (red:1.3) cat"],
    [
      "weighs the phrases that a changed rewrite still has",
      "a (red cat, old hat:1.3) [rain]",
      "the red cat in rain, art",
      "the (red cat:1.3) in (rain:0.9091), art",
    ],
    ["does not weigh parts of words", "a (cat:1.3)", "the category", "the category"],
    [
      "does not take a longer word for the prompt's",
      "a (cat:1.3)",
      "a category of (x)",
      "a category of \\(x\\)",
    ],
  ])("%s", (_, prompt, rewrite, marked) => expect(withMarks(prompt, rewrite)).toBe(marked));
});
