import { setTimeout as delay } from "node:timers/promises";
import type { Database, Statement as Prepared } from "better-sqlite3";
import { codeOf } from "../../core/errors.js";
import type { Connection, WriteOptions } from "../sql/connection.js";
import { type Answer, type Call, textFor, type Work } from "../sql/statement.js";
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

/**
 * Transactions on one SQLite file. Each runs within one turn of the event loop, so no two of one process
 * interleave. While another process writes, a call waits without blocking the event loop.
 */
export class SqliteConnection implements Connection {
  readonly now: () => number;
  readonly #db: Database;
  readonly #busyMs: number;
  readonly #prepared = new Map<Call["statement"], Prepared>();

  constructor(db: Database, { now = Date.now, busyMs = BUSY_MS }: ConnectionOptions = {}) {
    this.#db = db;
    this.now = now;
    this.#busyMs = busyMs;
  }

  /** In WAL mode a reader never waits for a writer. */
  read<T>(work: () => Work<T>): Promise<T> {
    return this.#patiently(() => this.#db.transaction(() => this.#run(work())).deferred(), this.#busyMs);
  }

  /** Takes the write lock first. */
  write<T>(work: () => Work<T>, { longestMs = this.#busyMs }: WriteOptions = {}): Promise<T> {
    return this.#patiently(
      () => this.#db.transaction(() => this.#run(work())).immediate(),
      Math.min(longestMs, this.#busyMs),
    );
  }

  /** A file has one writer at a time. */
  writeAlone<T>(work: () => Work<T>): Promise<T> {
    return this.write(work);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  #run<T>(work: Work<T>): T {
    let step = work.next();
    while (!step.done) step = work.next(this.#answer(step.value));
    return step.value;
  }

  #answer({ statement, values, first }: Call): Answer {
    const prepared = this.#prepare(statement);
    if (!prepared.reader) return { rows: [], changes: prepared.run(values).changes };
    return { rows: first ? [prepared.get(values)] : prepared.all(values), changes: 0 };
  }

  #prepare(statement: Call["statement"]): Prepared {
    const known = this.#prepared.get(statement);
    if (known !== undefined) return known;
    const prepared = this.#db.prepare(textFor("sqlite", statement));
    this.#prepared.set(statement, prepared);
    return prepared;
  }

  async #patiently<T>(transaction: () => T, busyMs: number): Promise<T> {
    const start = performance.now();
    for (;;) {
      try {
        return transaction();
      } catch (thrown) {
        const error = toQueueError(thrown, this.#db.name);
        const busy = codeOf(error) === "QUEUE_BUSY_DATABASE";
        if (!busy || performance.now() - start >= busyMs) throw error;
      }
      await delay(BUSY_LOOK_MS);
    }
  }
}
