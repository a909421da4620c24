import { readdir, readFile, rm, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { DiskError, isMissing } from "../core/errors.js";
import { newId } from "../core/job-id.js";
import type { Side } from "../core/side.js";
import { isUnfinished, makeFolder, replaceFile } from "../files/replace-file.js";

/** One stored picture: a file that belongs to a job. */
export interface PictureKey {
  readonly jobId: string;
  /** File name as stored in a row, such as `1-baseline.png`. */
  readonly file: string;
}

/**
 * Owns all pictures of jobs: names, writes, reads and deletes every one. A folder on this machine is one
 * implementation. All methods throw system errors, but a missing picture gives null or false, not an error.
 */
export interface PictureStore {
  /** Calls `write` with the absolute path of a file to write, and stores that file. */
  create<T>(key: PictureKey, write: (path: string) => Promise<T>): Promise<T>;
  /** Stores a file that is complete. */
  write(key: PictureKey, content: Uint8Array): Promise<void>;
  /** An absolute path where a worker on this machine can read the picture. */
  localPath(key: PictureKey): Promise<string>;
  read(key: PictureKey): Promise<Buffer | null>;
  /** In bytes. */
  size(key: PictureKey): Promise<number | null>;
  /** Returns false if the source is gone. */
  copy(from: PictureKey, to: PictureKey): Promise<boolean>;
  /** Deletes all pictures of a job; the job may have none. */
  remove(jobId: string): Promise<void>;

  /**
   * The name under which an attempt of a job stores a file. Where several programs may work on one job, because one
   * of them is taken for dead, each attempt has a name of its own, so a late one overwrites nothing.
   */
  nameOf(file: string, attempt: number): string;

  /**
   * Deletes what was left of pictures whose writing began before `before` (milliseconds since the epoch) and
   * never ended, because the process was killed. Returns how many there were.
   */
  removeUnfinished(before: number): Promise<number>;

  /** Every job that has pictures, including jobs without a row, by its id. */
  jobs(): Promise<ReadonlyMap<string, JobPictures>>;
}

/** All pictures of one job. */
export interface JobPictures {
  /** Their total size. */
  readonly bytes: number;
  /** When one of them was last added or removed, in milliseconds since the epoch, as far as the store knows. */
  readonly touchedAt: number;
}

/** File name of an item's picture; numbered from 1, as people count. */
export const sideFile = (item: number, side: Side): string => `${item + 1}-${side}.png`;
export const comparisonFile = (item: number): string => `${item + 1}-comparison.png`;
/** @param number from 1 */
export const sheetFile = (number: number): string => `contact-sheet-${number}.png`;

/**
 * Name of the variant of a comparison or contact sheet that replaces flagged pictures with blank panels:
 * `1-comparison.png` -> `1-comparison-withheld.png`. It exists if any of its pictures is flagged.
 */
export const withheldVariant = (file: string): string => {
  const ending = extname(file);
  return `${file.slice(0, file.length - ending.length)}-withheld${ending}`;
};

/** Such as `1-baseline-attempt-3.png`. */
export const attemptName = (file: string, attempt: number): string => {
  const ending = extname(file);
  return `${file.slice(0, file.length - ending.length)}-attempt-${attempt}${ending}`;
};

/** Not a job's. */
const MARK = { jobId: ".promptist-store", file: "mark" } as const;

/**
 * A mark that a store keeps from its first use on, by which hosts see whether they share one. Throws what the store
 * throws.
 */
export async function markOf(store: PictureStore): Promise<string> {
  const known = await readMark(store);
  if (known !== null) return known;
  await store.write(MARK, Buffer.from(newId()));
  // Another host may have been as quick.
  return (await readMark(store)) ?? "";
}

/** The mark of a store; null where no host has used it yet. */
export const readMark = async (store: PictureStore): Promise<string | null> =>
  (await store.read(MARK))?.toString() ?? null;

/**
 * Writes, lists, reads and deletes a small file, as the program itself will. Throws what the store throws, and DiskError
 * PICTURES_UNREACHABLE where it gives back something else.
 */
export async function checkStore(store: PictureStore): Promise<void> {
  const key = { jobId: newId(), file: "check.png" };
  const failed = (why: string) => new DiskError("PICTURES_UNREACHABLE", `The picture store failed: ${why}`);
  await store.write(key, Buffer.from("promptist"));
  try {
    if (!(await store.jobs()).has(key.jobId)) throw failed("it does not list what was just stored");
    if ((await store.read(key))?.toString() !== "promptist")
      throw failed("it returns other bytes than it was given");
  } finally {
    await store.remove(key.jobId);
  }
}

/** Keeps pictures in `<folder>/<job id>/<file>`. */
export class PictureFolder implements PictureStore {
  readonly #folder: string;
  readonly #isShared: boolean;

  /** @param options.isShared whether several programs write to it */
  constructor(folder: string, options: { readonly isShared?: boolean } = {}) {
    this.#folder = folder;
    this.#isShared = options.isShared ?? false;
  }

  async create<T>(key: PictureKey, write: (path: string) => Promise<T>): Promise<T> {
    await makeFolder(this.#ofJob(key.jobId));
    return write(this.#path(key));
  }

  async write(key: PictureKey, content: Uint8Array): Promise<void> {
    await replaceFile(this.#path(key), content);
  }

  async localPath(key: PictureKey): Promise<string> {
    return this.#path(key);
  }

  async read(key: PictureKey): Promise<Buffer | null> {
    return (await readFile(this.#path(key)).catch(unlessMissing)) ?? null;
  }

  async size(key: PictureKey): Promise<number | null> {
    return (await stat(this.#path(key)).catch(unlessMissing))?.size ?? null;
  }

  async copy(from: PictureKey, to: PictureKey): Promise<boolean> {
    const picture = await this.read(from);
    if (picture === null) return false;
    await this.write(to, picture);
    return true;
  }

  async remove(jobId: string): Promise<void> {
    await rm(this.#ofJob(jobId), { recursive: true, force: true, maxRetries: 3 });
  }

  nameOf(file: string, attempt: number): string {
    return this.#isShared ? attemptName(file, attempt) : file;
  }

  async removeUnfinished(before: number): Promise<number> {
    let removed = 0;
    for (const jobId of await namesIn(this.#folder)) {
      for (const file of (await namesIn(this.#ofJob(jobId))).filter(isUnfinished)) {
        const path = this.#path({ jobId, file });
        const found = await stat(path).catch(unlessMissing);
        if (found === undefined || found.mtimeMs >= before) continue;
        await rm(path, { force: true });
        removed++;
      }
    }
    return removed;
  }

  async jobs(): Promise<ReadonlyMap<string, JobPictures>> {
    const jobs = new Map<string, JobPictures>();
    for (const jobId of await namesIn(this.#folder)) {
      if (jobId === MARK.jobId) continue;
      const folder = await stat(this.#ofJob(jobId)).catch(unlessMissing);
      if (folder === undefined) continue;
      let bytes = 0;
      for (const file of await namesIn(this.#ofJob(jobId))) bytes += (await this.size({ jobId, file })) ?? 0;
      jobs.set(jobId, { bytes, touchedAt: folder.mtimeMs });
    }
    return jobs;
  }

  #ofJob(jobId: string): string {
    return join(this.#folder, jobId);
  }

  #path({ jobId, file }: PictureKey): string {
    return join(this.#folder, jobId, file);
  }
}

const namesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder).catch(unlessMissing)) ?? [];

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
