import { extname } from "node:path";
import sharp from "sharp";
import { readPngText, withPngText } from "../../../pictures/png-text.js";
import type { OutgoingFile } from "../../discord/outgoing.js";

/** Bytes that one message may carry. */
export interface SizeLimit {
  readonly perFile: number;
  readonly total: number;
}

/**
 * Discord's default limit of one attachment, and a message's 25 MiB less room for the rest of the request.
 */
export const CHANNEL_LIMIT: SizeLimit = { perFile: 10 * 2 ** 20, total: 24 * 2 ** 20 };

/** Each step is smaller than the one before: lossy first, then fewer pixels. */
const STEPS: readonly { readonly quality: number; readonly scale: number }[] = [
  { quality: 92, scale: 1 },
  { quality: 80, scale: 1 },
  { quality: 80, scale: 0.5 },
  { quality: 70, scale: 0.25 },
  { quality: 60, scale: 0.1 },
];

/**
 * Makes pictures fit a message: those that are too large, then the largest ones until the sum fits, become
 * WebP of lower quality and size. Answers them in the given order, null for one that does not fit even at the
 * last step, and whether any was changed.
 */
export async function fitPictures(
  originals: readonly OutgoingFile[],
  limit: SizeLimit,
): Promise<{ files: (OutgoingFile | null)[]; shrunk: boolean }> {
  const fitted = await Promise.all(
    originals.map(async (file) => shrinkUntil({ file, step: -1 }, file, limit.perFile)),
  );
  while (sum(fitted) > limit.total) {
    const largest = fitted.reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a));
    const index = fitted.indexOf(largest);
    fitted[index] = await shrinkUntil(largest, originals[index]!, sizeOf(largest) - 1);
  }
  return { files: fitted.map(({ file }) => file), shrunk: fitted.some(({ step }) => step >= 0) };
}

/** The longest side below which Discord shows a picture that stands alone as a stamp. */
const STAMP = 256;

/**
 * A picture that is too small to be looked at, enlarged by a whole number of times, with the texts of its PNG;
 * any other as it is.
 */
export async function enlargeStamp(file: OutgoingFile): Promise<{ file: OutgoingFile; times: number }> {
  const { format, width = 0, height = 0 } = await sharp(file.data).metadata();
  const longest = Math.max(width, height);
  if (format !== "png" || longest === 0 || longest >= STAMP) return { file, times: 1 };
  const times = Math.ceil(STAMP / longest);
  const png = await sharp(file.data)
    .resize({ width: width * times, height: height * times, kernel: "cubic" })
    .png()
    .toBuffer();
  return { file: { ...file, data: withPngText(png, readPngText(file.data)) }, times };
}

interface Fitted {
  readonly file: OutgoingFile | null;
  /** Index in STEPS, or -1 for the original. */
  readonly step: number;
}

const sizeOf = ({ file }: Fitted): number => file?.data.length ?? 0;
const sum = (all: readonly Fitted[]): number => all.reduce((bytes, one) => bytes + sizeOf(one), 0);

async function shrinkUntil(from: Fitted, original: OutgoingFile, maxBytes: number): Promise<Fitted> {
  let { file, step } = from;
  while (file !== null && file.data.length > maxBytes) {
    step += 1;
    const next = STEPS[step];
    file = next === undefined ? null : await toWebp(original, next.quality, next.scale);
  }
  return { file, step };
}

async function toWebp(original: OutgoingFile, quality: number, scale: number): Promise<OutgoingFile> {
  const picture = sharp(original.data);
  const { width } = await picture.metadata();
  const data = await picture
    .resize({ width: Math.max(1, Math.round(width * scale)) })
    .webp({ quality })
    .toBuffer();
  return {
    ...original,
    name: `${original.name.slice(0, -extname(original.name).length || undefined)}.webp`,
    data,
  };
}
