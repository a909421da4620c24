import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { isMissing } from "../../core/errors.js";
import { makeFolder } from "../../files/replace-file.js";
import type { Weights } from "./weights.js";

/**
 * SHA-256 of the weights, for records: the file's own if there is one file, else that of the sorted lines
 * `<file name> <its SHA-256>`. A file is read once; `cacheDir` keeps its hash until its size or time changes.
 * Throws system errors, such as a full disk.
 */
export async function weightsHash(parts: readonly Weights[], cacheDir: string): Promise<string> {
  const files = [
    ...new Set(parts.flatMap((weights) => weights.names.map((name) => weights.get(name)?.file ?? ""))),
  ];
  const hashes: { file: string; hash: string }[] = [];
  for (const file of files.filter((path) => path !== "").sort())
    hashes.push({ file, hash: await fileHash(file, cacheDir) });
  if (hashes.length === 1) return hashes[0]!.hash;
  const lines = hashes.map(({ file, hash }) => `${basename(file)} ${hash}\n`);
  return createHash("sha256").update(lines.join("")).digest("hex");
}

/**
 * SHA-256 of a file from the byte `from` on. A file is read once; `cacheDir` keeps its hash until its size or time
 * changes. Throws system errors.
 */
export async function fileHash(file: string, cacheDir: string, from = 0): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  const key = createHash("sha256")
    .update(JSON.stringify([file, size, mtimeMs, ...(from === 0 ? [] : [from])]))
    .digest("hex");
  const kept = join(cacheDir, `weights-${key.slice(0, 20)}.sha256`);
  try {
    const known = (await readFile(kept, "utf8")).trim();
    if (/^[0-9a-f]{64}$/.test(known)) return known;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const hex = await freshHash(file, from);
  await makeFolder(cacheDir);
  await writeFile(kept, `${hex}\n`);
  return hex;
}

/** SHA-256 of a file from the byte `from` on, read now. Throws system errors. */
export async function freshHash(file: string, from = 0): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20, start: from }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
}
