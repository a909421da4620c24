import type { Writable } from "node:stream";

/** A reader that takes nothing gets this much, in UTF-8 bytes as Node counts them, before lines are left out. */
const WAITING_BYTES = 1 << 20;

/**
 * Keeps the program alive when the reader of its standard output or error goes away, or their disk is full:
 * without a listener, the stream's "error" event would end it. Whoever needs to know that a text arrived asks
 * `write` with a callback.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

/**
 * A function that writes a text to `stream` and returns true, or leaves it out and returns false, because a
 * reader that stopped reading would let the waiting texts fill the memory. Once the limit is reached, it leaves
 * out all texts until those that wait are read.
 */
export function boundedWriter(stream: Writable, waitingBytes = WAITING_BYTES): (text: string) => boolean {
  let full = false;
  return (text) => {
    full = full ? stream.writableLength > 0 : stream.writableLength >= waitingBytes;
    if (!full) stream.write(text);
    return !full;
  };
}
