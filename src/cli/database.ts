import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Config } from "../config.js";
import { InputError } from "../core/errors.js";
import { createEvents } from "../core/events.js";
import { type CopiedTable, copyAll } from "../db/sql/copy.js";
import { backupDatabase } from "../db/sqlite/backup.js";
import { SqliteConnection } from "../db/sqlite/connection.js";
import { folderOfDatabase, lockInstance } from "../db/sqlite/instance-lock.js";
import { openDatabase } from "../db/sqlite/open.js";
import { isBucket } from "../pictures/open.js";
import type { Output } from "./parts/output.js";

const whereOf = (config: Config): string =>
  isBucket(config)
    ? `Pictures lie in ${config.PICTURES}.`
    : `Pictures lie in ${config.picturesDir}; copy them after it.`;

/** `promptist backup FILE`: copies the queue's database as it is now; safe while the bot runs. */
export async function backup(config: Config, output: Output, file: string): Promise<void> {
  if (config.DATABASE_URL !== "")
    throw new InputError(
      "CONFIG",
      `The queue is in the database of DATABASE_URL: back it up with PostgreSQL's pg_dump --format=custom, while the bot runs. ${whereOf(config)}`,
    );
  const target = resolve(file);
  const bytes = await backupDatabase(config.databaseFile, target);
  output.result(
    { file: target, bytes },
    `${target}: ${(bytes / 2 ** 20).toFixed(1)} MiB, checked. ${whereOf(config)}`,
  );
}

export interface CopyFlags {
  readonly to?: string;
  readonly from?: string;
}

/**
 * `promptist db copy --to URL | --from URL`: copies all that is stored from the data folder's file into a
 * PostgreSQL database, or back, and compares both. Refused while a Promptist works on either.
 */
export async function copyDatabase(config: Config, output: Output, { to, from }: CopyFlags): Promise<void> {
  const url = to ?? from;
  if (url === undefined || (to !== undefined && from !== undefined))
    throw new InputError(
      "CONFIG",
      "Say where to: --to postgres://..., or --from postgres://... for the way back.",
    );
  const { databaseFile } = config;
  if (to !== undefined && !existsSync(databaseFile))
    throw new InputError(
      "CONFIG",
      `There is nothing to copy: ${databaseFile} is not there. Is DATA_DIR right?`,
    );

  const lock = lockInstance(folderOfDatabase(databaseFile));
  try {
    // Loaded only here, so that no other verb waits for the driver.
    const { holdInstance } = await import("../db/postgres/instance.js");
    const { nameOfServer, openPostgres } = await import("../db/postgres/open.js");
    const postgres = await openPostgres(url);
    const instance = await holdInstance({ url, events: createEvents(), onTaken: () => {} });
    const sqlite = new SqliteConnection(openDatabase(databaseFile));
    try {
      const tables: CopiedTable[] = [];
      const [source, target] = to === undefined ? [postgres, sqlite] : [sqlite, postgres];
      await copyAll(source, target, (copied) => {
        tables.push(copied);
        output.say(`${copied.table}: ${copied.rows}`);
      });
      const names = [databaseFile, nameOfServer(url)];
      const [one, other] = to === undefined ? names.reverse() : names;
      const next =
        to === undefined
          ? "Take DATABASE_URL out of .env, then start the bot."
          : "Set DATABASE_URL in .env, then start the bot. The file stays as it is, as a backup.";
      output.result(
        { from: one, to: other, tables },
        `Copied ${one} to ${other} and compared every row. ${next}`,
      );
    } finally {
      await sqlite.close();
      await instance.release();
      await postgres.close();
    }
  } finally {
    lock.release();
  }
}
