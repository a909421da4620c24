import { DatabaseError } from "pg";
import { CodedError, QueueError } from "../../core/errors.js";

// SQLSTATE codes (PostgreSQL's manual, appendix A).

/** The server goes, or has ended a session whose transaction it heard nothing of for too long (25P03). */
const SERVER_ENDS = new Set(["57P01", "57P02", "57P03", "25P03"]);
const CONFLICTS = new Set(["40001", "40P01"]);
const REFUSED = new Set(["28000", "28P01", "3D000", "3F000", "42501", "42P01", "25006"]);

/** True where the connection is useless afterwards: the server goes, or the network broke. */
export function hasLostConnection(error: unknown): boolean {
  if (error instanceof DatabaseError)
    return SERVER_ENDS.has(error.code ?? "") || error.code?.startsWith("08") === true;
  // The driver's own errors and those of sockets; ours say that the connection works.
  return error instanceof Error && !(error instanceof CodedError);
}

/** True where the same transaction may succeed in a moment. */
export const isWorthRepeating = (error: unknown): boolean =>
  hasLostConnection(error) ||
  (error instanceof DatabaseError && (CONFLICTS.has(error.code ?? "") || error.code === "53300"));

/** An error of the driver or the server as a QueueError that says what to do, with the error as its cause. */
export function toQueueError(thrown: unknown): unknown {
  if (thrown instanceof CodedError || !(thrown instanceof Error)) return thrown;
  const cause = { cause: thrown };
  if (hasLostConnection(thrown)) {
    return new QueueError(
      "QUEUE_UNREACHABLE",
      `The database server of DATABASE_URL does not answer (${thrown.message}). What was stored before is safe; the program goes on when the server is back.`,
      cause,
    );
  }
  const code = thrown instanceof DatabaseError ? thrown.code : undefined;
  if (code === undefined) return thrown;
  if (code === "55P03" || code === "53300") {
    return new QueueError(
      "QUEUE_BUSY_DATABASE",
      "Other programs kept the database of DATABASE_URL busy for too long. Look for long transactions in pg_stat_activity.",
      cause,
    );
  }
  if (code === "53100") {
    return new QueueError(
      "DISK_FULL",
      "The disk of the database server of DATABASE_URL is full. What was stored before is safe; free some space and try again.",
      cause,
    );
  }
  if (code === "58030") {
    return new QueueError("DISK_FAILED", `The database server's disk failed: ${thrown.message}.`, cause);
  }
  if (REFUSED.has(code)) {
    return new QueueError(
      "CONFIG",
      `The database server of DATABASE_URL refuses: ${thrown.message}. Check the name, password and database in it, and the rights of its role.`,
      cause,
    );
  }
  return thrown;
}
