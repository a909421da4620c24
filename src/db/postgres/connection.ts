import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { backoffMs } from "../../core/backoff.js";
import { QueueError } from "../../core/errors.js";
import type { Connection, WriteOptions } from "../sql/connection.js";
import { type Call, textFor, type Work } from "../sql/statement.js";
import { hasLostConnection, isWorthRepeating, toQueueError } from "./postgres-error.js";

export interface PostgresOptions {
  /** Milliseconds since the epoch; by default as the server tells, so that all programs have one clock. */
  readonly now?: () => number;
  /** How long a call waits for other writers, or for a server that is not there, before it gives up. */
  readonly patienceMs?: number;
  /** Connections at once. */
  readonly connections?: number;
}

const PATIENCE_MS = 10_000;
const CONNECTIONS = 8;
const CONNECT_MS = 5_000;
const RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;
/** The server ends a writer that it hears nothing from for so long, such as a frozen program, and so frees the lock. */
const SILENT_WRITER_MS = 5_000;

/** Which lock of a schema, beside the schema's own number. */
export const LOCKS = { writers: 1, migration: 2, instance: 3 } as const;

/** SQL for the two numbers of an advisory lock: the schema's, and which of its locks. */
export const lockOf = (lock: keyof typeof LOCKS): string =>
  `hashtext('promptist ' || current_schema()), ${LOCKS[lock]}`;

const TIME = `(extract(epoch from clock_timestamp()) * 1000)::bigint as "time"`;
const READ = `begin isolation level repeatable read read only; select ${TIME}`;
const ALONE = `begin; select ${TIME}`;
/** Each later statement sees what the writers before this one committed, because it begins after them. */
const write = (waitMs: number, mayBeLost: boolean) =>
  `begin; set local lock_timeout = ${Math.ceil(waitMs)}; set local idle_in_transaction_session_timeout = ${SILENT_WRITER_MS}; ${mayBeLost ? "set local synchronous_commit = off; " : ""}select pg_advisory_xact_lock(${lockOf("writers")});
   select pg_current_xact_id()::text as id, ${TIME}`;

/** The answer to the last statement of a transaction's beginning. */
interface Begun {
  /** Of a writer. */
  readonly id?: string;
  readonly time: number;
}

/**
 * PostgreSQL's text holds every character but NUL, so NUL stands there as ESCAPE 0, and the escape, which is no
 * character (Unicode 23.7), as ESCAPE 1.
 */
const ESCAPE = "\u{fffe}";
const toStored = (value: unknown): unknown =>
  typeof value === "string"
    ? value.replace(/[\0\u{fffe}]/gu, (found) => ESCAPE + (found === "\0" ? "0" : "1"))
    : value;
const fromStored = (text: string): string =>
  text.includes(ESCAPE)
    ? text.replace(/\u{fffe}([01])/gu, (_all, which: string) => (which === "0" ? "\0" : ESCAPE))
    : text;

/** Integers and sums as numbers (all stay below 2^53), JSON as its text. */
const NUMBERS: ReadonlySet<number> = new Set([pg.types.builtins.INT8, pg.types.builtins.NUMERIC]);
const TEXTS: ReadonlySet<number> = new Set([pg.types.builtins.TEXT, pg.types.builtins.JSON]);
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (type: number, format?: "text" | "binary") => {
    if (NUMBERS.has(type)) return Number;
    if (TEXTS.has(type)) return fromStored;
    return pg.types.getTypeParser(type, format);
  },
};

/** Options of every connection to a server; `url` is as PostgreSQL's own programs take it. */
export const clientOptions = (url: string): pg.ClientConfig => ({
  connectionString: url,
  types: TYPES,
  application_name: "promptist",
  connectionTimeoutMillis: CONNECT_MS,
  keepAlive: true,
});

/** A statement in PostgreSQL's own form, with the order of its values. */
interface Translated {
  readonly name: string;
  readonly text: string;
  readonly parameters: readonly string[];
}
const translations = new WeakMap<Call["statement"], Translated>();
let statements = 0;

function translate(statement: Call["statement"]): Translated {
  const known = translations.get(statement);
  if (known !== undefined) return known;
  const parameters: string[] = [];
  const text = textFor("postgres", statement).replace(/@(\w+)/g, (_all, name: string) => {
    if (!parameters.includes(name)) parameters.push(name);
    return `$${parameters.indexOf(name) + 1}`;
  });
  const translated = { name: `promptist-${++statements}`, text, parameters };
  translations.set(statement, translated);
  return translated;
}

/** A transaction whose commit was sent and not answered: it may be stored or not. */
class LostCommit extends Error {
  readonly transaction: string;
  readonly result: unknown;

  constructor(transaction: string, result: unknown, cause: unknown) {
    super("The connection broke while a transaction was committed.", { cause });
    this.transaction = transaction;
    this.result = result;
  }
}

