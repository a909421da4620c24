import { type StoreOptions, sqlStore } from "../sql/store.js";
import type { Store } from "../store.js";
import type { PostgresOptions } from "./connection.js";
import { openPostgres } from "./open.js";

/** The store in a schema of a PostgreSQL server (`openPostgres` has the errors). */
export const postgresStore = async (
  url: string,
  options: PostgresOptions & StoreOptions = {},
): Promise<Store> => sqlStore(await openPostgres(url, options), options);
