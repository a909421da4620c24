/**
 * Every error has a stable code and keeps its cause. bot/words/messages.ts turns the code into a sentence for
 * users; `message` is for logs and the command line.
 */
export type ErrorCode =
  // a person's input
  | "INPUT_EMPTY"
  | "INPUT_TOO_LONG"
  | "INPUT_OPTION"
  | "INPUT_SIZE"
  | "INPUT_MEMORY"
  | "GRID_AXIS"
  | "GRID_TWICE"
  | "GRID_LORA"
  | "GRID_VALUE"
  | "GRID_SIZE"
  | "INPUT_CHOICE"
  | "INPUT_UNCHANGED"
  | "INPUT_WORD"
  | "INPUT_STRENGTH"
  | "INPUT_STYLE"
  | "INPUT_MODEL"
  | "MODEL_ADULT"
  | "INPUT_SPEED"
  | "INPUT_REWRITER"
  | "INPUT_EVALUATION"
  | "INPUT_AGAINST"
  | "DRAFT_GONE"
  | "DRAFT_LIMIT"
  | "NOT_ALLOWED"
  | "NOT_OPERATOR"
  | "FILE_TOO_BIG"
  | "FILE_BINARY"
  | "FILE_ENCODING"
  | "FILE_TYPE"
  | "FILE_SHAPE"
  | "FILE_EMPTY"
  | "FILE_UNREACHABLE"
  | "FILE_STYLES"
  | "PICTURE_TYPE"
  | "PICTURE_TOO_BIG"
  | "PICTURE_SHAPE"
  | "PICTURE_EMPTY"
  | "PICTURE_SHEET"
  | "PICTURE_PIXELS"
  | "PICTURE_FLAGGED"
  | "PICTURE_UNCHECKED"
  | "PICTURE_GONE"
  // the queue
  | "QUEUE_BUSY_DATABASE"
  | "QUEUE_UNREACHABLE"
  | "QUEUE_LOCKED"
  | "QUEUE_FULL"
  | "QUEUE_CAP"
  | "QUOTA_USED"
  | "QUEUE_NEWER_SCHEMA"
  // checkpoints
  | "CHECKPOINT_MISSING"
  | "CHECKPOINT_CORRUPT"
  | "CHECKPOINT_TENSORS"
  | "CHECKPOINT_ARCHITECTURE"
  | "CHECKPOINT_UNSAFE"
  | "MODEL_GONE"
  // the hub they are downloaded from
  | "HUB_NOT_FOUND"
  | "HUB_REFUSED"
  | "HUB_BUSY"
  | "HUB_UNREACHABLE"
  | "HUB_HASH"
  // running models
  | "DEVICE_UNAVAILABLE"
  | "OUT_OF_MEMORY"
  | "WORKER_DIED"
  | "WORKER_STALLED"
  | "HOST_DIED"
  | "DISK_FULL"
  | "DISK_READ_ONLY"
  | "DISK_FAILED"
  | "PICTURES_UNREACHABLE"
  | "CANCELLED"
  | "INTERNAL"
  // Discord
  | "DISCORD_REFUSED"
  | "DISCORD_UNREACHABLE"
  | "CONFIG";

/** Codes of failures that a retry cannot fix. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set([
  "CHECKPOINT_MISSING",
  "CHECKPOINT_CORRUPT",
  "CHECKPOINT_TENSORS",
  "CHECKPOINT_ARCHITECTURE",
  "CHECKPOINT_UNSAFE",
  "MODEL_GONE",
  "DEVICE_UNAVAILABLE",
  "DISK_READ_ONLY",
  "INPUT_EMPTY",
  "INPUT_TOO_LONG",
  "INPUT_OPTION",
  "INPUT_SIZE",
  "INPUT_MEMORY",
  "PICTURE_FLAGGED",
  "PICTURE_UNCHECKED",
  "PICTURE_GONE",
  "INPUT_STYLE",
  "INPUT_MODEL",
  "MODEL_ADULT",
  "INPUT_REWRITER",
]);

/** Whether the same work would fail the same way again. */
export const isPermanent = (code: ErrorCode): boolean => PERMANENT.has(code);

export class CodedError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Values to fill into a code's sentence, such as `{ limit: 1000 }`. */
export type ErrorContext = Readonly<Record<string, string | number>>;

/** A person's input cannot be used; `message` says what is wrong and how to fix it. */
export class InputError extends CodedError {
  constructor(
    code: ErrorCode,
    message: string,
    readonly context: ErrorContext = {},
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}
export class QueueError extends CodedError {}
export class CheckpointError extends CodedError {}
export class InferenceError extends CodedError {}
export class DiscordError extends CodedError {}
export class DiskError extends CodedError {}

/** The code of any thrown value: its own if it has one, else what a system error means, else `INTERNAL`. */
export function codeOf(thrown: unknown): ErrorCode {
  for (let error: unknown = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof CodedError) return error.code;
    const system = String((error as NodeJS.ErrnoException).code);
    if (system === "ENOSPC" || system === "EDQUOT" || system === "SQLITE_FULL") return "DISK_FULL";
    if (system === "EIO" || system.startsWith("SQLITE_IOERR")) return "DISK_FAILED";
    if (system === "EADDRINUSE") return "CONFIG";
    if (system === "SQLITE_BUSY") return "QUEUE_BUSY_DATABASE";
    if (error.name === "AbortError") return "CANCELLED";
  }
  return "INTERNAL";
}

/** The context that belongs to `codeOf(thrown)`; empty where its error has none. */
export function contextOf(thrown: unknown): ErrorContext {
  for (let error: unknown = thrown; error instanceof Error; error = error.cause)
    if (error instanceof CodedError) return error instanceof InputError ? error.context : {};
  return {};
}

/** Whether a system call failed because a file or folder is not there. */
export const isMissing = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException | null)?.code === "ENOENT";

/** A thrown value and its causes on one line, for the log and for `Failure.detail`. */
export function describe(thrown: unknown): string {
  const parts: string[] = [];
  for (let error: unknown = thrown; error !== undefined && parts.length < 5; ) {
    parts.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    error = error instanceof Error ? error.cause : undefined;
  }
  return parts.join(" <- ");
}
