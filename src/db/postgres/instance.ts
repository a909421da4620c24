import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { retry } from "../../core/backoff.js";
import { describe, QueueError } from "../../core/errors.js";
import { type Events, log } from "../../core/events.js";
import { clientOptions, lockOf } from "./connection.js";
import { nameOfServer } from "./open.js";
import { toQueueError } from "./postgres-error.js";

export interface InstanceOptions {
  readonly url: string;
  readonly events: Events;
  /** Called once when another program has the database: this one must stop. */
  readonly onTaken: () => void;
}

/** The right to be the one program that works on a database. */
export interface Instance {
  /** False while the server is gone, and once another program has the database: nothing may be begun then. */
  isOurs(): boolean;
  release(): Promise<void>;
}

const RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;
/** The server frees the lock of a program that was killed when it sees that its connection is gone. */
const FREED_MS = 3_000;
const LOOK_MS = 100;

/**
 * Takes the database for this program with an advisory lock on a connection of its own, and takes it again whenever
 * the connection breaks. If another program was faster, `onTaken` is called.
 *
 * Throws QueueError QUEUE_LOCKED when another program works on the database.
 */
export async function holdInstance({ url, events, onTaken }: InstanceOptions): Promise<Instance> {
  const ending = new AbortController();
  let client: pg.Client | null = null;

  /** Connects, and answers whether the lock is ours; waits a moment for one whose holder has just died. */
  async function take(): Promise<boolean> {
    const next = new pg.Client(clientOptions(url));
    // `end` follows, and says what to do.
    next.on("error", () => {});
    await next.connect();
    const until = performance.now() + FREED_MS;
    for (;;) {
      const { rows } = await next.query<{ taken: boolean }>(
        `select pg_try_advisory_lock(${lockOf("instance")}) as taken`,
      );
      if (rows[0]!.taken) break;
      if (performance.now() > until) {
        await next.end();
        return false;
      }
      await delay(LOOK_MS, undefined, { signal: ending.signal });
    }
    client = next;
    next.on("end", () => {
      client = null;
      if (!ending.signal.aborted) void takeAgain();
    });
    return true;
  }

  async function takeAgain(): Promise<void> {
    log(events, "warn", `The connection to the database ${nameOfServer(url)} broke. Trying to get it back.`);
    try {
      const onFailure = (error: unknown) => events.emit("log", { level: "debug", message: describe(error) });
      const backoff = { firstMs: RETRY_MS, maxMs: LONGEST_RETRY_MS, signal: ending.signal, onFailure };
      if (await retry(backoff, take)) log(events, "info", `The database ${nameOfServer(url)} is back.`);
      else {
        log(
          events,
          "error",
          `Another Promptist has taken the database ${nameOfServer(url)} while this one had no connection. This one stops; what waits or runs goes on in the other one.`,
        );
        onTaken();
      }
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    }
  }

  let isTaken: boolean;
  try {
    isTaken = await take();
  } catch (error) {
    throw toQueueError(error);
  }
  if (!isTaken) {
    throw new QueueError(
      "QUEUE_LOCKED",
      `Another Promptist works on the database ${nameOfServer(url)}. Stop it, or give this one another database or schema in DATABASE_URL.`,
    );
  }
  return {
    isOurs: () => client !== null,
    async release() {
      ending.abort();
      await client?.end();
    },
  };
}
