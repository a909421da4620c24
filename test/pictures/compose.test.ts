import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TorchRandom } from "../../src/inference/numbers/torch-random.js";
import { writeComparison } from "../../src/pictures/comparison.js";
import { writeContactSheet } from "../../src/pictures/contact-sheet.js";
import type { PairFiles } from "../../src/pictures/pair-card.js";
import { readPngText } from "../../src/pictures/png.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "promptist-compose-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const GREEN = [20, 200, 60];
const RED = [210, 40, 30];

async function plain(name: string, width: number, height: number, [r, g, b]: number[]): Promise<string> {
  const file = join(folder, `${name}-${width}x${height}.png`);
  await sharp({ create: { width, height, channels: 3, background: { r: r!, g: g!, b: b! } } }).toFile(file);
  return file;
}

const REWRITE = "A cat, highly detailed, digital painting, artstation";

async function pairOf(width: number, height: number, changes: Partial<PairFiles> = {}): Promise<PairFiles> {
  return {
    texts: { baseline: "A cat", optimized: REWRITE },
    files: {
      baseline: await plain("green", width, height, GREEN),
      optimized: await plain("red", width, height, RED),
    },
    caption: "seed 1 · 50 steps",
    ...changes,
  };
}

/** Bounding box of all pixels of one colour. */
async function boxOf(file: string, color: number[]) {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  let [left, top, right, bottom] = [info.width, info.height, -1, -1];
  for (let y = 0; y < info.height; y++) {
    for (let x = 0; x < info.width; x++) {
      const i = (y * info.width + x) * info.channels;
      if (!color.every((value, c) => Math.abs(data[i + c]! - value) <= 2)) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

describe("writeComparison", () => {
  it.each([
    ["as it is", 512, 512, 512, 512],
    ["four times as large", 128, 128, 512, 512],
    ["eight times as large", 64, 64, 512, 512],
    ["twice as large", 200, 256, 600, 768],
    ["smaller", 1024, 1024, 768, 768],
    ["wide, as it is", 768, 512, 768, 512],
    ["wide, smaller", 1024, 512, 768, 384],
  ])("shows a picture %s: %ix%i", async (_, width, height, shownWidth, shownHeight) => {
    const file = join(folder, `comparison-${width}x${height}.png`);
    const size = await writeComparison(await pairOf(width, height), file);
    const [left, right] = [await boxOf(file, GREEN), await boxOf(file, RED)];
    expect(left).toMatchObject({ width: shownWidth, height: shownHeight });
    expect(right).toMatchObject({ top: left.top, width: shownWidth, height: shownHeight });
    expect(right.left).toBeGreaterThan(left.left + left.width);
    // The margins on both sides are equal, with text above and below.
    expect(size.width - right.left - right.width).toBe(left.left);
    expect(left.top).toBeGreaterThan(60);
    expect(size.height - left.top - left.height).toBeGreaterThan(25);
    const { width: w, height: h } = await sharp(file).metadata();
    expect({ width: w, height: h }).toEqual(size);
  });

  it.each([
    ["baseline", GREEN, RED],
    ["optimized", RED, GREEN],
  ] as const)(
    "has a blank panel of the same size in the place of a withheld %s",
    async (side, gone, kept) => {
      const file = join(folder, `withheld-${side}.png`);
      const whole = await writeComparison(await pairOf(200, 256), file);
      const at = await boxOf(file, kept);
      const size = await writeComparison(await pairOf(200, 256, { withheld: [side] }), file);
      expect(size).toEqual(whole);
      expect(await boxOf(file, kept)).toEqual(at);
      expect((await boxOf(file, gone)).width).toBeLessThanOrEqual(0);
    },
  );

  it("grows with its prompts, up to nine lines", async () => {
    const heightFor = async (optimized: string): Promise<number> => {
      const file = join(folder, "prompts.png");
      return (
        await writeComparison(await pairOf(512, 512, { texts: { baseline: "A cat", optimized } }), file)
      ).height;
    };
    const [short, longer, long, huge] = [
      await heightFor("Cat"),
      await heightFor("lovely cat ".repeat(15)),
      await heightFor("lovely cat ".repeat(36)),
      await heightFor("lovely cat ".repeat(545)),
    ];
    expect(longer).toBeGreaterThan(short);
    expect(long).toBeGreaterThan(longer);
    expect(huge).toBeLessThanOrEqual(long + 30);
  });

  it("carries both prompts and how to draw them again", async () => {
    const file = join(folder, "texts.png");
    const pair = await pairOf(64, 64, { texts: { baseline: "Ein Fuchs 🦊", optimized: REWRITE } });
    await writeComparison(pair, file);
    const own = { version: 1, original: "Ein Fuchs 🦊", rewrite: REWRITE, side: "both" };
    expect(JSON.parse(readPngText(await readFile(file)).promptist!)).toEqual(own);
  });

  it("stays under 8 MB even if nothing compresses", async () => {
    const noise = (seed: number) => {
      const random = new TorchRandom(seed);
      return Uint8Array.from({ length: 3 * 1024 * 1024 }, () => random.uint32() & 255);
    };
    const files = await Promise.all(
      [1, 2].map(async (seed) => {
        const path = join(folder, `noise-${seed}.png`);
        await sharp(noise(seed), { raw: { width: 1024, height: 1024, channels: 3 } }).toFile(path);
        return path;
      }),
    );
    const file = join(folder, "noise.png");
    const pair = await pairOf(64, 64, { files: { baseline: files[0]!, optimized: files[1]! } });
    await writeContactSheet(
      Array.from({ length: 10 }, () => pair),
      file,
    );
    expect((await stat(file)).size).toBeLessThan(8_000_000);
    await writeComparison(pair, file);
    expect((await stat(file)).size).toBeLessThan(8_000_000);
  });

  it("fails for a missing picture", async () => {
    const { files } = await pairOf(64, 64);
    const pair = await pairOf(64, 64, { files: { ...files, optimized: join(folder, "missing.png") } });
    await expect(writeComparison(pair, join(folder, "never.png"))).rejects.toThrow("missing");
  });
});

describe("writeContactSheet", () => {
  it.each([1, 2, 7, 10])("holds %i pairs, two to a row", async (count) => {
    const file = join(folder, `sheet-${count}.png`);
    const pair = await pairOf(128, 128);
    const size = await writeContactSheet(
      Array.from({ length: count }, () => pair),
      file,
    );
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    let green = 0;
    for (let i = 0; i < data.length; i += info.channels) {
      if (GREEN.every((value, c) => Math.abs(data[i + c]! - value) <= 2)) green++;
    }
    // 320 x 320 each, minus the rounded corners.
    expect(Math.abs(green / (320 * 320) - count)).toBeLessThan(0.01 * count);
    const single = (await sharp(file).metadata()).width;
    expect(single).toBe(count === 1 ? 2 * 32 + 652 : 2 * 32 + 2 * 652 + 40);
    expect(size.width).toBe(single);
    const { pairs } = JSON.parse(readPngText(await readFile(file)).promptist!);
    expect(pairs).toEqual(
      Array.from({ length: count }, (_, i) => ({
        number: i + 1,
        original: "A cat",
        rewrite: REWRITE,
        side: "both",
      })),
    );
  });

  it("aligns the pictures of a row even if one prompt is longer", async () => {
    const file = join(folder, "row.png");
    const blue = [30, 60, 220];
    const first = await pairOf(128, 128);
    const second = await pairOf(128, 128, {
      files: { ...first.files, baseline: await plain("blue", 128, 128, blue) },
      texts: { baseline: "lovely cat ".repeat(30), optimized: REWRITE },
    });
    await writeContactSheet([first, second], file);
    expect((await boxOf(file, blue)).top).toBe((await boxOf(file, GREEN)).top);
  });

  it.each([0, 11])("refuses %i pairs", async (count) => {
    const pair = await pairOf(64, 64);
    const sheet = writeContactSheet(
      Array.from({ length: count }, () => pair),
      join(folder, "no.png"),
    );
    await expect(sheet).rejects.toThrow(RangeError);
  });
});
