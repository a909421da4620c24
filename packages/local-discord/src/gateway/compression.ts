import { constants, createDeflate } from "node:zlib";

/**
 * The gateway's "zlib-stream" transport: one deflate stream a connection, flushed after each payload, so that
 * a payload ends with the bytes 00 00 FF FF.
 */
export function zlibStream(send: (compressed: Buffer) => void): { write(text: string): void; close(): void } {
  const deflate = createDeflate();
  return {
    write: (text) => {
      deflate.write(text);
      // Writes and flushes are worked off in order, so what lies there at this flush is this payload.
      deflate.flush(constants.Z_SYNC_FLUSH, () => {
        const compressed = deflate.read() as Buffer | null;
        if (compressed !== null) send(compressed);
      });
    },
    close: () => deflate.destroy(),
  };
}
