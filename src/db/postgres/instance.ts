import { randomUUID } from "node:crypto";
import { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { atMost, retry } from "../../core/backoff.js";
import { describe, QueueError } from "../../core/errors.js";
import { type Events, log } from "../../core/events.js";
import { clientOptions, lockOf } from "./connection.js";
import { nameOfServer } from "./open.js";
import { hasLostConnection, toQueueError } from "./postgres-error.js";

export interface InstanceOptions {
  readonly url: string;
  readonly events: Events;
  /** Called once when another program has the database: this one must stop. */
  readonly onTaken: () => void;
  /** Waits for the other program's end in place of being refused. */
  readonly standby?: {
    /** Ends the wait, which then throws the signal's reason. */
    readonly signal: AbortSignal;
    /** Called once, when another program was found at work. */
    readonly onWaiting: () => Promise<void>;
  };
}

/** The right to be the one program that works on a database. */
export interface Instance {
  /**
   * False while the server was not heard for so long that another program may have the database, and once one has:
   * nothing may be begun or sent then.
   */
  isOurs(): boolean;
  /** Notes in the database, whose schema must be up to date, that this program has it. */
  sign(): Promise<void>;
  release(): Promise<void>;
}

/** The server ends the session of a holder that it hears nothing from for so long, and so frees the lock. */
export const LOCK_LIFE_MS = 5_000;
const BEAT_MS = 1_000;
/** From a holder's last look at its right to its request at Discord. */
const MARGIN_MS = 500;
const RETRY_MS = 200;
/** Shorter than a lock's life, so that a server that restarts finds the same holder again. */
const LONGEST_RETRY_MS = 1_000;
/** The server frees the lock of a program that was killed when it sees that its connection is gone. */
const FREED_MS = 3_000;
const ANNOUNCED_MS = 1_000;
const LOOK_MS = 250;
const GOODBYE_MS = 1_000;
/** The flag that holds who has the database. */
const HOLDER = "bot";

/** A moment by two clocks: one that a set clock doesn't move, and one that a suspended machine doesn't stop. */
const moment = () => ({ steady: performance.now(), wall: Date.now() });
type Moment = ReturnType<typeof moment>;
const msSince = ({ steady, wall }: Moment): number => Math.max(performance.now() - steady, Date.now() - wall);

/**
 * Takes the database for this program with an advisory lock on a connection of its own, which the server ends when it
 * hears nothing for LOCK_LIFE_MS, and takes it again whenever the connection breaks. If another program was faster,
 * `onTaken` is called.
 *
 * A standby takes a lock that is free only when its last holder, which may be alive without a connection, must have
 * stopped by its own clock; at once if that one said goodbye.
 *
 * Throws QueueError QUEUE_LOCKED when another program works on the database and `standby` is absent.
 */
export async function holdInstance(options: InstanceOptions): Promise<Instance> {
  const { url, events, onTaken, standby } = options;
  const self = randomUUID();
  const ending = new AbortController();
  let isSigned = false;
  let isLost = false;
  let heardAt = moment();
  let session: Session | null = null;

  function hold(taken: Session, at: Moment): void {
    heardAt = at;
    session = taken;
    taken.onEnd(() => {
      session = null;
      if (!ending.signal.aborted) void takeAgain();
    });
  }

  let isBeating = false;
  async function beat(): Promise<void> {
    if (session === null) return;
    if (isBeating) {
      // Nothing comes back, and the system may notice only after minutes.
      if (msSince(heardAt) > LOCK_LIFE_MS) session.cut();
      return;
    }
    isBeating = true;
    const at = moment();
    try {
      await session.beat();
      heardAt = at;
    } catch (error) {
      log(events, "debug", `the database was not heard: ${describe(error)}`);
    } finally {
      isBeating = false;
    }
  }

  /** Whether the lock is ours again; waits for that of our own broken connection to end. */
  async function comeBack(): Promise<boolean> {
    const next = await Session.open(url);
    try {
      const until = performance.now() + LOCK_LIFE_MS + FREED_MS;
      do {
        if (isSigned && (await next.signature()) !== self) break;
        const at = moment();
        if (await next.take()) {
          hold(next, at);
          return true;
        }
        await delay(LOOK_MS, undefined, { signal: ending.signal });
      } while (performance.now() < until);
    } catch (error) {
      next.cut();
      throw error;
    }
    await next.end();
    return false;
  }

  async function takeAgain(): Promise<void> {
    const name = nameOfServer(url);
    log(events, "warn", `The connection to the database ${name} broke. Trying to get it back.`);
    try {
      const onFailure = (error: unknown) => log(events, "debug", describe(error));
      const backoff = { firstMs: RETRY_MS, maxMs: LONGEST_RETRY_MS, signal: ending.signal, onFailure };
      if (await retry(backoff, comeBack)) {
        log(events, "info", `The database ${name} is back.`);
        return;
      }
      isLost = true;
      log(
        events,
        "error",
        `Another Promptist has taken the database ${name} while this one had no connection. This one stops; what waits or runs goes on in the other one.`,
      );
      onTaken();
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    }
  }

  await (standby === undefined ? takeAtOnce(url, hold) : waitAndTake(url, events, standby, hold));
  const beats = setInterval(() => void beat(), BEAT_MS);
  return {
    isOurs: () => !isLost && msSince(heardAt) < LOCK_LIFE_MS - MARGIN_MS,
    async sign() {
      try {
        await session?.sign(self);
        isSigned = true;
      } catch (error) {
        throw toQueueError(error);
      }
    },
    async release() {
      ending.abort();
      clearInterval(beats);
      const last = session;
      if (last !== null) await atMost(GOODBYE_MS, last.sayGoodbye(self));
      last?.cut();
    },
  };
}

type Hold = (session: Session, at: Moment) => void;

async function takeAtOnce(url: string, hold: Hold): Promise<void> {
  try {
    const session = await Session.open(url);
    const until = performance.now() + FREED_MS;
    do {
      const at = moment();
      if (await session.take()) {
        return hold(session, at);
      }
      await delay(LOOK_MS);
    } while (performance.now() < until);
    await session.end();
  } catch (error) {
    throw toQueueError(error);
  }
  throw new QueueError(
    "QUEUE_LOCKED",
    `Another Promptist works on the database ${nameOfServer(url)}. Stop it, or give this one another database or schema in DATABASE_URL.`,
  );
}

/** Takes the lock, or waits for it for as long as another program has it. */
async function waitAndTake(
  url: string,
  events: Events,
  { signal, onWaiting }: NonNullable<InstanceOptions["standby"]>,
  hold: Hold,
): Promise<void> {
  const startedAt = performance.now();
  /** From when on the last holder has stopped by its own clock; no holder is known at the start. */
  let freeFrom = Number.NEGATIVE_INFINITY;
  let isWaiting = false;

  /** Whether the lock is ours now. */
  async function look(session: Session): Promise<boolean> {
    const quietMs = await session.holdersQuietMs();
    if (quietMs !== null) {
      freeFrom = performance.now() - quietMs + LOCK_LIFE_MS;
      if (isWaiting || performance.now() - startedAt < ANNOUNCED_MS) return false;
      isWaiting = true;
      await onWaiting();
      return false;
    }
    if (performance.now() < freeFrom && (await session.signature()) !== null) return false;
    const at = moment();
    const isTaken = await session.take();
    if (isTaken) hold(session, at);
    return isTaken;
  }

  async function watch(): Promise<void> {
    const session = await Session.open(url);
    try {
      while (!(await look(session))) await delay(LOOK_MS, undefined, { signal });
    } catch (error) {
      session.cut();
      // The server may have forgotten the holder, which then needs the time to come back.
      freeFrom = performance.now() + LOCK_LIFE_MS;
      throw error;
    }
  }

  const onFailure = (error: unknown) => {
    if (signal.aborted) throw error;
    if (!isWaiting || !hasLostConnection(error)) throw toQueueError(error);
    log(events, "debug", `a standby can't reach the database: ${describe(error)}`);
  };
  await retry({ firstMs: RETRY_MS, maxMs: LONGEST_RETRY_MS, signal, onFailure }, watch);
}

/** Connections of bots and of standbys, as pg_stat_activity shows them. */
const NAMES = { bot: "promptist bot", standby: "promptist standby" } as const;

const THE_LOCK = `
  locktype = 'advisory' and granted and objsubid = 2
  and database = (select oid from pg_database where datname = current_database())
  and (classid::bigint, objid::bigint) = (select (a::bigint & 4294967295), b::bigint from (select ${lockOf("instance")}) as it (a, b))`;

/** A connection that holds the lock or waits for it. */
class Session {
  readonly #client: pg.Client;
  readonly #socket: Socket;

  private constructor(client: pg.Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
  }

  static async open(url: string): Promise<Session> {
    const socket = new Socket();
    const client = new pg.Client({
      ...clientOptions(url),
      application_name: NAMES.standby,
      stream: () => socket,
    });
    // `end` follows, and says what to do.
    client.on("error", () => {});
    await client.connect();
    await client.query(`set idle_session_timeout = ${LOCK_LIFE_MS}`);
    return new Session(client, socket);
  }

  /** Whether the lock is this connection's now. */
  async take(): Promise<boolean> {
    const { rows } = await this.#client.query<{ taken: boolean }>(
      `select pg_try_advisory_lock(${lockOf("instance")}) as taken`,
    );
    if (!rows[0]!.taken) return false;
    await this.#client.query(`set application_name = '${NAMES.bot}'`);
    return true;
  }

  /** For how long the server has not heard the lock's holder; null if it is free. */
  async holdersQuietMs(): Promise<number | null> {
    const { rows } = await this.#client.query<{ ms: number | null }>(
      `select (extract(epoch from clock_timestamp() - state_change) * 1000)::bigint as ms
       from pg_locks left join pg_stat_activity using (pid) where ${THE_LOCK}`,
    );
    // Whose times are hidden, because its role is another, may have spoken just now.
    return rows.length === 0 ? null : (rows[0]!.ms ?? 0);
  }

  /** Who has signed and not said goodbye; null also before the first start. */
  async signature(): Promise<string | null> {
    const { rows: tables } = await this.#client.query<{ found: boolean }>(
      "select to_regclass('flags') is not null as found",
    );
    if (!tables[0]!.found) return null;
    const { rows } = await this.#client.query<{ value: string }>("select value from flags where name = $1", [
      HOLDER,
    ]);
    return rows[0]?.value ?? null;
  }

  async sign(self: string): Promise<void> {
    await this.#client.query(
      "insert into flags (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value",
      [HOLDER, self],
    );
  }

  async beat(): Promise<void> {
    await this.#client.query("select 1");
  }

  onEnd(listener: () => void): void {
    this.#client.on("end", listener);
  }

  /** Tells the next holder that this one has stopped, and frees the lock. */
  async sayGoodbye(self: string): Promise<void> {
    try {
      if ((await this.signature()) === self)
        await this.#client.query("delete from flags where name = $1 and value = $2", [HOLDER, self]);
      await this.#client.end();
    } catch {
      // Without a server there is nobody to tell, and the next holder waits a moment.
    }
  }

  async end(): Promise<void> {
    await this.#client.end();
  }

  /** Gives the connection up without waiting for the server. */
  cut(): void {
    this.#socket.destroy();
  }
}

/** How many bots work on a database (one or none), and how many wait as its standby. */
export async function countBots(
  server: pg.Pool | pg.ClientBase,
): Promise<{ readonly bots: number; readonly standbys: number }> {
  const { rows } = await server.query<{ bots: number; standbys: number }>(
    `select (select count(*) from pg_locks where ${THE_LOCK}) as bots,
       (select count(*) from pg_stat_activity where datname = current_database() and application_name = '${NAMES.standby}') as standbys`,
  );
  return rows[0]!;
}
