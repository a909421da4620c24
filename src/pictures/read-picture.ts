import { stat } from "node:fs/promises";
import sharp, { type Metadata } from "sharp";
import { InputError } from "../core/errors.js";
import { IMAGE_RANGES, type PictureSize } from "../core/options.js";
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

/** A picture to go on from, as a PNG without anything but its pixels. */
export interface DecodedSource extends PictureSize {
  readonly png: Buffer;
  /** Only the first frame is taken. */
  readonly isAnimated: boolean;
}

const SOURCE_FORMATS: readonly string[] = ["png", "jpeg", "webp", "gif"];
/** Longest side of a stored source: twice the largest that is drawn. */
const SOURCE_SIDE = 2 * IMAGE_RANGES.side.max;

/**
 * Decodes a file that a person attached, as it is displayed: its first frame, rotated as its metadata says,
 * transparency on white, larger ones made smaller. What its header says is checked before.
 * @throws InputError PICTURE_TYPE, PICTURE_PIXELS or PICTURE_SHAPE (damaged)
 */
export async function decodeSource(bytes: Uint8Array): Promise<DecodedSource> {
  const { format, width, height, pages = 1 } = await headerOf(bytes);
  if (!SOURCE_FORMATS.includes(format))
    throw new InputError("PICTURE_TYPE", `A file of the type ${format} is no PNG, JPEG or WebP.`);
  if (width * height > MOST_PIXELS || isThin(width, height))
    throw new InputError("PICTURE_PIXELS", `The picture has ${width}x${height} pixels.`, {
      limit: MOST_PIXELS,
    });
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: MOST_PIXELS })
      .rotate()
      .resize({ width: SOURCE_SIDE, height: SOURCE_SIDE, fit: "inside", withoutEnlargement: true })
      .flatten({ background: "#fff" })
      .toColourspace("srgb")
      .png({ compressionLevel: 3 })
      .toBuffer({ resolveWithObject: true });
    return { png: data, width: info.width, height: info.height, isAnimated: pages > 1 };
  } catch (cause) {
    throw new InputError("PICTURE_SHAPE", "The picture can't be decoded: it is damaged.", {}, { cause });
  }
}

async function headerOf(bytes: Uint8Array): Promise<Metadata> {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw new InputError("PICTURE_TYPE", "The file is no picture.", {}, { cause });
  }
}

const isThin = (width: number, height: number): boolean =>
  Math.max(width, height) > MOST_TIMES_AS_LONG * Math.min(width, height);

function refuseUnlikely({ format, width, height }: Metadata): void {
  if (format === "svg") throw new Error("it is a drawing, not pixels");
  if (isThin(width, height)) throw new Error(`${width}x${height} is too thin`);
}
