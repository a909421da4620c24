import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const CACHED_COMMIT = "a".repeat(40);

/** Files of a folder by their paths in it. */
export const contentsOf = (folder: string): Record<string, Buffer> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => statSync(join(folder, path)).isFile())
      .map((path) => [path.replaceAll("\\", "/"), readFileSync(join(folder, path))]),
  );

/** The name of a content's blob: SHA-256 of what a hub keeps as a large file, else git's hash. */
export const blobName = (content: Buffer, largeBytes = 2_000): string =>
  content.length >= largeBytes
    ? createHash("sha256").update(content).digest("hex")
    : createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");

/**
 * Writes files into a cache in the layout of huggingface_hub. Returns the snapshot's folder.
 * @param options.copies true: the files themselves are in the snapshot, as on a Windows without links
 * @param options.ref the reference that names the commit; null for none
 */
export function cacheRepo(
  hubCacheDir: string,
  repo: string,
  files: Readonly<Record<string, Buffer | string>>,
  {
    commit = CACHED_COMMIT,
    copies = false,
    ref = "main",
  }: { readonly commit?: string; readonly copies?: boolean; readonly ref?: string | null } = {},
): string {
  const folder = join(hubCacheDir, `models--${repo.replace("/", "--")}`);
  const snapshot = join(folder, "snapshots", commit);
  const write = (path: string, content: Buffer | string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  mkdirSync(snapshot, { recursive: true });
  if (ref !== null) write(join(folder, "refs", ref), commit);
  for (const [path, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    const target = join(snapshot, path);
    if (copies) {
      write(target, content);
      continue;
    }
    const blob = join(folder, "blobs", blobName(content));
    write(blob, content);
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(relative(dirname(target), blob), target);
  }
  return snapshot;
}
