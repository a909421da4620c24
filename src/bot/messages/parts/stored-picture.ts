import { extname } from "node:path";
import sharp from "sharp";
import { drawnSides, type Item, type Job } from "../../../core/job.js";
import { type PictureSize, showSize } from "../../../core/options.js";
import { SIDES, type Side } from "../../../core/side.js";
import type { PictureKey, PictureStore } from "../../../pictures/store.js";
import { clip } from "../../discord/markdown.js";
import { ALT_TEXT_MAX, type OutgoingFile } from "../../discord/outgoing.js";

/** A picture of a job, with the name that people see. */
export interface NamedPicture {
  readonly key: PictureKey;
  /** With its ending. */
  readonly name: string;
  readonly alt: string;
}

/**
 * The picture in a job's file, named `name` plus the file's ending; null where there is no file. Every
 * picture that is posted or packed passes here; picture-policy.ts has decided before whether it may be.
 */
export function namedPicture(job: Job, file: string | null, name: string, alt: string): NamedPicture | null {
  if (file === null) return null;
  return { key: { jobId: job.id, file }, name: `${name}${extname(file)}`, alt };
}

/** The picture as a file of a message; null where it is gone. */
export async function readPicture(
  pictures: PictureStore,
  picture: NamedPicture | null,
): Promise<OutgoingFile | null> {
  const data = picture === null ? null : await pictures.read(picture.key);
  if (picture === null || data === null) return null;
  return { name: picture.name, data, description: clip(picture.alt, ALT_TEXT_MAX) };
}

/** The size of a job's pictures, such as `512x768`; null where none is there. */
export async function sizeOf(job: Job, pictures: PictureStore): Promise<string | null> {
  const [drawn] = job.items.flatMap((item) => SIDES.flatMap((side) => item.pictures[side] ?? []));
  const found = drawn === undefined ? null : await sizeOfFile({ jobId: job.id, file: drawn.file }, pictures);
  const size = found ?? (job.kind === "optimize" ? null : job.image.size);
  return size === null ? null : showSize(size);
}

/** The size of a stored picture; null where it is gone. */
export async function sizeOfFile(key: PictureKey, pictures: PictureStore): Promise<PictureSize | null> {
  const data = await pictures.read(key);
  if (data === null) return null;
  const { width, height } = await sharp(data).metadata();
  return { width, height };
}

/** The pictures of an item that are drawn and may be shown, named by the item's number. */
export function pairOf(job: Job, item: Item, shows: (side: Side) => boolean): NamedPicture[] {
  const { index, pictures, prompt, rewrite } = item;
  const number = String(index + 1).padStart(String(job.items.length).length, "0");
  const alt = { baseline: prompt, optimized: rewrite ?? "" };
  return drawnSides(item)
    .filter(shows)
    .flatMap((side) => namedPicture(job, pictures[side]?.file ?? null, `${number}-${side}`, alt[side]) ?? []);
}
