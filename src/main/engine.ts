import type { Config } from "../config.js";
import { InputError } from "../core/errors.js";
import type { Events } from "../core/events.js";
import { announced } from "../db/announce.js";
import { LapsedLeases } from "../db/lapsed.js";
import { watchDataFolder } from "../db/sqlite/data-folder.js";
import { folderOfDatabase, lockInstance } from "../db/sqlite/instance-lock.js";
import { closeToOthers, openDatabase } from "../db/sqlite/open.js";
import { sqliteStore } from "../db/sqlite/store.js";
import type { Store } from "../db/store.js";

/** The data folder, and where all that is stored lives, which is there too or on a server; and what this program must do because others may share it. */
export interface Engine {
  readonly store: Store;
  /** False while nothing may be begun or sent: another program may have the database, or has it or the data folder. */
  readonly isOurs: () => boolean;
  /** Milliseconds between two looks for work that others may have stored; absent where nobody else can. */
  readonly pollMs?: number;
  /** Gives the jobs of dead programs back to the line, now or from now on. To be called before a loop starts. */
  readonly recover: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface EngineOptions {
  readonly config: Config;
  readonly events: Events;
  /** Called when another program has taken the data folder, or another bot the database: this one must stop. */
  readonly onTaken: () => void;
  /** Called when the database has been away for longer than a worker waits. */
  readonly onGone?: () => void;
  /** Called once when another bot has the database: this one waits as its standby. */
  readonly onWaiting?: () => Promise<void>;
  /** Ends that wait; then its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Behind the notifications, of which a few may be lost. */
const POLL_MS = 5_000;
const MINUTE = 60_000;
const NEVER = new AbortController().signal;

/**
 * Takes the data folder, and opens the file in it or the server of DATABASE_URL, whose driver is loaded only then. One
 * program at a time has a data folder, and one bot a database; of workers there may be any number, each with a folder of
 * its own. A further bot on a database waits until it is the first; on a folder QueueError QUEUE_LOCKED is thrown, and
 * InputError CONFIG where a program of one role alone has nobody to share the work with.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { config, events, onTaken } = options;
  const { dataDir, databaseFile, ROLE } = config;
  if (ROLE !== "both" && config.DATABASE_URL === "") {
    throw new InputError(
      "CONFIG",
      `A ${ROLE} shares its work with other programs through PostgreSQL: set DATABASE_URL (docs/operations.md), or leave ROLE at both.`,
    );
  }
  const lock = lockInstance(folderOfDatabase(databaseFile));
  if (!closeToOthers(dataDir)) {
    const message = `Other users of this machine can read ${dataDir}, which belongs to another user`;
    events.emit("log", { level: "warn", message });
  }
  try {
    const engine = await openStore(options);
    const folder = watchDataFolder({ lock, dataDir, databaseFile, events, onTaken });
    return {
      ...engine,
      isOurs: () => folder.isOurs() && engine.isOurs(),
      async close() {
        folder.stop();
        await engine.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openStore(options: EngineOptions): Promise<Engine> {
  const { config, events } = options;
  const limits = { maxAttempts: config.MAX_ATTEMPTS, maxWaiting: config.MAX_WAITING_JOBS };
  if (config.DATABASE_URL !== "") return openShared(options, limits);
  const store = announced(sqliteStore(openDatabase(config.databaseFile), limits), events);
  return {
    store,
    isOurs: () => true,
    async recover() {
      await store.queue.recover("all");
    },
    close: () => store.close(),
  };
}

async function openShared(
  { config, events, onTaken, onGone, onWaiting = async () => {}, signal = NEVER }: EngineOptions,
  limits: { readonly maxAttempts: number; readonly maxWaiting: number },
): Promise<Engine> {
  const [{ holdInstance }, { EventRelay, HEARD }, { requireWorkerRights }, { postgresStore }] =
    await Promise.all([
      import("../db/postgres/instance.js"),
      import("../db/postgres/relay.js"),
      import("../db/postgres/rights.js"),
      import("../db/postgres/store.js"),
    ]);
  const url = config.DATABASE_URL;
  const isWorker = config.ROLE === "worker";
  if (isWorker) await requireWorkerRights(url);
  const cleanups: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    // Before the tables are brought up to date: a newer program may wait while an older one works on them.
    const instance = isWorker
      ? null
      : await holdInstance({ url, events, onTaken, standby: { signal, onWaiting } });
    if (instance !== null) cleanups.push(() => instance.release());
    const store = announced(await postgresStore(url, limits), events);
    cleanups.push(() => store.close());
    await instance?.sign();
    const relay = new EventRelay({ url, events, heard: HEARD[isWorker ? "worker" : "bot"] });
    cleanups.push(() => relay.stop());
    await relay.start();
    const patience = config.WORKER_PATIENCE_MINUTES;
    const lapsed = new LapsedLeases(store.queue, events, {
      ...(onGone === undefined || patience === 0
        ? {}
        : { gone: { afterMs: patience * MINUTE, call: onGone } }),
    });
    cleanups.push(() => lapsed.stop());
    return {
      store,
      isOurs: () => instance?.isOurs() ?? true,
      pollMs: POLL_MS,
      async recover() {
        lapsed.start();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What must not be printed of an address. */
export const passwordOf = (url: string): string =>
  url === "" ? "" : decodeURIComponent(new URL(url).password);
