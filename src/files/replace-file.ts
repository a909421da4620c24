import { type FileHandle, mkdir, open, rename, rm, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

let written = 0;

export interface ReplaceOptions {
  /** The file's modification time; now by default. */
  readonly modified?: Date;
}

/**
 * Replaces a file atomically and durably: a reader of `path`, even after a power cut, sees the old content or
 * the new, never a part. Creates the folder if needed.
 *
 * System errors, such as a full disk, pass through; the temporary file is removed first.
 * @param content the content, or a function that writes it to an open file
 */
export async function replaceFile(
  path: string,
  content: Uint8Array | string | ((file: FileHandle) => Promise<void>),
  { modified }: ReplaceOptions = {},
): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  // In the same folder, because a rename is atomic only within one file system. The name is not random: a
  // container gives the same process ids at each start, so what a killed process left is overwritten and
  // cannot fill the disk.
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
 * Makes a new file name durable: the name is stored in its folder, which has a cache of its own. Windows
 * writes names through.
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
