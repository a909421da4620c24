import { join } from "node:path";
import Database from "better-sqlite3";
import { QueueError } from "../../core/errors.js";
import { openKept } from "./kept-database.js";
import { createPrivately } from "./open.js";
import { toQueueError } from "./sqlite-error.js";

export interface InstanceLock {
  /** Lets another program have the data folder. The end of the process does the same, however it comes. */
  release(): void;
}

/**
 * Makes this process the only program on a data folder: `recover()` takes every running job for an orphan,
 * which is true only while nobody else works. Throws QueueError QUEUE_LOCKED when another program has the
 * folder.
 *
 * The lock is SQLite's own exclusive lock on `instance.lock`, which the operating system drops when the
 * process dies, also by kill -9 or a power cut, on Linux, macOS and Windows. Rejected: a file with a pid
 * (stale after a crash, and pids are used again), and `locking_mode = EXCLUSIVE` on the queue's own file (no
 * backup and no admin's look at the queue while the program runs). It holds on local disks; network folders
 * often do not lock. The handle is kept (kept-database.ts): a collected one closes its file, and the lock is gone.
 */
export function lockInstance(dataDir: string): InstanceLock {
  const file = join(dataDir, "instance.lock");
  createPrivately(file);
  let db: Database.Database | undefined;
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
  const lock = db;
  return { release: () => void lock.close() };
}
