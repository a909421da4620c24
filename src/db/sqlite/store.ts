import type { Database } from "better-sqlite3";
import type { Store } from "../store.js";
import { SqliteDrafts } from "./drafts.js";
import { SqliteSettings } from "./settings.js";
import { SqliteQueue, type SqliteQueueOptions } from "./sqlite-queue.js";
import { SqliteVotes } from "./votes.js";

/** All that is stored, in one SQLite file. Takes an open, migrated database (`openDatabase`); `close` closes it. */
export function sqliteStore(database: Database, options: SqliteQueueOptions = {}): Store {
  const jobs = new SqliteQueue(database, options);
  return {
    queue: jobs,
    deliveries: jobs,
    records: jobs,
    votes: new SqliteVotes(database, options.now),
    settings: new SqliteSettings(database, options.now),
    drafts: new SqliteDrafts(database, options.now),
    close: () => jobs.close(),
  };
}
