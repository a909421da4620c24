import type { Database } from "better-sqlite3";
import { QueueError } from "../../core/errors.js";
import { type Migration, readMigrations } from "../sql/migrations.js";

const FOLDER = new URL("./migrations/", import.meta.url);

/** The program's own migrations of this engine. */
export const sqliteMigrations = (): Migration[] => readMigrations(FOLDER);

/**
 * Brings a database to the newest of `migrations`: each in one transaction with its row in `migrations`, so a
 * crash leaves it at a whole step. Throws QueueError QUEUE_NEWER_SCHEMA, before anything is changed, when the
 * database has a step that this program does not know, and CONFIG when it is another program's database.
 */
export function migrate(db: Database, migrations: readonly Migration[] = sqliteMigrations()): void {
  refuseForeign(db);
  const newest = migrations.at(-1)?.number ?? 0;
  // Immediate: two programs that start at once apply a step once, the second finds it recorded.
  db.transaction(() => {
    db.exec(
      "create table if not exists migrations (number integer primary key, name text not null, applied_at integer not null) strict",
    );
  }).immediate();

  const latest = db.prepare<[], { number: number; name: string }>(
    "select number, name from migrations order by number desc limit 1",
  );
  const found = latest.get();
  if (found !== undefined && found.number > newest) {
    throw new QueueError(
      "QUEUE_NEWER_SCHEMA",
      `${db.name} was written by a newer version of this program (its schema is ${found.name}, this version knows up to number ${newest}). Update the program, or restore the backup from before the update.`,
    );
  }

  const record = db.prepare("insert into migrations (number, name, applied_at) values (?, ?, ?)");
  for (const migration of migrations) {
    db.transaction(() => {
      if ((latest.get()?.number ?? 0) >= migration.number) return;
      db.exec(migration.sql);
      record.run(migration.number, migration.name, Date.now());
    }).immediate();
  }
}

/**
 * A database with tables but without ours belongs to somebody else: better a sentence than our tables in it.
 */
function refuseForeign(db: Database): void {
  const tables = db
    .prepare<[], string>("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
    .pluck()
    .all();
  if (tables.length === 0 || tables.includes("migrations")) return;
  throw new QueueError(
    "CONFIG",
    `${db.name} is a database of another program (it has the table ${tables[0]}). Choose another data folder.`,
  );
}
