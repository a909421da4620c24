import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fileSummary } from "../../src/bot/words/english/batch.js";
import { errorSentence } from "../../src/bot/words/english/errors.js";
import { InputError } from "../../src/core/errors.js";
import {
  type PromptFile,
  type PromptFileLimits,
  parsePromptFile,
} from "../../src/prompt-files/prompt-file.js";
import { makeZip } from "../support/zip.js";
import { hostileText, parameters, report, Timings } from "./support.js";

const LIMITS: PromptFileLimits = { maxBytes: 2 ** 20, maxPrompts: 100, maxPromptLength: 1000 };
/**
 * Files up to this size are read in the bot's own thread, larger ones in another (prompt-files/read-
 * prompts.ts).
 */
const IN_PLACE_BYTES = 16 * 1024;
const BLOCKS_AT_MOST_MS = 100;

const utf32 = (text: string): Buffer =>
  Buffer.concat([...text].map((sign) => Buffer.from(Uint32Array.of(sign.codePointAt(0)!).buffer)));

/** The same text in the encodings of many programs. */
const encoded = fc
  .tuple(
    hostileText,
    fc.constantFrom("utf8", "bom", "utf16le", "utf16le-bom", "utf16be-bom", "latin1", "utf32"),
  )
  .map(([text, encoding]) => {
    const bom = (...head: number[]) => Buffer.from(head);
    switch (encoding) {
      case "bom":
        return Buffer.concat([bom(0xef, 0xbb, 0xbf), Buffer.from(text)]);
      case "utf16le":
        return Buffer.from(text, "utf16le");
      case "utf16le-bom":
        return Buffer.concat([bom(0xff, 0xfe), Buffer.from(text, "utf16le")]);
      case "utf16be-bom":
        return Buffer.concat([bom(0xfe, 0xff), Buffer.from(text, "utf16le").swap16()]);
      case "latin1":
        return Buffer.from(text, "latin1");
      case "utf32":
        return Buffer.concat([bom(0xff, 0xfe, 0, 0), utf32(text)]);
      default:
        return Buffer.from(text);
    }
  });

const value = fc.oneof(
  hostileText,
  fc.jsonValue(),
  fc.record(
    {
      original: fc.oneof(hostileText, fc.jsonValue()),
      optimized: fc.oneof(hostileText, fc.constant(null), fc.jsonValue()),
    },
    { requiredKeys: [] },
  ),
  fc.constantFrom({ __proto__: null, original: "a" }, { prompt: "a", original: 1 }, { constructor: "a" }),
);

/** JSON that is valid, truncated, nested too deep for the stack, or almost JSON. */
const json = fc.oneof(
  fc.array(value, { maxLength: 8 }).map((list) => JSON.stringify(list)),
  fc.array(value, { maxLength: 8 }).map((list) => list.map((one) => JSON.stringify(one)).join("\n")),
  fc
    .tuple(fc.array(value, { maxLength: 8 }), fc.nat(200))
    .map(([list, end]) => JSON.stringify(list).slice(0, end)),
  fc
    .tuple(fc.constantFrom("[", '{"a":', '[{"original":', '["', "[[],"), fc.nat(16_000), fc.boolean())
    .map(([open, depth, closed]) => open.repeat(depth) + (closed ? `"a"${"]".repeat(depth)}` : "")),
  fc.constantFrom(
    '{"__proto__":["a"]}',
    "[NaN]",
    "['a']",
    "[1e999]",
    '["\\ud800"]',
    '["\\u0000"]',
    "null",
    "0",
    '""',
  ),
);

/** CSV made of quotes, delimiters and line ends in any order, with and without a header. */
const csv = fc
  .tuple(
    fc.constantFrom(
      "",
      "prompt\n",
      "original,optimized\n",
      "original;optimized\r\n",
      '"prompt"\r',
      "a,b,c\n",
      "prompt,prompt\n",
    ),
    fc.array(
      fc.oneof(
        fc.constantFrom(
          '"',
          '""',
          ",",
          ";",
          "\t",
          "\n",
          "\r\n",
          "\r",
          " ",
          "a",
          '"a"',
          '"a',
          "=cmd|' /C calc'!A0",
        ),
        hostileText,
      ),
      { maxLength: 80 },
    ),
  )
  .map(([header, cells]) => header + cells.join(""));

/** One unit repeated, up to the size that the bot reads in place. */
const monotone = fc
  .tuple(
    fc.constantFrom(
      "x",
      "\n",
      "\r",
      " \n",
      ",",
      '"',
      ",\n",
      '"\n',
      "\t",
      "a,",
      "[",
      "é",
      "\u202e",
      "\0",
      " ",
    ),
    fc.nat(IN_PLACE_BYTES),
  )
  .map(([piece, bytes]) => piece.repeat(Math.ceil(bytes / piece.length)));

