import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { inject } from "vitest";
import { postgresStore } from "../../../src/db/postgres/store.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";
import type { Store } from "../../../src/db/store.js";
import { newSchema } from "../../support/postgres-server.js";

export interface QueueLimits {
  readonly maxAttempts?: number;
  readonly maxWaiting?: number;
}

/** A database of its own for one test, and stores on it. */
export interface Engine {
  /** Connects a store to the database; a second one is what another process, or the next start, would see. */
  connect(now: () => number, limits?: QueueLimits): Promise<Store>;
  /** Closes every store that was connected and deletes the database. */
  destroy(): Promise<void>;
}

function sqlite(): Engine {
  const folder = mkdtempSync(join(tmpdir(), "store-"));
  const stores: Store[] = [];
  return {
    async connect(now, limits) {
      const store = sqliteStore(openDatabase(join(folder, "queue.db")), { now, ...limits });
      stores.push(store);
      return store;
    },
    async destroy() {
      for (const store of stores) await store.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function postgres(server: string): Engine {
  const stores: Store[] = [];
  let schema: Promise<string> | undefined;
  return {
    async connect(now, limits) {
      schema ??= newSchema(server);
      const store = await postgresStore(await schema, { now, connections: 2, ...limits });
      stores.push(store);
      return store;
    },
    async destroy() {
      for (const store of stores) await store.close();
    },
  };
}

/** The server of vitest's project `postgres`; other projects have none. */
const server = inject("postgresUrl");

/** The engine that the contract is held against: SQLite, or PostgreSQL in the project of that name. */
export const ENGINES: readonly { readonly name: string; readonly create: () => Engine }[] =
  server == null
    ? [{ name: "sqlite", create: sqlite }]
    : [{ name: "postgres", create: () => postgres(server) }];
