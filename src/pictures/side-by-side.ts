import sharp from "sharp";

const GAP = 16;
/** Pixels of each picture's shorter side at least: a miniature's pictures would be stamps. */
const MIN_SIDE = 384;
const BACKGROUND = "#2b2d31";

/** Two pictures of one size beside each other, without labels, as a PNG. */
export async function sideBySide(left: Buffer, right: Buffer): Promise<Buffer> {
  const size = await sharp(left).metadata();
  const factor = Math.max(1, Math.ceil(MIN_SIDE / Math.min(size.width, size.height)));
  const [width, height] = [size.width * factor, size.height * factor];
  const [one, other] = await Promise.all(
    [left, right].map((picture) => sharp(picture).resize(width, height).png().toBuffer()),
  );
  return sharp({
    create: { width: 2 * width + GAP, height, channels: 3, background: BACKGROUND },
  })
    .composite([
      { input: one!, left: 0, top: 0 },
      { input: other!, left: width + GAP, top: 0 },
    ])
    .png()
    .toBuffer();
}

/** The picture as a PNG without the text that says how it was made. */
export const withoutText = (picture: Buffer): Promise<Buffer> => sharp(picture).png().toBuffer();
