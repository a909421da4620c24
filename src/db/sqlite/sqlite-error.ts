import { QueueError } from "../../core/errors.js";

/** What a full disk can end in: a write, growing the shared memory file, or making the file. */
const FULL = new Set(["SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "ENOSPC", "EDQUOT"]);

/**
 * An error of the driver, or of the system about the disk, as a QueueError that says what to do, with the
 * error as its cause; anything else is given back as it is. `file` is named in the sentence.
 */
export function toQueueError(thrown: unknown, file: string): unknown {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (typeof code !== "string") return thrown;
  const cause = { cause: thrown };
  if (FULL.has(code)) {
    return new QueueError(
      "DISK_FULL",
      `The disk that holds ${file} is full. What was stored before is safe; free some space and try again.`,
      cause,
    );
  }
  if (code === "EIO" || code.startsWith("SQLITE_IOERR")) {
    return new QueueError(
      "DISK_FAILED",
      `The disk that holds ${file} could not be read or written (${code}). What was stored before is kept; look at the disk and at the system's log, then try again.`,
      cause,
    );
  }
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new QueueError(
      "QUEUE_BUSY_DATABASE",
      `Another program kept ${file} busy for too long. Close tools that hold it open, then try again.`,
      cause,
    );
  }
  if (code.startsWith("SQLITE_NOTADB") || code.startsWith("SQLITE_CORRUPT")) {
    return new QueueError(
      "CONFIG",
      `${file} is not a database of this program, or it is damaged. Restore it from a backup or move it away; a new one is made then.`,
      cause,
    );
  }
  if (code.startsWith("SQLITE_CANTOPEN") || code.startsWith("SQLITE_READONLY")) {
    return new QueueError(
      "CONFIG",
      `${file} cannot be opened for writing. Check that the data folder is a folder that this user may write to.`,
      cause,
    );
  }
  return thrown;
}
