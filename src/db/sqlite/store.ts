import type { Database } from "better-sqlite3";
import { type StoreOptions, sqlStore } from "../sql/store.js";
import type { Store } from "../store.js";
import { type ConnectionOptions, SqliteConnection } from "./connection.js";

/** The store in one SQLite file. Takes an open, migrated database (`openDatabase`); `close` closes it. */
export const sqliteStore = (database: Database, options: ConnectionOptions & StoreOptions = {}): Store =>
  sqlStore(new SqliteConnection(database, options), options);
