import type pg from "pg";
import { QueueError } from "../../core/errors.js";
import { type Migration, readMigrations } from "../sql/migrations.js";
import { lockOf } from "./connection.js";

/** The folder of the schema's steps. */
export const MIGRATIONS = new URL("./migrations/", import.meta.url);

/** Oldest server whose SQL this program speaks (`pg_xact_status` with xid8). */
export const OLDEST_SERVER = 14;

/**
 * Brings the schema to the newest of `migrations`, each in one transaction, one program after the other. Throws
 * QueueError QUEUE_NEWER_SCHEMA, before anything is changed, when the schema has a step that this program does not
 * know, and CONFIG when it holds another program's tables or the server is too old.
 */
export async function migrate(
  client: pg.ClientBase,
  migrations: readonly Migration[] = readMigrations(MIGRATIONS),
): Promise<void> {
  await refuseOld(client);
  await client.query(`select pg_advisory_lock(${lockOf("migration")})`);
  try {
    const found = await latestOf(client);
    const newest = migrations.at(-1)?.number ?? 0;
    if (found !== undefined && found.number > newest) {
      throw new QueueError(
        "QUEUE_NEWER_SCHEMA",
        `The database of DATABASE_URL was written by a newer version of this program (its schema is ${found.name}, this version knows up to number ${newest}). Update the program, or restore the backup from before the update.`,
      );
    }
    for (const { number, name, sql } of migrations) {
      if (number <= (found?.number ?? 0)) continue;
      await client.query("begin");
      try {
        await client.query(sql);
        const values = [number, name, Date.now()];
        await client.query("insert into migrations (number, name, applied_at) values ($1, $2, $3)", values);
        await client.query("commit");
      } catch (error) {
        await client.query("rollback");
        throw error;
      }
    }
  } finally {
    await client.query(`select pg_advisory_unlock(${lockOf("migration")})`);
  }
}

/** Throws QueueError CONFIG where the server is too old, or the role may use no schema. */
export async function refuseOld(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ version: number; schema: string | null }>(
    "select current_setting('server_version_num')::bigint as version, current_schema() as schema",
  );
  const { version, schema } = rows[0]!;
  if (version < OLDEST_SERVER * 10_000) {
    throw new QueueError(
      "CONFIG",
      `The database server of DATABASE_URL is PostgreSQL ${Math.floor(version / 10_000)}; this program needs ${OLDEST_SERVER} or later.`,
    );
  }
  if (schema === null) {
    throw new QueueError(
      "CONFIG",
      "The database of DATABASE_URL has no schema that its role may use: create it (create schema promptist), or change search_path.",
    );
  }
}

/** The newest step that the schema has. */
async function latestOf(client: pg.ClientBase): Promise<{ number: number; name: string } | undefined> {
  const { rows } = await client.query<{ name: string }>(
    "select relname as name from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace",
  );
  const tables = rows.map(({ name }) => name);
  if (tables.length > 0 && !tables.includes("migrations")) {
    throw new QueueError(
      "CONFIG",
      `The database of DATABASE_URL belongs to another program (it has the table ${tables[0]}). Choose another one, or a schema of its own.`,
    );
  }
  if (tables.length === 0) {
    await client.query(
      "create table migrations (number bigint primary key, name text not null, applied_at bigint not null)",
    );
  }
  const latest = await client.query<{ number: number; name: string }>(
    "select number, name from migrations order by number desc limit 1",
  );
  return latest.rows[0];
}
