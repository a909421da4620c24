import sharp from "sharp";
import { COLORS } from "./pair-card.js";
import { renderText } from "./text.js";

/** Pixels of the shorter side at least: a miniature's pictures would be stamps. */
const MIN_SIDE = 384;
const STRIP = 48;
const LETTER = { weight: "bold", size: 32, color: COLORS.prompt } as const;

/**
 * The picture as a PNG under a strip with a letter. Nothing else tells what it is: the text inside the file
 * that says how it was made is left out.
 */
export async function lettered(picture: Buffer, letter: string): Promise<Buffer> {
  const size = await sharp(picture).metadata();
  const factor = Math.max(1, Math.ceil(MIN_SIDE / Math.min(size.width, size.height)));
  const [width, height] = [size.width * factor, size.height * factor];
  const [enlarged, text] = await Promise.all([
    sharp(picture).resize(width, height).png().toBuffer(),
    renderText(letter, LETTER, width, 1),
  ]);
  const raw = { width: text.width, height: text.height, channels: 4 } as const;
  return sharp({ create: { width, height: STRIP + height, channels: 3, background: COLORS.background } })
    .composite([
      { input: enlarged, left: 0, top: STRIP },
      ...(text.pixels === null
        ? []
        : [
            {
              input: text.pixels,
              raw,
              left: Math.floor((width - text.width) / 2),
              top: Math.floor((STRIP - text.height) / 2),
            },
          ]),
    ])
    .png()
    .toBuffer();
}
