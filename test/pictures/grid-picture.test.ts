import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Grid } from "../../src/core/grid.js";
import { type GridCell, writeGrid } from "../../src/pictures/grid-picture.js";
import { readPngText } from "../../src/pictures/png.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "promptist-grid-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const axis = (name: string, count: number) => ({
  name,
  values: Array.from({ length: count }, (_, i) => String(i + 1)),
});
/** A colour of its own for each cell, none of them grey. */
const colorOf = (i: number) => [200, 8 * i, 20] as const;

async function cells(count: number, sizeOf: (i: number) => [number, number]): Promise<GridCell[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const [width, height] = sizeOf(i);
      const [r, g, b] = colorOf(i);
      const file = join(folder, `cell-${i}-${width}x${height}.png`);
      await sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
        .png()
        .toFile(file);
      return { file, blank: null };
    }),
  );
}

/** The box of a cell's colour; null where it is nowhere. */
async function boxesOf(file: string, count: number) {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const boxes = Array.from({ length: count }, () => ({ left: 1e9, top: 1e9, right: -1, bottom: -1 }));
  for (let y = 0; y < info.height; y++)
    for (let x = 0; x < info.width; x++) {
      const at = (y * info.width + x) * info.channels;
      if (Math.abs(data[at]! - 200) > 1 || Math.abs(data[at + 2]! - 20) > 1 || data[at + 1]! % 8 !== 0)
        continue;
      const box = boxes[data[at + 1]! / 8];
      if (box === undefined) continue;
      box.left = Math.min(box.left, x);
      box.top = Math.min(box.top, y);
      box.right = Math.max(box.right, x);
      box.bottom = Math.max(box.bottom, y);
    }
  return boxes.map((box) =>
    box.right < 0 ? null : { ...box, width: box.right - box.left + 1, height: box.bottom - box.top + 1 },
  );
}

const write = async (grid: Grid, drawn: readonly GridCell[], title = "a cat", name = "grid") => {
  const file = join(folder, `${name}.png`);
  const size = await writeGrid({ grid, cells: drawn, title, caption: "seed 7 · pndm", file });
  return { file, size };
};

describe("writeGrid", () => {
  it("puts x across and y down, small pictures enlarged by a whole number", async () => {
    const grid = { x: axis("steps", 3), y: axis("guidance", 2) };
    const { file } = await write(grid, await cells(6, () => [64, 64]));
    const boxes = await boxesOf(file, 6);
    for (const box of boxes) expect(box).toMatchObject({ width: 512, height: 512 });
    const [a, b, c, d, e] = boxes;
    expect([b!.top, c!.top]).toEqual([a!.top, a!.top]);
    expect([a!.left < b!.left, b!.left < c!.left]).toEqual([true, true]);
    expect([d!.left, e!.left]).toEqual([a!.left, b!.left]);
    expect(d!.top).toBeGreaterThan(a!.bottom + 40);
  });

  it("keeps each picture's shape where sizes differ, in the middle of its cell", async () => {
    const grid = { x: axis("size", 2), y: null };
    const sizes: [number, number][] = [
      [512, 512],
      [512, 768],
    ];
    const { file } = await write(grid, await cells(2, (i) => sizes[i]!), "a cat", "sizes");
    const [square, tall] = await boxesOf(file, 2);
    expect(square).toMatchObject({ width: 512, height: 512 });
    expect(tall).toMatchObject({ width: 512, height: 768 });
    expect(square!.top - tall!.top).toBe(128);
  });

  it("runs a single axis on over several rows, and takes 25 large pictures", async () => {
    const grid = { x: axis("seed", 25), y: null };
    const { file, size } = await write(grid, await cells(25, () => [512, 512]), "a cat", "seeds");
    const boxes = await boxesOf(file, 25);
    expect(new Set(boxes.map((box) => box!.left)).size).toBe(5);
    expect(new Set(boxes.map((box) => box!.top)).size).toBe(5);
    expect(boxes[0]!.width).toBe(320);
    expect(size.width).toBeLessThan(1800);
    const six = await write({ x: axis("seed", 6), y: null }, await cells(6, () => [64, 64]), "a cat", "six");
    expect(new Set((await boxesOf(six.file, 6)).map((box) => box!.left)).size).toBe(3);
  });

  it("shows nothing of a blank cell, nor where no picture is", async () => {
    const grid = { x: axis("steps", 2), y: null };
    const [first] = await cells(1, () => [64, 64]);
    const hidden: GridCell[] = [
      { file: first!.file!, blank: "withheld" },
      { file: null, blank: "taken out" },
    ];
    const { file } = await write(grid, hidden, "a cat", "hidden");
    expect(await boxesOf(file, 1)).toEqual([null]);
  });

  it("cuts long labels and texts, and takes any character", async () => {
    const long = "blurry, lowres, worst quality, ".repeat(40);
    const odd = { name: "negative", values: [long, "<b>&\u202e\u0000", ""] };
    const drawn = await cells(3, () => [64, 64]);
    const short = await write({ x: axis("steps", 3), y: null }, drawn, "a cat", "short");
    const { size } = await write({ x: odd, y: null }, drawn, long, "long");
    expect(size.width).toBe(short.size.width);
    expect(size.height - short.size.height).toBeLessThan(250);
  });

  it("carries the axes, and refuses cells that don't fill them", async () => {
    const grid = { x: axis("steps", 2), y: axis("guidance", 2) };
    const { file } = await write(grid, await cells(4, () => [64, 64]), "a cat", "texts");
    const own = JSON.parse(readPngText(await readFile(file)).promptist!);
    expect(own).toMatchObject({ version: 1, grid });
    await expect(write(grid, await cells(3, () => [64, 64]))).rejects.toThrow(RangeError);
  });
});
