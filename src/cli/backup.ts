import { resolve } from "node:path";
import type { Config } from "../config.js";
import { InputError } from "../core/errors.js";
import { backupDatabase } from "../db/sqlite/backup.js";
import type { Output } from "./output.js";

/** `promptist backup FILE`: copies the queue's database as it is now; safe while the bot runs. */
export async function backup(config: Config, output: Output, file: string): Promise<void> {
  if (config.DATABASE_URL !== "")
    throw new InputError(
      "CONFIG",
      `The queue is in the database of DATABASE_URL: back it up with PostgreSQL's pg_dump --format=custom, while the bot runs. Pictures lie in ${config.picturesDir}; copy them after it.`,
    );
  const target = resolve(file);
  const bytes = await backupDatabase(config.databaseFile, target);
  output.result(
    { file: target, bytes },
    `${target}: ${(bytes / 2 ** 20).toFixed(1)} MiB, checked. Pictures lie in ${config.picturesDir}; copy them after it.`,
  );
}
