import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PictureParameters, pngTexts, readPngText, writePng } from "../../src/pictures/png.js";
import { withPngText } from "../../src/pictures/png-text.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "promptist-png-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const parameters: PictureParameters = {
  prompt: "A cat in the rain, “neon” 漢字 🐈",
  negative: "blurry",
  seed: 2 ** 53 - 1,
  steps: 20,
  guidance: 7.5,
  scheduler: "euler-ancestral",
  size: { width: 5, height: 3 },
  checkpoint: "stable-diffusion-v1-5 + style:0.8",
  models: {
    model: {
      name: "stable-diffusion-v1-5",
      hash: "6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa",
    },
    vae: null,
    clipSkip: 0,
    loras: [],
    embeddings: [],
  },
  pair: null,
  program: "promptist 0.1.0",
};
const pixels = Uint8Array.from({ length: 3 * 5 * 3 }, (_, i) => (i * 37) % 256);
const blank = () =>
  sharp({ create: { width: 2, height: 2, channels: 3, background: "#123" } })
    .png()
    .toBuffer();

describe("writePng", () => {
  it("keeps every pixel and every parameter", async () => {
    const path = join(folder, "made/for/it/picture.png");
    await writePng(path, pixels, 5, 3, parameters);
    const png = await readFile(path);
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([5, 3, 3]);
    expect(new Uint8Array(data)).toEqual(pixels);
    expect(readPngText(png)).toEqual(pngTexts(parameters));
    expect(Object.keys(readPngText(png))).toEqual(["parameters", "promptist", "Software"]);
    expect(JSON.parse(readPngText(png).promptist!)).toMatchObject({
      version: 1,
      prompt: parameters.prompt,
      negative: "blurry",
      seed: 9007199254740991,
      steps: 20,
      guidance: 7.5,
      scheduler: "euler-ancestral",
      size: "5x3",
      checkpoint: "stable-diffusion-v1-5 + style:0.8",
      model: parameters.models.model,
      program: "promptist 0.1.0",
    });
  });

  it("replaces a whole file and leaves nothing beside it", async () => {
    const inside = await mkdtemp(join(folder, "atomic-"));
    const path = join(inside, "picture.png");
    await writePng(path, pixels, 5, 3, parameters);
    await writePng(path, pixels, 5, 3, { ...parameters, seed: 2 });
    expect(JSON.parse(readPngText(await readFile(path)).promptist!).seed).toBe(2);
    expect(await readdir(inside)).toEqual(["picture.png"]);
  });

  it("leaves no temporary file when it cannot write", async () => {
    const inside = await mkdtemp(join(folder, "failing-"));
    const blocked = join(inside, "blocked");
    await writeFile(blocked, "a file, not a folder");
    await expect(writePng(join(blocked, "picture.png"), pixels, 5, 3, parameters)).rejects.toThrow();
    expect(await readdir(inside)).toEqual(["blocked"]);
  });

  it("writes parameters in the format that other programs read", () => {
    expect(pngTexts(parameters).parameters).toBe(
      `${parameters.prompt}\nNegative prompt: blurry\n` +
        "Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 9007199254740991, Size: 5x3, Model hash: 6ce0161689, Model: stable-diffusion-v1-5, RNG: CPU, Version: promptist 0.1.0",
    );
    const models = { ...parameters.models, model: { name: "mine, v2", hash: null } };
    const bare = pngTexts({ ...parameters, negative: "", models }).parameters;
    expect(bare).not.toContain("Negative");
    expect(bare).toContain('Size: 5x3, Model: "mine, v2", RNG');
  });
});

describe("PNG text chunks", () => {
  it.each([
    ["empty", ""],
    ["Latin-1", "café\nÿ"],
    ["UTF-8", "Ω 漢字 🐈 שלום\ttab"],
    ["long", "wörd ".repeat(1200)],
    ["controls", "a\u0001b\u0085c"],
  ])("reads back a text: %s", async (_, text) => {
    const png = withPngText(await blank(), { note: text });
    expect(readPngText(png)).toEqual({ note: text });
    expect((await sharp(png).metadata()).width).toBe(2);
  });

  it("drops zero bytes, which would end the text, and replaces unpaired surrogates", async () => {
    expect(readPngText(withPngText(await blank(), { note: "a\0b" }))).toEqual({ note: "ab" });
    expect(readPngText(withPngText(await blank(), { note: "a\ud83d" }))).toEqual({ note: "a\ufffd" });
  });

  it("uses tEXt for Latin-1 and iTXt for anything else", async () => {
    const png = withPngText(await blank(), { one: "é", two: "Ω" });
    expect(png.includes("tEXtone\0\xe9", 0, "latin1")).toBe(true);
    expect(png.includes("iTXttwo\0", 0, "latin1")).toBe(true);
  });

  it("reads the same texts as sharp's own decoder", async () => {
    const { comments } = await sharp(withPngText(await blank(), { note: "hello" })).metadata();
    expect(comments).toContainEqual({ keyword: "note", text: "hello" });
  });

  it("reads other programs' compressed chunks", async () => {
    const packed = deflateSync(Buffer.from("packed Ω", "utf8"));
    // A chunk built by hand and inserted after the header, framed like withPngText's.
    const plain = withPngText(await blank(), { k: "x" });
    const body = Buffer.concat([Buffer.from("k\0\x01\0\0\0", "latin1"), packed]);
    const { crc32 } = await import("./crc32.js");
    const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from("iTXt"), body, Buffer.alloc(4)]);
    chunk.writeUInt32BE(body.length, 0);
    chunk.writeUInt32BE(crc32(chunk.subarray(4, chunk.length - 4)), chunk.length - 4);
    expect(readPngText(Buffer.concat([plain.subarray(0, 33), chunk, plain.subarray(33)]))).toEqual({
      k: "x",
    });
    const original = await blank();
    const only = Buffer.concat([original.subarray(0, 33), chunk, original.subarray(33)]);
    expect(readPngText(only)).toEqual({ k: "packed Ω" });
  });

  it("refuses files that are not PNG, truncated or damaged", async () => {
    expect(() => readPngText(Buffer.from("GIF89a, not a PNG at all, whatever its name says"))).toThrow(
      "not a PNG",
    );
    const png = withPngText(await blank(), { note: "hello" });
    expect(() => readPngText(png.subarray(0, png.length - 20))).toThrow("cut off");
    const damaged = Buffer.from(png);
    damaged[45]! ^= 1;
    expect(() => readPngText(damaged)).toThrow("checksum");
  });
});
