import { type FileHandle, mkdir, open, rename, rm, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

let written = 0;

export interface ReplaceOptions {
  /** The file's modification time; default: now. */
  readonly modified?: Date;
}

/**
 * Writes a file whole or not at all. It is on the disk when this returns: a reader of `path`, even after a
 * power cut, sees the old content or the new, never a part. Makes the folder if need be.
 *
 * System errors, such as a full disk, pass through; the temporary file is gone then.
 * @param content all of it, or what writes it to an open file
 */
export async function replaceFile(
  path: string,
  content: Uint8Array | string | ((file: FileHandle) => Promise<void>),
  { modified }: ReplaceOptions = {},
): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  // In the same folder, because a rename is atomic within one file system only. Not random: in a container,
  // which gives the same process ids at each start, what a killed process left is written over and does not
  // fill the disk.
  const temporary = join(folder, `.${basename(path)}.${process.pid}-${written++}.tmp`);
  try {
    const file = await open(temporary, "w");
    try {
      if (typeof content === "function") await content(file);
      else await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    if (modified !== undefined) await utimes(temporary, modified, modified);
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Makes a new name durable: it lies in its folder, which has a cache of its own. Windows writes names
 * through.
 */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
