import { constants } from "node:buffer";
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { basename } from "node:path";
import { CheckpointError, isMissing } from "../../core/errors.js";

/** A system call reads at most 2^31 - 1 bytes; this is less on every platform. */
const CHUNK_BYTES = 2 ** 30;

/** A weight file that is open for reading; see `withFile`. */
export interface OpenFile {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
  /** Reads exactly `length` bytes into new memory. Throws CHECKPOINT_CORRUPT when the file ends earlier. */
  read(offset: number, length: number): Uint8Array;
}

/**
 * Opens a file, passes it to `use` and always closes it. Throws CHECKPOINT_MISSING if it can't be opened.
 */
export function withFile<T>(path: string, use: (file: OpenFile) => T): T {
  let descriptor: number;
  try {
    // Before it is opened: opening a pipe waits for a writer, and opening a device may do anything.
    if (!statSync(path).isFile()) throw notAFile(path);
    descriptor = openSync(path, "r");
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const what = isMissing(cause) ? "is not there" : `cannot be opened (${code})`;
    throw new CheckpointError("CHECKPOINT_MISSING", `${path} ${what}.`, { cause });
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw notAFile(path);
    return use({
      path,
      bytes: stat.size,
      mtimeMs: stat.mtimeMs,
      read: (offset, length) => readExactly(descriptor, path, offset, length),
    });
  } finally {
    closeSync(descriptor);
  }
}

const notAFile = (path: string): CheckpointError =>
  new CheckpointError("CHECKPOINT_MISSING", `${path} is not a file.`);

/** A small file's text, without a byte order mark. Throws CHECKPOINT_MISSING or CHECKPOINT_CORRUPT. */
export const readText = (path: string): string =>
  withFile(path, (file) => new TextDecoder().decode(file.read(0, file.bytes)));

function readExactly(descriptor: number, path: string, offset: number, length: number): Uint8Array {
  if (length > constants.MAX_LENGTH) {
    throw new CheckpointError(
      "CHECKPOINT_TENSORS",
      `${path} holds a tensor of ${length} bytes, more than can be read at once.`,
    );
  }
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    let count: number;
    try {
      count = readSync(descriptor, bytes, done, Math.min(length - done, CHUNK_BYTES), offset + done);
    } catch (cause) {
      throw new CheckpointError("CHECKPOINT_CORRUPT", `${path} cannot be read at byte ${offset + done}.`, {
        cause,
      });
    }
    if (count === 0) {
      throw corrupt(path, `it ends at byte ${offset + done}, in the middle of what is read`);
    }
    done += count;
  }
  return bytes;
}

const SHOWN_MAX = 200;

/**
 * A name from inside a file, made safe for a message: short, and without control characters, since the file's
 * author chose it.
 */
export function shown(text: string): string {
  const plain = text.slice(0, SHOWN_MAX).replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "\ufffd");
  return text.length > SHOWN_MAX ? `${plain}...` : plain;
}

/** The error for a file with wrong bytes: which file, what is wrong, what to do. */
export function corrupt(path: string, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    "CHECKPOINT_CORRUPT",
    `${path} is damaged: ${shown(what)}. Download or copy it again.`,
    cause === undefined ? undefined : { cause },
  );
}

/** Identity of one weight file without reading its tensors: name, size, modification time and header. */
export function fileFingerprint(file: OpenFile, ...headers: readonly Uint8Array[]): string {
  const hash = createHash("sha256").update(
    JSON.stringify([basename(file.path), file.bytes, Math.trunc(file.mtimeMs)]),
  );
  for (const header of headers) hash.update(header);
  return hash.digest("hex");
}
