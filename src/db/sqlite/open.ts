import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type Database from "better-sqlite3";
import { QueueError } from "../../core/errors.js";
import { openKept } from "./kept-database.js";
import { migrate } from "./migrate.js";
import { toQueueError } from "./sqlite-error.js";

/**
 * How long the start waits for another process' write (a backup, an admin's shell) before
 * QUEUE_BUSY_DATABASE.
 */
const START_BUSY_MS = 5_000;
/**
 * After the start, a wait inside SQLite would block the event loop, so calls wait outside (connection.ts).
 */
const BUSY_MS = 20;

/**
 * Opens the database, makes it where there is none (file 0600 in a folder 0700; Windows has no such modes)
 * and brings its schema up to date.
 *
 * Throws QueueError: QUEUE_NEWER_SCHEMA when a newer program wrote it, DISK_FULL, DISK_FAILED,
 * QUEUE_BUSY_DATABASE, and CONFIG when the file cannot be opened, is not ours or has a second name.
 *
 * `synchronous = FULL`: in WAL mode NORMAL syncs at checkpoints only, so a power cut takes back the last
 * transactions, a stored result and its "delivered" mark among them. FULL syncs the log at each commit
 * (`fullfsync` makes macOS wait for the disk, too). Its price, measured by bench/queue.mjs on the virtual
 * disk of a busy 2-core machine: a commit takes 0.4 to 3.7 ms (medians of 500, as the disk is busy) instead
 * of 0.04 ms. A job commits about ten times while it computes for seconds to minutes, so it costs 40 ms of
 * them at most.
 */
export function openDatabase(file: string): Database.Database {
  createPrivately(file);
  let db: Database.Database | undefined;
  try {
    db = openKept(file, { timeout: START_BUSY_MS });
    // SQLite names the log after the file, so two names mean two logs of one database, which destroy it.
    if (statSync(file).nlink > 1) {
      throw new QueueError(
        "CONFIG",
        `${file} has a second name (a hard link). A program that writes to it under that name would damage it. Make it a file of its own: cp -p "${file}" "${file}.own" && mv "${file}.own" "${file}"`,
      );
    }
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma("fullfsync = ON");
    db.pragma("foreign_keys = ON");
    migrate(db);
    db.pragma(`busy_timeout = ${BUSY_MS}`);
    return db;
  } catch (error) {
    db?.close();
    throw toQueueError(error, file);
  }
}

/**
 * Closes the data folder to other users of the machine, where it was made by hand or by an older program;
 * false where it belongs to someone else. Windows has no such modes.
 */
export function closeToOthers(folder: string): boolean {
  if (process.platform === "win32" || (statSync(folder).mode & 0o077) === 0) return true;
  try {
    chmodSync(folder, 0o700);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
    return false;
  }
}

/**
 * Makes the folder and an empty file, readable by the owner alone: rows hold interaction tokens and people's
 * words.
 */
export function createPrivately(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // "wx", never "a": closing any descriptor of a file drops the POSIX locks this process holds on it.
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    const told = toQueueError(error, file);
    if (told !== error) throw told;
    throw new QueueError(
      "CONFIG",
      `${file} cannot be made (${code}). Check that the data folder is a folder that this user may write to.`,
      { cause: error },
    );
  }
}
