import { readdir, readFile, rm, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { isMissing } from "../core/errors.js";
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
   * Deletes what was left of pictures whose writing began before `before` (milliseconds since the epoch) and
   * never ended, because the process was killed. Returns how many there were.
   */
  removeUnfinished(before: number): Promise<number>;

  /** Ids of the jobs that have pictures, including jobs without a row. */
  jobIds(): Promise<string[]>;
  /** Total size of a job's pictures in bytes. */
  sizeOfJob(jobId: string): Promise<number>;
  /**
   * When a picture of the job was last added or removed, in milliseconds since the epoch; null if it has
   * none.
   */
  touchedAt(jobId: string): Promise<number | null>;
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

/** Keeps pictures in `<folder>/<job id>/<file>`. */
export class PictureFolder implements PictureStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
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

  async removeUnfinished(before: number): Promise<number> {
    let removed = 0;
    for (const jobId of await this.jobIds()) {
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

  async jobIds(): Promise<string[]> {
    return namesIn(this.#folder);
  }

  async sizeOfJob(jobId: string): Promise<number> {
    let bytes = 0;
    for (const file of await namesIn(this.#ofJob(jobId))) bytes += (await this.size({ jobId, file })) ?? 0;
    return bytes;
  }

  async touchedAt(jobId: string): Promise<number | null> {
    return (await stat(this.#ofJob(jobId)).catch(unlessMissing))?.mtimeMs ?? null;
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
