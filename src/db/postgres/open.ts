import pg from "pg";
import { clientOptions, PostgresConnection, type PostgresOptions } from "./connection.js";
import { migrate } from "./migrate.js";
import { toQueueError } from "./postgres-error.js";

/**
 * Opens the database of `url` (`postgres://user:password@host:port/database`, with libpq's parameters) and brings
 * its schema, the first of its search_path, up to date.
 *
 * Throws QueueError: QUEUE_NEWER_SCHEMA when a newer program wrote it, QUEUE_UNREACHABLE when the server does not
 * answer, and CONFIG when it refuses, is too old, or the schema is another program's.
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<PostgresConnection> {
  const client = new pg.Client(clientOptions(url));
  // The call that it breaks fails as well.
  client.on("error", () => {});
  try {
    await client.connect();
    await migrate(client);
  } catch (error) {
    throw toQueueError(error);
  } finally {
    await client.end();
  }
  return new PostgresConnection(url, options);
}

/** The server and database of an address, without its password; the address itself may be no URL. */
export function nameOfServer(url: string): string {
  const { host, port, database } = new pg.Client(url);
  return `${host}:${port}/${database}`;
}
