import { extname } from "node:path";
import sharp from "sharp";
import type { OutgoingFile } from "../discord/outgoing.js";

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
