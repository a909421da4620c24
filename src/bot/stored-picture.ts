import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Item, Job } from "../core/job.js";
import { clip } from "./markdown.js";
import { ALT_TEXT_MAX, type OutgoingFile } from "./outgoing.js";

/** One picture of a job on the disk. */
export interface StoredPicture {
  /** The items that it shows: one, or those of a contact sheet. */
  readonly items: readonly number[];
  /** Absolute path. */
  readonly path: string;
  /** Name that people see, with its ending. */
  readonly name: string;
  readonly alt: string;
}

/**
 * A picture of a job by the file that a row names, as `name` plus the file's ending; null where the row names none.
 * Every picture that is posted, packed or shown passes here.
 */
export function storedPicture(
  job: Job,
  picturesDir: string,
  items: readonly number[],
  file: string | null,
  name: string,
  alt: string,
): StoredPicture | null {
  if (file === null) return null;
  return { items, path: join(picturesDir, job.id, file), name: `${name}${extname(file)}`, alt };
}

/** The picture as a file of a message; null where it is gone from the disk. */
export async function readPicture(picture: StoredPicture | null): Promise<OutgoingFile | null> {
  if (picture === null) return null;
  try {
    const data = await readFile(picture.path);
    return { name: picture.name, data, description: clip(picture.alt, ALT_TEXT_MAX) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Both pictures of an item, as far as they are drawn, named by the item's number. */
export function pairOf(
  job: Job,
  { index, baseline, drawn, prompt, optimized }: Item,
  picturesDir: string,
): StoredPicture[] {
  const number = String(index + 1).padStart(String(job.items.length).length, "0");
  const of = (file: string | null, side: string, alt: string) =>
    storedPicture(job, picturesDir, [index], file, `${number}-${side}`, alt);
  return [of(baseline, "baseline", prompt), of(drawn, "optimized", optimized ?? "")].filter(
    (picture) => picture !== null,
  );
}
