import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { z } from "zod";
import { isMissing } from "../core/errors.js";

const NEWLINE = 0x0a;
/** Read at once from the end, to find the last whole line. */
const TAIL_BYTES = 64 * 1024;

/**
 * A file of records, one JSON a line, that only grows. A record counts once its line is whole: whoever is killed while
 * writing one leaves a beginning, which `openToAppend` cuts off and `readRecords` passes over.
 */
export class RecordFile<T> {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Opens the file, which it creates if needed. Throws system errors. */
  static async openToAppend<T>(path: string): Promise<RecordFile<T>> {
    const file = await open(path, "a+");
    try {
      await file.truncate(await wholeLines(file));
    } catch (error) {
      await file.close();
      throw error;
    }
    return new RecordFile<T>(file);
  }

  async append(record: T): Promise<void> {
    await this.#file.appendFile(`${JSON.stringify(record)}\n`);
  }

  /** Makes the records durable and closes the file. */
  async close(): Promise<void> {
    try {
      await this.#file.sync();
    } finally {
      await this.#file.close();
    }
  }
}

/**
 * The records of a file in order, one after the other; none if there is no file. Lines that are no such record, as a
 * power cut may leave them, are passed over, so what they stood for is done again. Throws system errors.
 */
export async function* readRecords<T>(path: string, schema: z.ZodType<T>): AsyncGenerator<T> {
  const input = createReadStream(path, "utf8");
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const record = schema.safeParse(jsonOf(line));
      if (record.success) yield record.data;
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  } finally {
    input.destroy();
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The bytes up to and with the last line break. */
async function wholeLines(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(TAIL_BYTES);
  for (let end = size; end > 0; end -= TAIL_BYTES) {
    const start = Math.max(0, end - TAIL_BYTES);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    const last = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (last >= 0) return start + last + 1;
  }
  return 0;
}
