import { describe, expect, it } from "vitest";
import { type ErrorCode, InputError } from "../../src/core/errors.js";
import { cleanPrompt, isLongerThan } from "../../src/prompt-files/clean-prompt.js";
import { parsePromptFile } from "../../src/prompt-files/prompt-file.js";

const LIMITS = { maxBytes: 262_144, maxPrompts: 50, maxPromptLength: 100 };

const parse = (content: string | Uint8Array, name = "prompts.txt", limits = LIMITS) =>
  parsePromptFile(typeof content === "string" ? Buffer.from(content, "utf8") : content, name, limits);
/** The prompts without where they stand. */
const read = (content: string | Uint8Array, name?: string, limits = LIMITS) =>
  parse(content, name, limits).pairs.map(({ at: _, ...pair }) => pair);
/** What is left out, as `3: the prompt is empty`. */
const leftOut = (content: string | Uint8Array, name?: string) =>
  parse(content, name).notes.leftOut.flatMap(({ problem, numbers }) =>
    numbers.map((at) => `${at}: ${problem}`),
  );
const prompts = (content: string | Uint8Array, name?: string) =>
  read(content, name).map((pair) => pair.prompt);

function refusal(content: string | Uint8Array, name?: string, limits = LIMITS): InputError {
  try {
    read(content, name, limits);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error("the file was accepted");
}

function utf16be(text: string): Buffer {
  return Buffer.from(`\uFEFF${text}`, "utf16le").swap16();
}

describe("text files", () => {
  it("hold one prompt a line, with any line ends, blanks and byte order mark", () => {
    expect(read("\uFEFFa cat\r\n\r\n  a dog \t\n\na fox\rthe sea")).toEqual([
      { prompt: "a cat", optimized: null },
      { prompt: "a dog", optimized: null },
      { prompt: "a fox", optimized: null },
      { prompt: "the sea", optimized: null },
    ]);
  });

  it.each([
    ["UTF-8", Buffer.from("Žluťoučký kůň 🐎\n猫")],
    ["UTF-16 LE with its mark", Buffer.from("\uFEFFŽluťoučký kůň 🐎\n猫", "utf16le")],
    ["UTF-16 BE with its mark", utf16be("Žluťoučký kůň 🐎\n猫")],
  ])("are read as %s", (_name, bytes) => {
    expect(prompts(bytes)).toEqual(["Žluťoučký kůň 🐎", "猫"]);
  });

  it.each<[string, Uint8Array, string]>([
    [
      "an encoding that no one can tell",
      Buffer.from("a cat\n\x81\x8d\xff\n", "latin1"),
      "Line 2 is not UTF-8. Save the file as UTF-8.",
    ],
    ["UTF-32", Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), "UTF-32"],
    ["half a UTF-16 character", Buffer.from("\uFEFFab\ud83d", "utf16le"), "goes on as something else"],
  ])("in %s are refused", (_name, bytes, sentence) => {
    const error = refusal(bytes);
    expect(error.code).toBe("FILE_ENCODING");
    expect(error.message).toContain(sentence);
  });

  it("names the line that is too long, and counts characters rather than code units", () => {
    const error = refusal(`\n${"x".repeat(101)}`);
    expect(error.code).toBe("INPUT_TOO_LONG");
    expect(error.message).toBe("Line 2 is longer than 100 characters; shorten it.");
    expect(error.context).toEqual({ unit: "line", number: 2, limit: 100 });
    expect(prompts(`short\n${"x".repeat(101)}\nalso short`)).toEqual(["short", "also short"]);
    expect(leftOut(`short\n${"x".repeat(101)}\nalso short`)).toEqual(["2: longer than 100 characters"]);
    expect(prompts("🐎".repeat(100))).toEqual(["🐎".repeat(100)]);
    expect(refusal("🐎".repeat(101)).code).toBe("INPUT_TOO_LONG");
  });

  it("over the limits are refused, or their first prompts read, quickly", () => {
    for (const [name, content, more] of [
      ["a.txt", "a cat\n".repeat(10_000), 9_950],
      ["a.csv", "a\n".repeat(51), 1],
      ["a.jsonl", '"a"\n'.repeat(52), 2],
      ["a.json", JSON.stringify(Array(51).fill("a")), 1],
    ] as const) {
      const { pairs, notes } = parse(content, name);
      expect([pairs.length, notes.more]).toEqual([50, more]);
    }
    for (const [name, content] of [
      ["a.txt", "a\n".repeat(50)],
      ["a.csv", `prompt\n${"a\n".repeat(50)}`],
      ["a.csv", "a\n".repeat(50)],
      ["a.json", JSON.stringify(Array(50).fill("a"))],
    ] as const) {
      expect(prompts(content, name)).toHaveLength(50);
    }
    const mebibyte = 2 ** 20;
    const roomy = { ...LIMITS, maxBytes: mebibyte };
    const started = process.cpuUsage();
    expect(refusal("x".repeat(mebibyte), "a.txt", roomy).code).toBe("INPUT_TOO_LONG");
    expect(refusal("[".repeat(mebibyte), "a.json", roomy).code).toBe("FILE_SHAPE");
    expect(refusal("[".repeat(mebibyte / 2) + "]".repeat(mebibyte / 2), "a.json", roomy).code).toBe(
      "FILE_SHAPE",
    );
    expect(refusal(`"${"x".repeat(mebibyte - 1)}`, "a.csv", roomy).code).toBe("INPUT_TOO_LONG");
    expect(refusal(`x,y\n${'"\n'.repeat(mebibyte / 2 - 2)}`, "a.csv", roomy).code).toBe("FILE_SHAPE");
    expect(parse("a\n".repeat(mebibyte / 2), "a.csv", roomy).notes.more).toBe(10_000);
    expect(refusal("\n".repeat(mebibyte), "a.txt", roomy).code).toBe("FILE_EMPTY");
    const { user, system } = process.cpuUsage(started);
    expect((user + system) / 1000).toBeLessThan(2000);
  });
});

