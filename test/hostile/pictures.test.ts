import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { textOfResult } from "../../src/bot/messages/own-result.js";
import { pictureMessage } from "../../src/bot/messages/picture-message.js";
import { english } from "../../src/bot/words/english/english.js";
import { errorSentence } from "../../src/bot/words/english/errors.js";
import { InputError } from "../../src/core/errors.js";
import { PICTURE_MAX_BYTES, readPictureText } from "../../src/pictures/read-text.js";
import { missingModels, readPicturePrompt } from "../../src/prompt-files/picture-prompt.js";
import { crc32 } from "../pictures/crc32.js";
import { exifWith, jpegWith, webpWith } from "../support/exif.js";
import { hostileText, parameters, report, Timings } from "./support.js";

/** Pictures from strangers are read in the bot's own thread. */
const BLOCKS_AT_MOST_MS = 100;
const LARGE_AT_MOST_MS = 1_000;
const HERE = { model: "mine", vae: null, clipSkip: 0, loras: ["always"], embeddings: [] };
const HOLES = /undefined|NaN|\[object/;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function chunk(type: string, data: Uint8Array, claimed = data.length): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(claimed >>> 0);
  sum.writeUInt32BE(crc32(body) >>> 0);
  return Buffer.concat([length, body, sum]);
}
const HEAD = Buffer.concat([SIGNATURE, chunk("IHDR", Buffer.alloc(13, 1))]);
const END = chunk("IEND", Buffer.alloc(0));
const png = (...chunks: readonly Buffer[]) => Buffer.concat([HEAD, ...chunks, END]);
const textChunk = (keyword: string, text: string | Buffer, type = "tEXt") =>
  chunk(type, Buffer.concat([Buffer.from(`${keyword}\0`, "latin1"), Buffer.from(text)]));
const bomb = (megabytes: number) =>
  Buffer.concat([Buffer.from([0]), deflateSync(Buffer.alloc(megabytes << 20, 97))]);

/** What the bot does with a picture: a message, or a sentence. */
function answer(bytes: Uint8Array, isOdd = false): string {
  try {
    const picture = readPicturePrompt(readPictureText(bytes));
    const differences = [...picture.unread, ...missingModels(picture, HERE)];
    const message = pictureMessage(picture, differences, english);
    const { description = "" } = message.embeds[0]!;
    expect(description.length).toBeLessThanOrEqual(4096);
    // A picture may well have these words itself.
    if (!isOdd) expect(description).not.toMatch(HOLES);
    if (message.components.length > 0) expect(textOfResult(description)).not.toBeNull();
    return description;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const sentence = errorSentence(error.code, error.context);
    expect(sentence).not.toMatch(/undefined|NaN/);
    return sentence;
  }
}

const value = fc.oneof(hostileText, fc.jsonValue(), fc.double(), fc.constantFrom(-1, 1e300, "__proto__"));
const own = fc
  .dictionary(
    fc.constantFrom(
      ..."version program prompt negative seed steps guidance scheduler size model vae clipSkip loras embeddings side original rewrite pairs __proto__".split(
        " ",
      ),
    ),
    value,
  )
  .map((it) => JSON.stringify({ ...it, version: 1 }));
const settings = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        "Steps",
        "Sampler",
        "Seed",
        "Size",
        "Model",
        "Lora hashes",
        "TI hashes",
        "Clip skip",
        "VAE",
        "x",
      ),
      fc.oneof(
        hostileText,
        fc.constantFrom('"', '"a, b"', '"\\"', ",,,", ": :", "<lora:", "1e9", "9".repeat(40)),
      ),
    ),
    { maxLength: 20 },
  )
  .map((pairs) => pairs.map(([name, it]) => `${name}: ${it}`).join(", "));
const a1111 = fc
  .tuple(hostileText, fc.boolean(), hostileText, settings)
  .map(([prompt, has, negative, line]) => `${prompt}\n${has ? `Negative prompt: ${negative}\n` : ""}${line}`);
const graph = fc
  .dictionary(
    fc.constantFrom("1", "2", "3"),
    fc.record({
      class_type: fc.constantFrom("KSampler", "CLIPTextEncode", "LoraLoader", "EmptyLatentImage"),
      inputs: fc.dictionary(
        fc.constantFrom(
          "positive",
          "negative",
          "model",
          "text",
          "conditioning",
          "latent_image",
          "seed",
          "lora_name",
        ),
        fc.oneof(value, fc.constantFrom(["1", 0], ["2", 0], ["3", 0], [])),
      ),
    }),
  )
  .map((it) => JSON.stringify(it));
const texts = fc.array(
  fc.tuple(
    fc.constantFrom(
      "parameters",
      "promptist",
      "prompt",
      "Software",
      "pairs",
      "baseline",
      "settings",
      "__proto__",
      "",
    ),
    fc.oneof(hostileText, own, a1111, graph),
  ),
  { maxLength: 5 },
);

test("pictures with any texts are answered, and none blocks the bot", () => {
  const timings = new Timings();
  fc.assert(
    fc.property(texts, fc.constantFrom("tEXt", "iTXt", "zTXt"), (entries, type) => {
      const body = (text: string) =>
        type === "tEXt"
          ? Buffer.from(text, "latin1")
          : type === "iTXt"
            ? Buffer.concat([Buffer.alloc(4), Buffer.from(text)])
            : Buffer.concat([Buffer.alloc(1), deflateSync(Buffer.from(text, "latin1"))]);
      const file = png(...entries.map(([keyword, text]) => textChunk(keyword, body(text), type)));
      timings.take(BLOCKS_AT_MOST_MS, "a picture", () => answer(file, HOLES.test(JSON.stringify(entries))));
    }),
    parameters(600),
  );
  report("pictures' texts", timings.figures());
});

