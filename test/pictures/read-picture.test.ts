import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPicture } from "../../src/pictures/read-picture.js";
import { temporaryFolder } from "../support/app.js";
import { within } from "../support/within.js";
import { crc32 } from "./crc32.js";

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

  it.each([
    ["a large square", 16_000, 16_000, /pixel limit/],
    ["a tall line", 1, 60_000, /1x60000 is too thin/],
    ["a very tall line", 1, 10_000_000, /1x10000000 is too thin/],
    ["a wide line", 60_000, 1, /60000x1 is too thin/],
  ])("is refused before it is decoded if it is %s", async (name, width, height, reason) => {
    const path = join(folder.path, `${name}.png`);
    writeFileSync(path, hugePng(width, height));
    const started = performance.now();
    await expect(readPicture(path)).rejects.toMatchObject({
      code: "FILE_UNREACHABLE",
      message: expect.stringMatching(reason),
    });
    expect(performance.now() - started).toBeLessThan(within(1_000));
  });

  it("is refused if it is a drawing, a folder or a pipe", async () => {
    const svg = join(folder.path, "drawing.png");
    writeFileSync(svg, '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await expect(readPicture(svg)).rejects.toThrow("it is a drawing, not pixels");
    await expect(readPicture(folder.path)).rejects.toThrow("it is not a file");
    if (process.platform === "win32") return;
    const pipe = join(folder.path, "pipe.png");
    execFileSync("mkfifo", [pipe]);
    await expect(readPicture(pipe)).rejects.toThrow("it is not a file");
  });
});

/** A whole PNG of one gray, one bit a pixel: some kilobytes, whatever its size. */
function hugePng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    checksum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, checksum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const rows = Buffer.alloc((1 + Math.ceil(width / 8)) * height);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