describe("a file that is not a list of prompts", () => {
  it.each<[string, Uint8Array, string]>([
    ["a PNG", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]), "PNG picture"],
    ["a JPEG", Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0x10]), "JPEG picture"],
    ["a spreadsheet", Buffer.from([0x50, 0x4b, 0x03, 0x04, 0x14]), "zip archive or office document"],
    ["a PDF", Buffer.from("%PDF-1.7 text only"), "PDF document"],
    ["zeros in text", Buffer.from("a cat\0 a dog"), "binary file"],
    ["zeros in UTF-16", Buffer.from("\uFEFFa\0b", "utf16le"), "binary file"],
  ])("%s is told from text by its bytes, not by its name", (_name, bytes, kind) => {
    for (const name of ["prompts.txt", "prompts.json", "prompts.csv"]) {
      const error = refusal(bytes, name);
      expect([error.code, error.context]).toEqual(["FILE_BINARY", { kind }]);
    }
  });

  it.each<[string, string, ErrorCode]>([
    ["prompts.md", "a cat", "FILE_TYPE"],
    ["prompts", "a cat", "FILE_TYPE"],
    ["prompts.txt", "", "FILE_EMPTY"],
    ["prompts.txt", " \n\t\n", "FILE_EMPTY"],
    ["prompts.json", "", "FILE_EMPTY"],
    ["prompts.json", "[]", "FILE_EMPTY"],
    ["prompts.csv", "", "FILE_EMPTY"],
    ["prompts.csv", "prompt\n", "FILE_EMPTY"],
  ])("%s holding %j is refused with %s", (name, content, code) => {
    expect(refusal(content, name).code).toBe(code);
  });

  it("is refused with both sizes if it has too many bytes", () => {
    const error = refusal("a cat", "a.txt", { ...LIMITS, maxBytes: 4 });
    expect([error.code, error.context]).toEqual(["FILE_TOO_BIG", { limit: 4, found: 5 }]);
  });
});

describe("JSON files", () => {
  it("hold texts, pairs, or both; an empty rewrite counts as missing", () => {
    const list = [
      "a cat",
      { original: "a dog", optimized: "a dog, highly detailed" },
      { original: "a fox", optimized: null },
      { original: "a bee", optimized: "  " },
      { prompt: "a bat", id: 7 },
    ];
    expect(read(JSON.stringify(list), "PROMPTS.JSON")).toEqual([
      { prompt: "a cat", optimized: null },
      { prompt: "a dog", optimized: "a dog, highly detailed" },
      { prompt: "a fox", optimized: null },
      { prompt: "a bee", optimized: null },
      { prompt: "a bat", optimized: null },
    ]);
  });

  it.each([
    ['["a"\n"b"]', "not valid JSON (line 2)"],
    ['["a",', "not valid JSON. Write a list"],
    ["a cat", "not valid JSON. Write a list"],
    ['{"name": "a"}', "JSON, but not a list"],
    ['"a cat"', "JSON, but not a list"],
    ['[3, ""]', "Entry 1: neither a text nor an object with `original`"],
    ["[[[[[[[[[[[1]]]]]]]]]]]", "Entry 1: neither"],
    ["[null, 1]", "Entry 1: neither"],
    ['[{"original": "a", "optimized": 1}]', "Entry 1: `optimized` is not a text"],
    ['[{"name": "a"}]', "Entry 1: `original` is missing or not a text"],
    ['["", "  "]', "Entry 1: the prompt is empty"],
    ['[{"original": " ", "optimized": "b"}]', "Entry 1: the prompt is empty"],
  ])("%s: %s", (content, sentence) => {
    const error = refusal(content, "a.json");
    expect(error.code).toBe("FILE_SHAPE");
    expect(error.message).toContain(sentence);
  });

  it("allow a rewrite twice as long as a prompt, and no longer", () => {
    const pair = (length: number) => JSON.stringify([{ original: "a", optimized: "x".repeat(length) }]);
    expect(read(pair(200), "a.json")[0]?.optimized).toHaveLength(200);
    expect(refusal(pair(201), "a.json").context).toEqual({ unit: "entry", number: 1, limit: 200 });
  });

  it("may safely hold keys of the prototype", () => {
    expect(prompts('[{"__proto__": {"optimized": "x"}, "original": "a"}]', "a.json")).toEqual(["a"]);
  });
});

