import { setImmediate as nextTurn } from "node:timers/promises";
import type { Work } from "./statement.js";

/** How long one transaction of a long piece of work may take. */
export const SLICE_MS = 20;

export interface WriteOptions {
  /** It waits for other writers for so long at most, then QUEUE_BUSY_DATABASE is thrown. */
  readonly longestMs?: number;
  /**
   * A machine that loses its power may lose it, though never a later write without it: for what is found out again.
   * PostgreSQL then lets the next writer go on before the disk has it.
   */
  readonly mayBeLost?: boolean;
}

/**
 * Transactions on the database of one engine. A transaction is a generator that yields its statements, so nothing
 * else is awaited inside it. Driver errors come out as QueueErrors.
 */
export interface Connection {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** One transaction, so that several reads see one moment. It never waits for a writer. */
  read<T>(work: () => Work<T>): Promise<T>;
  /**
   * One transaction that no other write of any process overlaps, so that what was read is still true when it
   * writes.
   */
  write<T>(work: () => Work<T>, how?: WriteOptions): Promise<T>;
  /**
   * One transaction of rows that nothing else is decided by, so that it neither waits for other writers nor holds them
   * up, where the engine can do without. It may be run twice where its commit was not answered.
   */
  writeAlone<T>(work: () => Work<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Works on keys one by one, as many per transaction as fit in SLICE_MS, and lets other calls run between
 * transactions. Each transaction ends with `finish`. Answers what `work` answered.
 */
export async function writeInSlices<K, T>(
  connection: Connection,
  keys: readonly K[],
  work: (key: K) => Work<T>,
  finish: () => Work<void>,
): Promise<T[]> {
  const answers: T[] = [];
  while (answers.length < keys.length) {
    const slice = await connection.write(function* () {
      const until = performance.now() + SLICE_MS;
      const done: T[] = [];
      let next = answers.length;
      do done.push(yield* work(keys[next++]!));
      while (next < keys.length && performance.now() < until);
      yield* finish();
      return done;
    });
    answers.push(...slice);
    await nextTurn();
  }
  return answers;
}

/**
 * Reads any number of rows page by page, and lets other calls run between two pages. `page` answers the rows after
 * the last one that it answered, a bounded number in a fixed order, and none at the end. The pages may be of
 * different moments.
 */
export async function* readInPages<R>(
  connection: Connection,
  page: (after: R | undefined) => Work<R[]>,
): AsyncGenerator<R[]> {
  let rows = await connection.read(() => page(undefined));
  while (rows.length > 0) {
    yield rows;
    await nextTurn();
    const after = rows.at(-1);
    rows = await connection.read(() => page(after));
  }
}
