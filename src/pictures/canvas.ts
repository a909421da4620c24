import sharp, { type OverlayOptions } from "sharp";
import type { PictureSize } from "../core/options.js";
import { replaceFile } from "../files/replace-file.js";
import { COLORS } from "./pair-card.js";
import { withPngText } from "./png-text.js";

/**
 * Discord takes attachments of 10 MB on a server without boosts; the rest of that is left to the originals.
 */
const MAX_BYTES = 8_000_000;
const SHRINK = 0.85;

/** Writes layers on the background as a PNG, whole or not at all, scaled down until it is under 8 MB. */
export async function writeCanvas(
  file: string,
  size: PictureSize,
  layers: readonly OverlayOptions[],
  texts: Readonly<Record<string, string>>,
): Promise<PictureSize> {
  const canvas = await sharp({ create: { ...size, channels: 3, background: COLORS.background } })
    .composite([...layers])
    .png()
    .toBuffer();
  let { width, height } = size;
  let png = withPngText(canvas, texts);
  while (png.length >= MAX_BYTES) {
    width = Math.round(width * SHRINK);
    height = Math.round(height * SHRINK);
    png = withPngText(await sharp(canvas).resize(width, height, { fit: "fill" }).png().toBuffer(), texts);
  }
  await replaceFile(file, png);
  return { width, height };
}
