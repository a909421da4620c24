import { resolve } from "node:path";
import type { Config } from "../config.js";
import { backupDatabase } from "../db/sqlite/backup.js";
import type { Output } from "./output.js";

/** `promptist backup FILE`: copies the queue's database as it is now; safe while the bot runs. */
export async function backup(config: Config, output: Output, file: string): Promise<void> {
  const target = resolve(file);
  const bytes = await backupDatabase(config.databaseFile, target);
  output.result(
    { file: target, bytes },
    `${target}: ${(bytes / 2 ** 20).toFixed(1)} MiB, checked. Pictures lie in ${config.picturesDir}; copy them after it.`,
  );
}
