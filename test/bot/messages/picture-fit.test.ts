import sharp from "sharp";
import { describe, expect, it } from "vitest";
import type { OutgoingFile } from "../../../src/bot/discord/outgoing.js";
import { enlargeStamp, fitPictures } from "../../../src/bot/messages/parts/picture-fit.js";
import { readPngText, withPngText } from "../../../src/pictures/png-text.js";
import { noisePicture } from "../../support/bot-world.js";

const file = async (name: string, width: number): Promise<OutgoingFile> => ({
  name,
  data: await noisePicture(width),
  description: "alt",
});
const bytesOf = (files: readonly (OutgoingFile | null)[]) =>
  files.reduce((sum, each) => sum + (each?.data.length ?? 0), 0);

describe("fitPictures", () => {
  it("leaves what fits alone", async () => {
    const originals = [await file("a.png", 32), await file("b.png", 32)];
    const { files, shrunk } = await fitPictures(originals, { perFile: 10_000, total: 20_000 });
    expect(files).toEqual(originals);
    expect(shrunk).toBe(false);
  });

  it("turns only the picture that is too large into WebP, keeps its alt text and its size in pixels", async () => {
    const small = await file("a.png", 32);
    const large = await file("b.png", 256);
    const { files, shrunk } = await fitPictures([small, large], { perFile: 120_000, total: 1_000_000 });
    expect(shrunk).toBe(true);
    expect(files[0]).toBe(small);
    expect(files[1]).toMatchObject({ name: "b.webp", description: "alt" });
    expect(files[1]!.data.length).toBeLessThanOrEqual(120_000);
    expect(await sharp(files[1]!.data).metadata()).toMatchObject({ format: "webp", width: 256, height: 256 });
  });

  it("takes from the largest until the sum fits", async () => {
    const originals = [await file("a.png", 64), await file("b.png", 256), await file("c.png", 256)];
    const { files } = await fitPictures(originals, { perFile: 1_000_000, total: 100_000 });
    expect(bytesOf(files)).toBeLessThanOrEqual(100_000);
    expect(files.every((each) => each !== null)).toBe(true);
  });

  it("leaves out what cannot fit at all", async () => {
    const { files } = await fitPictures([await file("a.png", 64)], { perFile: 10, total: 100 });
    expect(files).toEqual([null]);
  });
});

it("enlarges a picture that would be a stamp, keeps what its file says, and leaves all others", async () => {
  const picture = async (width: number, height: number, format: "png" | "webp" = "png") => {
    const made = sharp({ create: { width, height, channels: 3, background: "red" } });
    const data =
      format === "png"
        ? withPngText(await made.png().toBuffer(), { seed: "7" })
        : await made.webp().toBuffer();
    return { name: `a.${format}`, data, description: "red" };
  };
  const { file, times } = await enlargeStamp(await picture(64, 96));
  expect(times).toBe(3);
  expect(await sharp(file.data).metadata()).toMatchObject({ width: 192, height: 288, format: "png" });
  expect(readPngText(file.data)).toEqual({ seed: "7" });
  for (const large of [await picture(256, 64), await picture(512, 512), await picture(8, 8, "webp")])
    expect(await enlargeStamp(large)).toEqual({ file: large, times: 1 });
});
