import { chmodSync, existsSync, rmSync } from "node:fs";
import type Database from "better-sqlite3";
import { QueueError } from "../../core/errors.js";
import { openKept } from "./kept-database.js";
import { createPrivately } from "./open.js";
import { toQueueError } from "./sqlite-error.js";

/**
 * More than any queue has: all in one step, since a write of another process would make SQLite start over.
 */
const ALL_PAGES = 2 ** 31 - 1;

/**
 * Copies the database of a program that may be running into `target`, as it is at one moment; neither waits
 * for the other. The copy is complete without the log beside the source, and is checked before it counts.
 *
 * Throws QueueError: CONFIG where there is no source or `target` exists, DISK_FULL, QUEUE_BUSY_DATABASE.
 * @returns the copy's size in bytes
 */
export async function backupDatabase(source: string, target: string): Promise<number> {
  if (!existsSync(source)) throw new QueueError("CONFIG", `There is no database at ${source} yet.`);
  if (existsSync(target)) {
    throw new QueueError("CONFIG", `${target} exists already. Choose another file, or remove it first.`);
  }
  createPrivately(target);
  let db: Database.Database | undefined;
  try {
    db = openKept(source, { readonly: true });
    const { totalPages } = await db.backup(target, { progress: () => ALL_PAGES });
    const bytes = totalPages * (db.pragma("page_size", { simple: true }) as number);
    checkCopy(target);
    return bytes;
  } catch (error) {
    rmSync(target, { force: true });
    throw toQueueError(error, source);
  } finally {
    db?.close();
  }
}

/** Makes the copy one file that needs no log beside it, and reads it through. */
function checkCopy(target: string): void {
  const copy = openKept(target);
  try {
    copy.pragma("journal_mode = DELETE");
    const verdict = copy.pragma("integrity_check", { simple: true });
    if (verdict !== "ok") throw new QueueError("INTERNAL", `The copy is damaged: ${verdict}`);
  } finally {
    copy.close();
  }
  chmodSync(target, 0o600);
}