const bomb = gzipSync(Buffer.alloc(16 * 2 ** 20));
const archive = makeZip({ "prompts.txt": Buffer.from("a cat\n"), mimetype: Buffer.from("x") });
/** Formats preceded or followed by other formats. */
const polyglot = fc
  .tuple(
    fc.constantFrom<Buffer>(
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
      Buffer.from("GIF89a"),
      Buffer.from("%PDF-1.7\n"),
      Buffer.from("{\\rtf1 "),
      Buffer.from("MZ"),
      Buffer.from("#!/bin/sh\n"),
      bomb.subarray(0, 4096),
      archive,
    ),
    encoded,
    fc.boolean(),
  )
  .map(([format, text, first]) => Buffer.concat(first ? [format, text] : [text, format]));

const content: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 3, arbitrary: encoded },
  { weight: 3, arbitrary: json.map((text) => Buffer.from(text)) },
  { weight: 3, arbitrary: csv.map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 600 }) },
  { weight: 2, arbitrary: polyglot },
  { weight: 1, arbitrary: monotone.map((text) => Buffer.from(text)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(encoded, fc.uint8Array({ maxLength: 40 }), encoded)
      .map((parts) => Buffer.concat(parts)),
  },
);

const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("a.txt", "a.json", "a.jsonl", "a.csv", "a.tsv") },
  fc.constantFrom(
    "",
    ".txt",
    "txt",
    "a.TXT ",
    "a.txt\0.png",
    "a.png",
    "../../a.json",
    "a.csv.exe",
    "\u202etxt.exe",
    "a.tar.gz",
  ),
  hostileText,
);

const CODES = [
  "INPUT_TOO_LONG",
  "FILE_BINARY",
  "FILE_EMPTY",
  "FILE_ENCODING",
  "FILE_SHAPE",
  "FILE_TOO_BIG",
  "FILE_TYPE",
];

/** What the file holds, or the refusal; any other error fails the test. */
function outcome(bytes: Uint8Array, fileName: string): PromptFile | InputError {
  try {
    return parsePromptFile(bytes, fileName, LIMITS);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

function expectPrompt(text: string, limit: number): void {
  expect(text).not.toBe("");
  expect(text).toBe(text.trim());
  expect([...text].length).toBeLessThanOrEqual(limit);
  expect(text).not.toMatch(/[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069\u2028\u2029\uFEFF]/u);
}

test("any file of any name is read within limits or refused with a sentence", { timeout: 3_600_000 }, () => {
  const timings = new Timings();
  const seen: Record<string, number> = {};
  fc.assert(
    fc.property(content, name, (bytes, fileName) => {
      const kept = bytes.slice(0, IN_PLACE_BYTES);
      const result = timings.take(BLOCKS_AT_MOST_MS, `${kept.length} bytes`, () => outcome(kept, fileName));
      if (result instanceof InputError) {
        seen[result.code] = (seen[result.code] ?? 0) + 1;
        expect(CODES).toContain(result.code);
        expect(result.message.length).toBeLessThan(400);
        const sentence = errorSentence(result.code, result.context);
        expect(sentence.length).toBeLessThan(600);
        expect(sentence).not.toMatch(/undefined|NaN|\[object|InputError|\bat \//);
        return;
      }
      seen.read = (seen.read ?? 0) + 1;
      const { pairs, notes } = result;
      expect(pairs.length).toBeGreaterThan(0);
      expect(pairs.length).toBeLessThanOrEqual(LIMITS.maxPrompts);
      expect(JSON.stringify(notes).length).toBeLessThan(60_000);
      const summary = fileSummary(notes, pairs.length).join("\n");
      expect(summary.length).toBeLessThan(20_000);
      expect(summary).not.toMatch(/undefined|NaN|\[object/);
      for (const { prompt, optimized } of pairs) {
        expectPrompt(prompt, LIMITS.maxPromptLength);
        if (optimized !== null) expectPrompt(optimized, 2 * LIMITS.maxPromptLength);
      }
    }),
    parameters(3000),
  );
  // A generator that never passes the first check would prove nothing.
  for (const code of CODES.filter((one) => one !== "FILE_TOO_BIG"))
    expect(seen[code] ?? 0, code).toBeGreaterThan(0);
  expect(seen.read).toBeGreaterThan(100);
  report("files at the parser", { ...timings.figures(), outcomes: seen });
});
