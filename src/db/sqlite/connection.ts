import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { Database } from "better-sqlite3";
import { codeOf } from "../../core/errors.js";
import { toQueueError } from "./sqlite-error.js";

export interface ConnectionOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** How long a call waits for another process' write (a backup, an admin's shell) before QUEUE_BUSY_DATABASE. */
  readonly busyMs?: number;
}

const BUSY_MS = 5_000;
const BUSY_LOOK_MS = 30;
/** How long one transaction of a long piece of work keeps the event loop. */
const SLICE_MS = 20;

/**
 * Transactions on one SQLite file. Nothing is awaited inside a transaction, so no two of one process interleave. While
 * another process writes, a call waits without keeping the event loop. Errors of the driver come out as QueueErrors.
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

  /** One transaction, so that several reads see one moment; a reader waits for nobody. */
  read<T>(work: () => T): Promise<T> {
    return this.#patiently(() => this.db.transaction(work).deferred(), this.#busyMs);
  }

  /**
   * One transaction that takes the write lock first, so that what was read is still true when it writes. It waits for
   * the lock for `longestMs` at most.
   */
  write<T>(work: () => T, longestMs = this.#busyMs): Promise<T> {
    return this.#patiently(() => this.db.transaction(work).immediate(), Math.min(longestMs, this.#busyMs));
  }

  /**
   * Works on ids one by one, on as many in one transaction as SLICE_MS allow, and lets others run between two of them.
   * Each transaction ends with `close`. Answers what `work` answered.
   */
  async writeInSlices<T>(ids: readonly string[], work: (id: string) => T, close: () => void): Promise<T[]> {
    const answers: T[] = [];
    while (answers.length < ids.length) {
      const rest = ids.slice(answers.length);
      const slice = await this.write(() => {
        const until = performance.now() + SLICE_MS;
        const done: T[] = [];
        do done.push(work(rest[done.length]!));
        while (done.length < rest.length && performance.now() < until);
        close();
        return done;
      });
      answers.push(...slice);
      await nextTurn();
    }
    return answers;
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
