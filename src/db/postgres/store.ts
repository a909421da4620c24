import type { Hosts } from "../hosts.js";
import { sqlHosts } from "../sql/hosts.js";
import { type StoreOptions, sqlStore } from "../sql/store.js";
import type { Store } from "../store.js";
import { PostgresConnection, type PostgresOptions } from "./connection.js";
import { openPostgres } from "./open.js";

/** The store in a schema of a PostgreSQL server (`openPostgres` has the errors). */
export const postgresStore = async (
  url: string,
  options: PostgresOptions & StoreOptions = {},
): Promise<Store> => sqlStore(await openPostgres(url, options), options);

/** The hosts alone, in tables that are left as they are. */
export function postgresHosts(url: string): { readonly hosts: Hosts; readonly close: () => Promise<void> } {
  const connection = new PostgresConnection(url, { connections: 1 });
  return { hosts: sqlHosts(connection), close: () => connection.close() };
}
