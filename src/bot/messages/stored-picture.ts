import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { isMissing } from "../../core/errors.js";
import type { Item, Job } from "../../core/job.js";
import type { Side } from "../../db/sqlite/votes.js";
import { clip } from "../discord/markdown.js";
import { ALT_TEXT_MAX, type OutgoingFile } from "../discord/outgoing.js";

/** One picture of a job on the disk. */
export interface StoredPicture {
  /** Absolute path. */
  readonly path: string;
  /** Name that people see, with its ending. */
  readonly name: string;
  readonly alt: string;
}

/**
 * A picture of a job by the file that a row names, as `name` plus the file's ending; null where the row names none.
 * Every picture that is posted or packed passes here; whether it may be is asked before (picture-policy.ts).
 */
export function storedPicture(
  job: Job,
  picturesDir: string,
  file: string | null,
  name: string,
  alt: string,
): StoredPicture | null {
  if (file === null) return null;
  return { path: join(picturesDir, job.id, file), name: `${name}${extname(file)}`, alt };
}

/** The picture as a file of a message; null where it is gone from the disk. */
export async function readPicture(picture: StoredPicture | null): Promise<OutgoingFile | null> {
  if (picture === null) return null;
  try {
    const data = await readFile(picture.path);
    return { name: picture.name, data, description: clip(picture.alt, ALT_TEXT_MAX) };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Both pictures of an item, as far as they are drawn and may be shown, named by the item's number. */
export function pairOf(
  job: Job,
  { index, baseline, drawn, prompt, optimized }: Item,
  picturesDir: string,
  shows: (side: Side) => boolean,
): StoredPicture[] {
  const number = String(index + 1).padStart(String(job.items.length).length, "0");
  const of = (file: string | null, side: Side, alt: string) =>
    shows(side) ? storedPicture(job, picturesDir, file, `${number}-${side}`, alt) : null;
  return [of(baseline, "baseline", prompt), of(drawn, "optimized", optimized ?? "")].filter(
    (picture) => picture !== null,
  );
}
