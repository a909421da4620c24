import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readPicture } from "../../src/pictures/read-picture.js";
import { fitToSize, type ResizeMode } from "../../src/pictures/resize.js";

const GOLDEN = fileURLToPath(new URL("../golden/resize", import.meta.url));
const CASE = /^(\d+x\d+)-(default|crop)-(\d+)x(\d+)\.png$/;
const cases = readdirSync(GOLDEN).flatMap((file) => {
  const [, picture, mode, width, height] = CASE.exec(file) ?? [];
  return picture === undefined ? [] : [{ file, picture, mode, width: Number(width), height: Number(height) }];
});

describe("a picture to go on from beside diffusers' VaeImageProcessor", () => {
  it("has references", () => expect(cases.length).toBe(10));

  it.each(cases)("$picture, $mode, $width x $height: the same bytes", async (one) => {
    const { file, picture, mode, width, height } = one;
    const wanted = await readPicture(join(GOLDEN, file));
    const source = await readPicture(join(GOLDEN, `${picture}.png`));
    const fitted = fitToSize(source, { width, height }, mode as ResizeMode);
    expect([fitted.width, fitted.height]).toEqual([wanted.width, wanted.height]);
    expect(Buffer.compare(fitted.pixels, wanted.pixels)).toBe(0);
  });
});
