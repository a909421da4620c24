import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { QueueError } from "../../core/errors.js";
import { openKept } from "./kept-database.js";
import { createPrivately } from "./open.js";
import { toQueueError } from "./sqlite-error.js";

export interface InstanceLock {
  /**
   * Whether this process still is the only program on the data folder; false when another one has it. A lock file
   * that was removed or replaced is locked again, or made again where the folder exists. Throws QueueError if it
   * cannot be made.
   */
  keep(): boolean;
  /** Lets another program have the data folder. The end of the process does the same, however it comes. */
  release(): void;
}

interface Held {
  readonly db: Database.Database;
  readonly file: string;
  readonly folder: string | null;
}

/** Tells a file or folder from all others, by device and number, whatever its path; null if there is none. */
export function identityOf(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}

/** The folder to lock for a database: where it really is, since two data folders may link to one. */
export const folderOfDatabase = (file: string): string =>
  dirname(existsSync(file) ? realpathSync(file) : file);

/**
 * Makes this process the only program on a data folder: `recover("all")` takes every running job for an orphan,
 * which is true only while nobody else works. Throws QueueError QUEUE_LOCKED when another program has the
 * folder.
 *
 * The lock is SQLite's own exclusive lock on `instance.lock`, which the operating system drops when the
 * process dies, also by kill -9 or a power cut, on Linux, macOS and Windows. It holds the file, not its name: where
 * the file is removed, `keep` has to make it again. Rejected: a file with a pid (stale after a crash, and pids are
 * used again), and `locking_mode = EXCLUSIVE` on the queue's own file (no backup and no admin's look at the queue
 * while the program runs). It holds on local disks; network folders often do not lock. The handle is kept
 * (kept-database.ts): a collected one closes its file, and the lock is gone.
 */
export function lockInstance(dataDir: string): InstanceLock {
  let held = [lockFile(dataDir)];
  return {
    keep() {
      const file = identityOf(join(dataDir, "instance.lock"));
      if (held.some((it) => it.file === file)) return true;
      const folder = identityOf(dataDir);
      // Nobody can have a folder that is gone, and making one would hide the loss.
      if (folder === null) return true;
      try {
        held.push(lockFile(dataDir));
      } catch (error) {
        if (error instanceof QueueError && error.code === "QUEUE_LOCKED") return false;
        throw error;
      }
      // A folder that was moved away still has our database in it, so it stays locked.
      const removed = held.filter((it) => it.folder === folder).slice(0, -1);
      for (const { db } of removed) db.close();
      held = held.filter((it) => !removed.includes(it));
      return true;
    },
    release() {
      for (const { db } of held) db.close();
    },
  };
}

function lockFile(dataDir: string): Held {
  const file = join(dataDir, "instance.lock");
  for (;;) {
    let db: Database.Database | undefined;
    createPrivately(file);
    const before = identityOf(file);
    try {
      db = openKept(file, { timeout: 0 });
      db.exec("begin exclusive");
    } catch (error) {
      db?.close();
      if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) {
        throw new QueueError(
          "QUEUE_LOCKED",
          `Another Promptist is running on the data folder ${dataDir}. Stop it first, or give this one a data folder of its own.`,
          { cause: error },
        );
      }
      throw toQueueError(error, file);
    }
    if (before !== null && identityOf(file) === before)
      return { db, file: before, folder: identityOf(dataDir) };
    // Removed or replaced meanwhile, so that the next program would lock another file.
    db.close();
  }
}
