import sharp from "sharp";
import { InputError } from "../core/errors.js";
import type { Rgb } from "./rgb.js";

/**
 * Reads a picture file's pixels as displayed: rotated as its metadata says, transparency on white. Throws
 * InputError FILE_*.
 */
export async function readPicture(file: string): Promise<Rgb> {
  try {
    const { data, info } = await sharp(file)
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
