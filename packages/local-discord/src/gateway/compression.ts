import { constants, createDeflate } from "node:zlib";

/**
 * The gateway's "zlib-stream" transport: one deflate stream per connection, flushed after each payload, so
 * that each payload ends with the bytes 00 00 FF FF.
 */
export function zlibStream(send: (compressed: Buffer) => void): { write(text: string): void; close(): void } {
  const deflate = createDeflate();
  return {
    write: (text) => {
      deflate.write(text);
      // Writes and flushes complete in order, so the buffered bytes at this flush are this payload's.
      deflate.flush(constants.Z_SYNC_FLUSH, () => {
        const compressed = deflate.read() as Buffer | null;
        if (compressed !== null) send(compressed);
      });
    },
    close: () => deflate.destroy(),
  };
}