const exif = exifWith(Buffer.concat([Buffer.from("UNICODE\0"), Buffer.from("a cat", "utf16le").swap16()]));
const WHOLE: readonly Buffer[] = [
  png(textChunk("parameters", "a cat\nSteps: 4, Seed: 5, Sampler: Euler")),
  jpegWith(Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 2]), exif),
  webpWith(Buffer.from("RIFF\0\0\0\0WEBPVP8 \0\0\0\0", "latin1"), exif),
  png(chunk("eXIf", exif)),
];

test("damaged pictures are answered, and none blocks the bot", () => {
  for (const file of WHOLE) expect(answer(file)).toContain("a cat");
  const timings = new Timings();
  fc.assert(
    fc.property(
      fc.constantFrom(...WHOLE),
      fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
      fc.option(fc.nat(400)),
      (whole, changes, end) => {
        const file = Buffer.from(whole.subarray(0, end ?? whole.length));
        for (const [at, byte] of changes) if (at < file.length) file[at] = byte;
        timings.take(BLOCKS_AT_MOST_MS, "a damaged picture", () => answer(file));
      },
    ),
    parameters(2_000),
  );
  report("damaged pictures", timings.figures());
});

const fill = (count: number, one: Buffer) => Buffer.alloc(count * one.length, one);
test.each<[string, () => Buffer, RegExp]>([
  ["a text that unpacks to 64 MiB", () => png(textChunk("parameters", bomb(64), "zTXt")), /damaged/],
  [
    "a thousand texts that unpack to 1 MiB",
    () => png(fill(1000, textChunk("a", bomb(1), "zTXt"))),
    /damaged/,
  ],
  ["100,000 chunks", () => png(fill(100_000, chunk("abCd", Buffer.alloc(0)))), /damaged/],
  ["100,000 texts", () => png(fill(100_000, textChunk("a", ""))), /damaged/],
  [
    "a chunk longer than the file",
    () => Buffer.concat([HEAD, chunk("tEXt", Buffer.alloc(9), 2 ** 32 - 1)]),
    /damaged/,
  ],
  [
    "a chunk of 2 GiB that is not there",
    () => Buffer.concat([HEAD, chunk("IDAT", Buffer.alloc(9), 2 ** 31 - 1)]),
    /damaged/,
  ],
  [
    "a wrong checksum",
    () => {
      const file = png(textChunk("parameters", "a"));
      file[file.length - 14]! ^= 1;
      return file;
    },
    /damaged/,
  ],
  ["30 MiB of text", () => png(textChunk("parameters", "a".repeat(30 << 20))), /holds no prompt/],
  [
    "a zip behind its end",
    () => Buffer.concat([WHOLE[0]!, Buffer.from("PK\u0003\u0004"), Buffer.alloc(9999)]),
    /a cat/,
  ],
  [
    "an animation",
    () =>
      png(
        chunk("acTL", Buffer.alloc(8)),
        textChunk("parameters", "a cat"),
        fill(5000, chunk("fdAT", Buffer.alloc(64))),
      ),
    /a cat/,
  ],
  [
    "settings of 1 MB",
    () => png(textChunk("parameters", `a cat\nSteps: 4, ${'x: "\\",'.repeat(100_000)}`)),
    /a cat/,
  ],
  ["colons alone", () => png(textChunk("parameters", `a cat\nSteps: 4${":".repeat(100_000)}`)), /a cat/],
  ["tags alone", () => png(textChunk("parameters", "<lora:a:".repeat(16_000))), /./],
  ["JSON that is deeper than the stack", () => png(textChunk("prompt", '{"a":'.repeat(100_000))), /ComfyUI/],
  [
    "our own text that is deeper than the stack",
    () => png(textChunk("promptist", `{"version":1,"loras":${"[".repeat(60_000)}`)),
    /holds no prompt/,
  ],
  [
    "a JPEG of markers",
    () => Buffer.alloc(30 << 20, Buffer.from([0xff, 0xd8, 0xff, 0xff])),
    /holds no prompt/,
  ],
  [
    "a JPEG of empty segments",
    () => Buffer.concat([Buffer.from([0xff, 0xd8]), fill(1 << 20, Buffer.from([0xff, 0xe1, 0, 0]))]),
    /holds no prompt/,
  ],
  [
    "a WebP of empty chunks",
    () =>
      Buffer.concat([
        Buffer.from("RIFF\0\0\0\0WEBP", "latin1"),
        fill(1 << 20, Buffer.from("ABCD\0\0\0\0", "latin1")),
      ]),
    /holds no prompt/,
  ],
  [
    "an EXIF directory that points at itself",
    () => {
      const loop = exifWith(Buffer.alloc(9));
      loop.writeUInt32BE(8, 18);
      return png(chunk("eXIf", loop));
    },
    /holds no prompt/,
  ],
  ["more than is read", () => Buffer.concat([HEAD, Buffer.alloc(PICTURE_MAX_BYTES)]), /larger than/],
])("%s", (what, make, said) => {
  const file = make();
  const before = process.memoryUsage().rss;
  const timings = new Timings();
  expect(timings.take(LARGE_AT_MOST_MS, what, () => answer(file))).toMatch(said);
  expect(process.memoryUsage().rss - before).toBeLessThan(256 * 2 ** 20);
});
