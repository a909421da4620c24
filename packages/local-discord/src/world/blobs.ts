import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Stores the bytes of attachments by the attachment's id. */
export interface Blobs {
  put(id: string, data: Buffer): void;
  /** Undefined if they were deleted. */
  get(id: string): Buffer | undefined;
  delete(id: string): void;
}

export function memoryBlobs(): Blobs {
  const blobs = new Map<string, Buffer>();
  return {
    put: (id, data) => void blobs.set(id, data),
    get: (id) => blobs.get(id),
    delete: (id) => void blobs.delete(id),
  };
}

/** Stores each id as one file in `folder`, which is created if missing, also if it is deleted later. */
export function folderBlobs(folder: string): Blobs {
  const make = () => mkdirSync(folder, { recursive: true, mode: 0o700 });
  make();
  const path = (id: string) => join(folder, id);
  return {
    put: (id, data) => {
      make();
      writeFileSync(path(id), data, { mode: 0o600 });
    },
    get: (id) => {
      try {
        return readFileSync(path(id));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    delete: (id) => rmSync(path(id), { force: true }),
  };
}
