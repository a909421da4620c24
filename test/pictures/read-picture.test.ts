import { writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPicture } from "../../src/pictures/read-picture.js";
import { temporaryFolder } from "../support/app.js";

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

describe("a picture file", () => {
  it("may be gray, rotated, or partly transparent", async () => {
    const at = (name: string) => join(folder.path, name);
    const image = sharp({
      create: { width: 8, height: 4, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    });
    await image.clone().png().toFile(at("clear.png"));
    await image
      .clone()
      .flatten({ background: "#808080" })
      .greyscale()
      .toColourspace("b-w")
      .png()
      .toFile(at("gray.png"));
    await image.clone().flatten().jpeg().withMetadata({ orientation: 6 }).toFile(at("turned.jpg"));
    const clear = await readPicture(at("clear.png"));
    expect([clear.width, clear.height, ...clear.pixels.slice(0, 3)]).toEqual([8, 4, 255, 255, 255]);
    const gray = await readPicture(at("gray.png"));
    expect([gray.pixels.length, ...gray.pixels.slice(0, 3)]).toEqual([96, 128, 128, 128]);
    expect(await readPicture(at("turned.jpg"))).toMatchObject({ width: 4, height: 8 });
    writeFileSync(at("text.png"), "no picture");
    await expect(readPicture(at("text.png"))).rejects.toMatchObject({ code: "FILE_UNREACHABLE" });
  });
});
