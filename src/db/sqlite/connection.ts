import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import { codeOf } from "../../core/errors.js";
import { toQueueError } from "./sqlite-error.js";

export interface ConnectionOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /**
   * How long a call waits for another process' write (a backup, an admin's shell) before QUEUE_BUSY_DATABASE.
   */
  readonly busyMs?: number;
}

const BUSY_MS = 5_000;
const BUSY_LOOK_MS = 30;
/** How long one transaction of a long piece of work blocks the event loop. */
const SLICE_MS = 20;

/**
 * Transactions on one SQLite file. Nothing is awaited inside a transaction, so no two of one process
 * interleave. While another process writes, a call waits without blocking the event loop. Driver errors come
 * out as QueueErrors.
 */
export class Connection {
  readonly db: Database;
  readonly now: () => number;
  readonly #busyMs: number;

  constructor(db: Database, { now = Date.now, busyMs = BUSY_MS }: ConnectionOptions = {}) {
    this.db = db;
    this.now = now;
    this.#busyMs = busyMs;
  }

  /** One transaction, so that several reads see one moment. In WAL mode a reader never waits for a writer. */
  read<T>(work: () => T): Promise<T> {
    return this.#patiently(() => this.db.transaction(work).deferred(), this.#busyMs);
  }

  /**
   * One transaction that takes the write lock first, so that what was read is still true when it writes. It
   * waits for the lock for `longestMs` at most.
   */
  write<T>(work: () => T, longestMs = this.#busyMs): Promise<T> {
    return this.#patiently(() => this.db.transaction(work).immediate(), Math.min(longestMs, this.#busyMs));
  }

  /**
   * Works on keys one by one, as many per transaction as fit in SLICE_MS, and lets other calls run between
   * transactions. Each transaction ends with `finish`. Answers what `work` answered.
   */
  async writeInSlices<K, T>(keys: readonly K[], work: (key: K) => T, finish: () => void): Promise<T[]> {
    const answers: T[] = [];
    while (answers.length < keys.length) {
      const slice = await this.write(() => {
        const until = performance.now() + SLICE_MS;
        const done: T[] = [];
        let next = answers.length;
        do done.push(work(keys[next++]!));
        while (next < keys.length && performance.now() < until);
        finish();
        return done;
      });
      answers.push(...slice);
      await nextTurn();
    }
    return answers;
  }

  /**
   * Reads any number of rows page by page, and lets other calls run between two pages. `page` answers the rows
   * after the last one that it answered, a bounded number in a fixed order, and none at the end. The pages may
   * be of different moments.
   */
  async *readInPages<R>(page: (after: R | undefined) => R[]): AsyncGenerator<R[]> {
    let rows = await this.read(() => page(undefined));
    while (rows.length > 0) {
      yield rows;
      await nextTurn();
      const after = rows.at(-1);
      rows = await this.read(() => page(after));
    }
  }

  async close(): Promise<void> {
    this.db.close();
  }

  async #patiently<T>(transaction: () => T, busyMs: number): Promise<T> {
    const start = performance.now();
    for (;;) {
      try {
        return transaction();
      } catch (thrown) {
        const error = toQueueError(thrown, this.db.name);
        const busy = codeOf(error) === "QUEUE_BUSY_DATABASE";
        if (!busy || performance.now() - start >= busyMs) throw error;
      }
      await delay(BUSY_LOOK_MS);
    }
  }
}
