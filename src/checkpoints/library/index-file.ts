import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { replaceFile } from "../../files/replace-file.js";

/*
 * What was found in files of weights, kept so that their headers are read once. The file is written whole or not
 * at all; of two processes the later one wins, and what the other one knew is read again.
 */

const NAME = "models-index.json";
/** Raise it when a file is judged differently. */
const VERSION = 2;
const MAX_ENTRIES = 50_000;
const MAX_BYTES = 64 * 2 ** 20;

const entry = z.object({
  bytes: z.number(),
  mtimeMs: z.number(),
  kind: z.enum([
    "checkpoint",
    "lora",
    "vae",
    "embedding",
    "upscaler",
    "controlnet",
    "rewriter",
    "clip",
    "unknown",
  ]),
  family: z.string().nullable(),
  detail: z.string().nullable(),
  misfit: z.string().nullable(),
  lacksVae: z.boolean(),
  broken: z.boolean(),
});
const index = z.object({ version: z.literal(VERSION), entries: z.record(z.string(), entry) });

/** What is known of a file with this size and time. */
export type IndexEntry = z.output<typeof entry>;

/** What is kept in the cache folder, by path; empty if nothing is, or nothing that can be read. */
export function readIndex(cacheDir: string): Map<string, IndexEntry> {
  const path = join(cacheDir, NAME);
  try {
    if (statSync(path).size > MAX_BYTES) return new Map();
    return new Map(Object.entries(index.parse(JSON.parse(readFileSync(path, "utf8"))).entries));
  } catch {
    // Absent, damaged or of another version: it is made again from the files themselves.
    return new Map();
  }
}

/** Keeps the newest entries. Throws system errors and DiskError. */
export async function writeIndex(cacheDir: string, entries: ReadonlyMap<string, IndexEntry>): Promise<void> {
  const kept = [...entries].slice(-MAX_ENTRIES);
  const content = JSON.stringify({ version: VERSION, entries: Object.fromEntries(kept) });
  await replaceFile(join(cacheDir, NAME), content);
}
