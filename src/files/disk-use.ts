import { lstat, opendir, statfs } from "node:fs/promises";
import { join } from "node:path";

export interface DiskUse {
  readonly folder: string;
  /** Size of all files in the folder. */
  readonly bytes: number;
  /** What is left on the folder's disk for this user, in bytes. */
  readonly free: number;
}

/**
 * A function that tells how full the disk of `folder` is. The free space is read at each call; the files are
 * counted anew only `everyMs` after the last count, because there may be very many.
 */
export function diskUse(folder: string, everyMs = 60_000): () => Promise<DiskUse> {
  let counted = { at: Number.NEGATIVE_INFINITY, bytes: Promise.resolve(0) };
  return async () => {
    if (performance.now() - counted.at >= everyMs)
      counted = { at: performance.now(), bytes: bytesIn(folder) };
    const [bytes, { bavail, bsize }] = await Promise.all([counted.bytes, statfs(folder)]);
    return { folder, bytes, free: bavail * bsize };
  };
}

/** What is deleted meanwhile or may not be read counts as nothing, and a link is not followed. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for await (const entry of await opendir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) bytes += await bytesIn(path);
      else if (entry.isFile()) bytes += await sizeOf(path);
    }
  } catch (error) {
    passOver(error);
  }
  return bytes;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    passOver(error);
    return 0;
  }
}

/** @throws error, unless something is gone or belongs to somebody else (such as lost+found) */
function passOver(error: unknown): void {
  if (!["ENOENT", "ENOTDIR", "EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? ""))
    throw error;
}
