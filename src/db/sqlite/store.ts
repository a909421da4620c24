import type { Database } from "better-sqlite3";
import type { Store } from "../store.js";
import { claiming } from "./claim.js";
import { Connection, type ConnectionOptions } from "./connection.js";
import { sqliteDeliveries } from "./deliveries.js";
import { sqliteDrafts } from "./drafts.js";
import { enqueueing } from "./enqueue.js";
import { ErasedMessages } from "./erased-messages.js";
import { finishing } from "./finish.js";
import { Jobs } from "./jobs.js";
import { Limits } from "./limits.js";
import { showing } from "./line.js";
import { sqliteRecords } from "./records.js";
import { keepingResults } from "./results.js";
import { sqliteSettings } from "./settings.js";
import { sqliteStyles } from "./styles.js";
import { Turns } from "./turns.js";
import { sqliteVotes } from "./votes.js";

export interface SqliteStoreOptions extends ConnectionOptions {
  /** Failed attempts after which a job is set aside as failed. */
  readonly maxAttempts?: number;
  /** Waiting jobs after which enqueue answers QUEUE_FULL. */
  readonly maxWaiting?: number;
}

/** The store in one SQLite file. Takes an open, migrated database (`openDatabase`); `close` closes it. */
export function sqliteStore(database: Database, options: SqliteStoreOptions = {}): Store {
  const { maxAttempts = 3, maxWaiting = 1_000 } = options;
  const connection = new Connection(database, options);
  const jobs = new Jobs(database);
  const turns = new Turns(database);
  const limits = new Limits(database, turns);
  const messages = new ErasedMessages(database, connection.now);
  return {
    queue: {
      ...enqueueing(connection, jobs, turns, limits, maxWaiting),
      ...claiming(connection, jobs),
      ...keepingResults(connection, jobs),
      ...finishing(connection, jobs, turns, limits, maxAttempts),
      ...showing(connection, jobs),
    },
    deliveries: sqliteDeliveries(connection),
    records: sqliteRecords(connection, jobs, turns, limits, messages),
    votes: sqliteVotes(connection),
    settings: sqliteSettings(connection),
    drafts: sqliteDrafts(connection, messages),
    styles: sqliteStyles(connection),
    close: () => connection.close(),
  };
}
