import { stat } from "node:fs/promises";
import sharp, { type Metadata } from "sharp";
import { InputError } from "../core/errors.js";
import type { Rgb } from "./rgb.js";

/** More than a camera of 24 megapixels takes; decoded, these are 96 MiB. */
const MOST_PIXELS = 2 ** 25;
/** A picture is made as wide as the judges look at, so a thin one would become very long. */
const MOST_TIMES_AS_LONG = 64;

/**
 * Reads a picture file's pixels as displayed: rotated as its metadata says, transparency on white. What its
 * header says is checked before anything is decoded. Throws InputError FILE_*.
 */
export async function readPicture(file: string): Promise<Rgb> {
  try {
    if (!(await stat(file)).isFile()) throw new Error("it is not a file");
    const picture = sharp(file, { limitInputPixels: MOST_PIXELS });
    refuseUnlikely(await picture.metadata());
    const { data, info } = await picture
      .rotate()
      .flatten({ background: "#fff" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels === 3) return { pixels: data, width: info.width, height: info.height };
    const pixels = new Uint8Array(3 * info.width * info.height);
    for (let i = 0; i < pixels.length; i++) pixels[i] = data[Math.floor(i / 3) * info.channels]!;
    return { pixels, width: info.width, height: info.height };
  } catch (cause) {
    throw new InputError(
      "FILE_UNREACHABLE",
      `${file} can't be read as a picture: ${(cause as Error).message}. Give a PNG, JPEG or WebP file.`,
      {},
      { cause },
    );
  }
}

function refuseUnlikely({ format, width, height }: Metadata): void {
  if (format === "svg") throw new Error("it is a drawing, not pixels");
  if (Math.max(width, height) > MOST_TIMES_AS_LONG * Math.min(width, height))
    throw new Error(`${width}x${height} is too thin`);
}