/**
 * Transactions on a schema of a PostgreSQL server. Writers of all processes go one after the other (an advisory
 * lock that ends with the transaction), so that turns are as exact as on SQLite. A transaction that the server
 * ended, because it restarts or a connection broke, is run again; whether a commit without an answer was stored,
 * the server is asked. A server that is gone for longer than `patienceMs` is QUEUE_UNREACHABLE.
 */
export class PostgresConnection implements Connection {
  readonly now: () => number;
  readonly pool: pg.Pool;
  readonly #patienceMs: number;
  /** How far the server's clock is ahead of this machine's, as the last transaction told. */
  #aheadMs = 0;

  constructor(url: string, options: PostgresOptions = {}) {
    const {
      now = () => Date.now() + this.#aheadMs,
      patienceMs = PATIENCE_MS,
      connections = CONNECTIONS,
    } = options;
    this.now = now;
    this.#patienceMs = patienceMs;
    this.pool = new pg.Pool({ ...clientOptions(url), max: connections });
    // A broken connection fails the call that uses it; the pool replaces one that nobody uses.
    this.pool.on("error", () => {});
    this.pool.on("connect", (client) => client.on("error", () => {}));
  }

  read<T>(work: () => Work<T>): Promise<T> {
    return this.#patiently(this.#patienceMs, (client) => this.#transaction(client, READ, work));
  }

  write<T>(work: () => Work<T>, { longestMs, mayBeLost = false }: WriteOptions = {}): Promise<T> {
    const waitMs = Math.min(longestMs ?? this.#patienceMs, this.#patienceMs);
    return this.#patiently(waitMs, (client, leftMs) =>
      this.#transaction(client, write(leftMs, mayBeLost), work),
    );
  }

  writeAlone<T>(work: () => Work<T>): Promise<T> {
    return this.#patiently(this.#patienceMs, (client) => this.#transaction(client, ALONE, work));
  }

  async close(): Promise<void> {
    if (!this.pool.ending) await this.pool.end();
  }

  async #transaction<T>(client: pg.ClientBase, begin: string, work: () => Work<T>): Promise<T> {
    let id: string | undefined;
    let result: T;
    try {
      const begun = (await client.query(begin)) as unknown as pg.QueryResult<Begun>[];
      const { id: writer, time } = begun.at(-1)!.rows[0]!;
      id = writer;
      // The moment is that of the last of the statements, so no waiting for a lock is in it.
      this.#aheadMs = time - Date.now();
      result = await run(client, work());
    } catch (error) {
      if (!hasLostConnection(error)) await client.query("rollback");
      throw error;
    }
    try {
      await client.query("commit");
    } catch (error) {
      if (id !== undefined && hasLostConnection(error)) throw new LostCommit(id, result, error);
      throw error;
    }
    return result;
  }

  async #patiently<T>(
    patienceMs: number,
    transaction: (client: pg.ClientBase, leftMs: number) => Promise<T>,
  ): Promise<T> {
    const until = performance.now() + patienceMs;
    let lost: LostCommit | undefined;
    for (let failures = 0; ; failures++) {
      let client: pg.PoolClient | undefined;
      try {
        client = await this.pool.connect();
        if (lost !== undefined && (await isCommitted(client, lost.transaction))) {
          client.release();
          return lost.result as T;
        }
        lost = undefined;
        const result = await transaction(client, Math.max(1, until - performance.now()));
        client.release();
        return result;
      } catch (thrown) {
        client?.release(hasLostConnection(thrown));
        if (thrown instanceof LostCommit) lost = thrown;
        const cause = thrown instanceof LostCommit ? thrown.cause : thrown;
        const waitMs = backoffMs(failures, RETRY_MS, LONGEST_RETRY_MS);
        if (!isWorthRepeating(cause) || performance.now() + waitMs > until) throw toQueueError(cause);
        await delay(waitMs);
      }
    }
  }
}

async function run<T>(client: pg.ClientBase, work: Work<T>): Promise<T> {
  let step = work.next();
  while (!step.done) {
    const { statement, values } = step.value;
    const { name, text, parameters } = translate(statement);
    const given = parameters.map((parameter) => toStored(values[parameter] ?? null));
    const { rows, rowCount } = await client.query<object>({ name, text, values: given });
    step = work.next({ rows, changes: rowCount ?? 0 });
  }
  return step.value;
}

/** Whether a transaction whose commit was not answered is stored. Waits while the server still works on it. */
async function isCommitted(client: pg.ClientBase, transaction: string): Promise<boolean> {
  for (;;) {
    const { rows } = await client.query<{ status: string | null }>(
      "select pg_xact_status($1::xid8) as status",
      [transaction],
    );
    const status = rows[0]?.status;
    if (status === "in progress") await delay(RETRY_MS);
    else if (status == null)
      throw new QueueError("INTERNAL", `The server has forgotten what became of transaction ${transaction}.`);
    else return status === "committed";
  }
}
