import { type FileHandle, mkdir, open, rename, rm, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DiskError, isMissing } from "../core/errors.js";

let written = 0;

/** Whether a file of this name is one that `replaceFile` had not finished. */
export const isUnfinished = (name: string): boolean => /^\..+\.\d+-\d+\.tmp$/.test(name);

/**
 * Creates a folder and those above it, if needed; only the owner may look into new ones. Throws system
 * errors, and DiskError DISK_READ_ONLY.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw refusedWrite(folder, isMissing(error) ? await reasonOf(error as NodeJS.ErrnoException) : error);
  }
}

/** With `recursive`, Node reports a read-only disk as ENOENT; without, as what it is. */
const reasonOf = (error: NodeJS.ErrnoException): Promise<unknown> =>
  mkdir(error.path ?? "", { mode: 0o700 }).then(
    () => error,
    (reason) => reason,
  );

/** DiskError DISK_READ_ONLY if the system does not allow the write, else the error itself. */
function refusedWrite(path: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  // Windows also refuses to replace a file that another program has open.
  if (process.platform === "win32" && syscall === "rename") return error;
  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") return error;
  return new DiskError("DISK_READ_ONLY", `${path} cannot be written (${code}).`, { cause: error });
}

export interface ReplaceOptions {
  /** The file's modification time; now by default. */
  readonly modified?: Date;
}

/**
 * Replaces a file atomically and durably: a reader of `path`, even after a power cut, sees the old content or
 * the new, never a part. Creates the folder if needed.
 *
 * System errors, such as a full disk, pass through; the temporary file is removed first. Throws DiskError
 * DISK_READ_ONLY if nothing may be written there.
 * @param content the content, or a function that writes it to an open file
 */
export async function replaceFile(
  path: string,
  content: Uint8Array | string | ((file: FileHandle) => Promise<void>),
  { modified }: ReplaceOptions = {},
): Promise<void> {
  const folder = dirname(path);
  await makeFolder(folder);
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
    const refused = refusedWrite(path, error);
    await rm(temporary, { force: true }).catch((left) => {
      // Where nothing may be written, nothing may be removed.
      if (refused === error) throw left;
    });
    throw refused;
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
