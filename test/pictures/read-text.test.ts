import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { withPngText } from "../../src/pictures/png-text.js";
import { readPictureText } from "../../src/pictures/read-text.js";
import { exifWith, jpegWith, webpWith } from "../support/exif.js";

const TEXT =
  "a cat, 漢字 é\nNegative prompt: ugly\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x768";
const image = () => sharp({ create: { width: 8, height: 8, channels: 3, background: "#123" } });
const unicode = (text: string, order: "big" | "little") => {
  const little = Buffer.from(text, "utf16le");
  return Buffer.concat([Buffer.from("UNICODE\0"), order === "big" ? little.swap16() : little]);
};

describe("a comment in a JPEG or WebP", () => {
  it.each([
    ["as A1111 writes it", unicode(TEXT, "big"), "MM"],
    ["low byte first", unicode(TEXT, "little"), "II"],
    ["in UTF-8 under the wrong code", Buffer.concat([Buffer.from("UNICODE\0"), Buffer.from(TEXT)]), "II"],
    ["in UTF-8", Buffer.concat([Buffer.from("ASCII\0\0\0"), Buffer.from(TEXT)]), "MM"],
  ] as const)("is read: %s", async (_, comment, order) => {
    const exif = exifWith(comment, order);
    const jpeg = jpegWith(await image().jpeg().toBuffer(), exif);
    const webp = webpWith(await image().webp().toBuffer(), exif);
    expect((await sharp(jpeg).metadata()).exif).toBeDefined();
    expect(readPictureText(jpeg)).toEqual({ parameters: TEXT });
    expect(readPictureText(webp)).toEqual({ parameters: TEXT });
  });

  it("in a PNG stands behind its text", async () => {
    const png = withPngText(await image().png().toBuffer(), { parameters: "first" });
    expect(readPictureText(png)).toEqual({ parameters: "first" });
  });

  it("is nothing where there is none", async () => {
    expect(readPictureText(await image().jpeg().toBuffer())).toEqual({});
    expect(readPictureText(await image().webp().toBuffer())).toEqual({});
  });
});

it("reads EXIF that sharp wrote", async () => {
  const exif = { IFD2: { UserComment: "plain words" } };
  const jpeg = await image().jpeg().withExif(exif).toBuffer();
  expect(Object.values(readPictureText(jpeg)).join()).toContain("plain words");
});

it.each([
  ["GIF", Buffer.from("GIF89a.........................................")],
  ["SVG", Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'/>")],
  ["nothing", Buffer.alloc(0)],
  ["PNG's beginning alone", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
])("refuses %s", (_, bytes) => {
  expect(() => readPictureText(bytes)).toThrow(expect.objectContaining({ code: "PICTURE_TYPE" }));
});
