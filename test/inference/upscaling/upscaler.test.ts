import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { compileGraph } from "../../../src/checkpoints/compile.js";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import { openUpscaler } from "../../../src/checkpoints/layouts/upscaler.js";
import { Session, Tensor } from "../../../src/inference/runtime/session.js";
import { tilesOf } from "../../../src/inference/upscaling/tiles.js";
import { Upscaler } from "../../../src/inference/upscaling/upscaler.js";
import { upscaler } from "../../../src/models/esrgan.js";
import type { Rgb } from "../../../src/pictures/rgb.js";
import { relativeError } from "../../support/relative-error.js";

const golden = fileURLToPath(new URL("../../golden/upscalers/", import.meta.url));
const files = readdirSync(golden).filter((file) => !file.startsWith("cases."));
const cases = openWeightFile(join(golden, "cases.safetensors"));
const [, , HEIGHT, WIDTH] = cases.get("picture")!.shape as [number, number, number, number];

const folder = mkdtempSync(join(tmpdir(), "upscaler-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const device = { name: "cpu", note: null } as const;
const common = { device, precision: "fp32", cacheDir: join(folder, "cache"), threads: 1 } as const;

/** The upper left part of planes of bytes [3, height, width] as a picture. */
function pictureOf(
  planes: Uint8Array,
  { width, height }: { width: number; height: number },
  part = { width, height },
): Rgb {
  const pixels = new Uint8Array(3 * part.width * part.height);
  for (let y = 0; y < part.height; y++)
    for (let x = 0; x < part.width; x++)
      for (let c = 0; c < 3; c++)
        pixels[3 * (y * part.width + x) + c] = planes[(c * height + y) * width + x]!;
  return { pixels, ...part };
}
const picture = cases.read("picture");

describe("upscalers of ESRGAN's family, against spandrel", () => {
  for (const file of files) {
    const id = file.replace(/\.\w+$/, "");

    it(`${file} gives the same numbers`, async () => {
      const { config, weights } = openUpscaler(join(golden, file));
      // Winograd's way, as on a CPU, is the less exact one.
      const graph = upscaler(config, { float: "float32", winograd: true });
      const compiled = await compileGraph(graph, weights, { cacheDir: common.cacheDir });
      expect(compiled.extra).toEqual([]);
      const session = await Session.open<"upscaled">(id, compiled, device);
      const values = Float32Array.from(picture, (byte) => byte / 255);
      const feeds = { image: new Tensor("float32", values, [1, 3, HEIGHT, WIDTH]) };
      const { upscaled } = await session.run(feeds);
      await session.release();
      expect(upscaled.dims).toEqual(cases.get(id)!.shape);
      expect(relativeError(upscaled.data as Float32Array, cases.readFloat32(id))).toBeLessThan(2e-6);
    });

    it(`${file} gives the same picture of odd sides`, async () => {
      const part = { width: WIDTH - 1, height: HEIGHT - 1 };
      const model = await Upscaler.open({ ...common, file: join(golden, file) });
      const upscaled = await model.upscale(pictureOf(picture, { width: WIDTH, height: HEIGHT }, part));
      await model.release();
      const [, , height, width] = cases.get(`${id}-odd`)!.shape as [number, number, number, number];
      const expected = pictureOf(cases.read(`${id}-odd`), { width, height });
      expect([upscaled.width, upscaled.height]).toEqual([width, height]);
      const differences = expected.pixels.map((value, i) => Math.abs(value - upscaled.pixels[i]!));
      // A value on the edge between two bytes may fall to either side.
      expect(differences.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(1);
      expect(differences.filter((it) => it > 0).length).toBeLessThan(differences.length / 500);
    });
  }

  it("differ from each other", () => {
    const pairs = [
      ["real-x4", "bsrgan-x4"],
      ["real-x2", "old-x2"],
      ["real-x1", "old-x1"],
    ] as const;
    for (const [a, b] of pairs)
      expect(relativeError(cases.readFloat32(a), cases.readFloat32(b))).toBeGreaterThan(0.1);
  });
});

describe("tiles", () => {
  /** A picture of noise, larger than several tiles. */
  const size = { width: 90, height: 75 };
  const noise: Rgb = {
    ...size,
    pixels: Uint8Array.from({ length: 3 * 90 * 75 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24),
  };

  it.each(["repackaged-x4.safetensors", "real-x2.pth", "compact-x2.safetensors"])(
    "of %s give the whole picture, as its layers see no further than the overlap",
    async (file) => {
      const model = await Upscaler.open({ ...common, file: join(golden, file) });
      const told: [number, number][] = [];
      const whole = await model.upscale(noise);
      const tiled = await model.upscale(noise, { tile: 32, onTile: (...it) => told.push(it) });
      await model.release();
      expect(told.map(([done]) => done)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(told.every(([, of]) => of === 9)).toBe(true);
      expect({ width: tiled.width, height: tiled.height }).toEqual({
        width: whole.width,
        height: whole.height,
      });
      const differences = whole.pixels.map((value, i) => Math.abs(value - tiled.pixels[i]!));
      // Winograd's squares lie elsewhere in a tile, so a value between two bytes may fall to either side.
      expect(differences.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(1);
      expect(differences.filter((it) => it > 0).length).toBeLessThan(differences.length / 500);
    },
  );

  it("cover a picture once, at multiples", () => {
    for (const multiple of [1, 2, 4]) {
      const tiles = tilesOf(size, { side: 32, overlap: 5, multiple });
      const covered = new Uint8Array(size.width * size.height);
      for (const { own, seen } of tiles) {
        expect([own.left % multiple, own.top % multiple, seen.left % multiple, seen.top % multiple]).toEqual([
          0, 0, 0, 0,
        ]);
        for (let y = own.top; y < own.top + own.height; y++)
          for (let x = own.left; x < own.left + own.width; x++) covered[y * size.width + x]! += 1;
        expect(seen.left).toBeLessThanOrEqual(Math.max(0, own.left - 5));
        expect(seen.left + seen.width).toBeGreaterThanOrEqual(Math.min(size.width, own.left + own.width + 5));
      }
      expect(covered.every((times) => times === 1)).toBe(true);
    }
  });

  it("end where they are cancelled", async () => {
    const model = await Upscaler.open({ ...common, file: join(golden, "compact-x2.safetensors") });
    const stop = new AbortController();
    const done: number[] = [];
    const onTile = (tile: number) => {
      done.push(tile);
      if (tile === 2) stop.abort();
    };
    const upscaling = model.upscale(noise, { tile: 32, signal: stop.signal, onTile });
    await expect(upscaling).rejects.toMatchObject({ code: "CANCELLED" });
    expect(done).toEqual([1, 2]);
    await model.release();
  });
});
