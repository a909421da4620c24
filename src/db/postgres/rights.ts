import pg from "pg";
import { QueueError } from "../../core/errors.js";
import { clientOptions } from "./connection.js";
import { toQueueError } from "./postgres-error.js";

/** What a worker does with the tables; it reads and writes no others (docs/operations.md has the SQL). */
export const WORKER_RIGHTS: Readonly<Record<string, readonly string[]>> = {
  migrations: ["select"],
  flags: ["select"],
  // What a server likes, by which rewrites are chosen.
  settings: ["select"],
  ballots: ["select"],
  votes: ["select"],
  jobs: ["select", "update"],
  items: ["select", "update"],
  sheets: ["select", "insert", "update"],
  hosts: ["select", "insert", "update"],
  turns: ["select", "insert", "update", "delete"],
  card_usage: ["select", "insert", "update", "delete"],
};

export interface MissingRights {
  /** False where the bot has not made the tables yet, or the role can see none. */
  readonly seesTables: boolean;
  /** Statements for the database's owner. */
  readonly grants: readonly string[];
}

/** What the role of a connection lacks to do what a worker does. */
export async function missingWorkerRights(client: pg.ClientBase): Promise<MissingRights> {
  const wanted = Object.entries(WORKER_RIGHTS).flatMap(([table, rights]) =>
    rights.map((right) => ({ table, right })),
  );
  const { rows } = await client.query<{ role: string; table: string; right: string; exists: boolean }>(
    `select current_user as role, "table", "right", to_regclass("table") is not null as exists
     from unnest($1::text[], $2::text[]) as wanted ("table", "right")
     where has_table_privilege(to_regclass("table"), "right") is not true`,
    [wanted.map(({ table }) => table), wanted.map(({ right }) => right)],
  );
  return {
    seesTables: rows.length === 0 || rows.some(({ exists }) => exists),
    grants: rows.map(({ role, table, right }) => `grant ${right} on ${table} to ${role};`),
  };
}

/**
 * Looks whether the role of `url` may do what a worker does, before it takes a job that it could not finish. Throws
 * QueueError CONFIG with the statements that are missing, or where the bot has not made the tables yet.
 */
export async function requireWorkerRights(url: string): Promise<void> {
  const client = new pg.Client(clientOptions(url));
  client.on("error", () => {});
  let missing: MissingRights;
  try {
    await client.connect();
    missing = await missingWorkerRights(client);
  } catch (error) {
    throw toQueueError(error);
  } finally {
    await client.end();
  }
  const { seesTables, grants } = missing;
  if (!seesTables) {
    throw new QueueError(
      "CONFIG",
      "The database of DATABASE_URL has no tables yet, or none that its role can see. Start the bot on it first, which makes them.",
    );
  }
  if (grants.length > 0) {
    throw new QueueError(
      "CONFIG",
      `The role of DATABASE_URL may not do what a worker does. As the owner of the database: ${grants.join(" ")}`,
    );
  }
}
