import { readdirSync, readFileSync } from "node:fs";

/**
 * One step of a schema. Files are append-only: a released one is never edited, the next one changes what it did.
 * Steps of the same number do the same in each engine's own words.
 */
export interface Migration {
  readonly number: number;
  /** File name without its ending, such as `0001_jobs`. */
  readonly name: string;
  readonly sql: string;
}

/** An engine's migrations, in order; they lie beside it, in src/ and in dist/. */
export const readMigrations = (folder: URL): Migration[] =>
  readdirSync(folder)
    .filter((file) => /^\d{4}_.+\.sql$/.test(file))
    .sort()
    .map((file) => ({
      number: Number(file.slice(0, 4)),
      name: file.slice(0, -".sql".length),
      sql: readFileSync(new URL(file, folder), "utf8"),
    }));