describe("CSV files", () => {
  it.each<[string, string, [string, string | null][]]>([
    [
      "a prompt column",
      "id,Prompt\n1,a cat\n\n2,a dog\n",
      [
        ["a cat", null],
        ["a dog", null],
      ],
    ],
    [
      "pairs",
      'original,optimized\n"a cat, wet","a cat, wet, detailed"\na dog,\n',
      [
        ["a cat, wet", "a cat, wet, detailed"],
        ["a dog", null],
      ],
    ],
    [
      "one column without a header",
      'a cat\n"a dog, big"\n',
      [
        ["a cat", null],
        ["a dog, big", null],
      ],
    ],
    [
      "quotes inside a value",
      'prompt\nportrait of "the king"\n"say ""hi"""\n',
      [
        ['portrait of "the king"', null],
        ['say "hi"', null],
      ],
    ],
    ["semicolons", '"optimized";"original"\r\n"b, c";"a, b"\r\n', [["a, b", "b, c"]]],
    ["tabs", "prompt\tnote\na, b\tx\n", [["a, b", null]]],
    ["a byte order mark", "\uFEFFprompt\na cat", [["a cat", null]]],
    ["a line break inside quotes", 'prompt\n"a cat\nin rain"\n', [["a cat in rain", null]]],
    ["a row that is cut short", "prompt,optimized\na cat\n", [["a cat", null]]],
  ])("with %s", (_name, content, expected) => {
    expect(read(content, "a.csv").map(({ prompt, optimized }) => [prompt, optimized])).toEqual(expected);
  });

  it.each([
    ["theme,style\na cat,oil\n", "Line 1: there are 2 columns and none is named `prompt`"],
    ["prompt,seed\nb, c, d\n", "Line 2: there are 3 columns instead of 2"],
    ["prompt,optimized\n,c\n", "Line 2: the prompt is empty"],
  ])("%j: %s", (content, sentence) => {
    const error = refusal(content, "a.csv");
    expect(error.code).toBe("FILE_SHAPE");
    expect(error.message).toContain(sentence);
  });
});

describe("cleanPrompt", () => {
  it("keeps the words and drops invisible characters", () => {
    expect(cleanPrompt(" \u0007a  cat\r\nin\tthe\u202E rain\ud83d\uFEFF 🐎 ")).toBe("a  cat in the rain 🐎");
    expect(cleanPrompt("\u0000\n \u2028")).toBe("");
  });
});

describe("isLongerThan", () => {
  it.each([
    ["abc", 3, false],
    ["abcd", 3, true],
    ["🐎🐎🐎", 3, false],
    ["🐎🐎🐎🐎", 3, true],
  ])("%s, %d: %s", (text, limit, expected) => {
    expect(isLongerThan(text, limit)).toBe(expected);
  });
});

describe("JSON lines", () => {
  const limits = { maxBytes: 10_000, maxPrompts: 3, maxPromptLength: 100 };
  const parse = (text: string) => parsePromptFile(Buffer.from(text), "prompts.jsonl", limits);
  const read = (text: string) => parse(text).pairs.map(({ at: _, ...pair }) => pair);

  it("hold texts and pairs, one a line; empty lines are skipped", () => {
    expect(
      read('"a cat"\n\n{"original":"a dog","optimized":"a dog, sharp"}\r\n{"prompt":"a fox"}\n'),
    ).toEqual([
      { prompt: "a cat", optimized: null },
      { prompt: "a dog", optimized: "a dog, sharp" },
      { prompt: "a fox", optimized: null },
    ]);
  });

  it("are read without the line that is not JSON, and up to the limit", () => {
    expect(() => read('\n{"prompt":')).toThrow(/Line 2: not valid JSON/);
    const { pairs, notes } = parse('"a cat"\n{"prompt":\n"a dog"');
    expect(pairs.map(({ prompt }) => prompt)).toEqual(["a cat", "a dog"]);
    expect(notes.leftOut).toEqual([{ problem: "not valid JSON", unit: "line", numbers: [2], count: 1 }]);
    expect(parse('"a"\n"b"\n"c"\n"d"').notes.more).toBe(1);
  });
});
