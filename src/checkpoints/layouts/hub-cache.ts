import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/*
 * The cache that Hugging Face's programs share, as huggingface_hub documents it: `models--OWNER--NAME` with
 * `refs/REVISION` (a text file with the commit), `snapshots/COMMIT` (the files under their own names) and `blobs`
 * (their contents, named by hash; a snapshot's files are links to them, or copies on a Windows without links).
 * It is read, never written.
 */

/** A revision of a repository in the cache. It may lack files: programs download only those that they need. */
export interface CachedSnapshot {
  readonly repo: string;
  readonly commit: string;
  /** Absolute path of the folder of the revision's files. */
  readonly directory: string;
}

const COMMIT = /^[0-9a-f]{40,64}$/;
/** A reference has 40 bytes. */
const MAX_REF_BYTES = 1000;
const REPO_FOLDER = "models--";

/** A repository's id, such as `openai-community/gpt2` or the old `gpt2`. */
export const REPO_ID = /^[\w.-]+(?:\/[\w.-]+)?$/;

/** The snapshot of a repository at a branch, tag or commit; null if the cache has none. */
export function cachedSnapshot(
  hubCacheDir: string | undefined,
  repo: string,
  revision = "main",
): CachedSnapshot | null {
  if (hubCacheDir === undefined || !REPO_ID.test(repo)) return null;
  const folder = join(hubCacheDir, REPO_FOLDER + repo.replace("/", "--"));
  const commit = COMMIT.test(revision) ? revision : commitOf(folder, revision);
  if (commit === null) return null;
  const directory = join(folder, "snapshots", commit);
  return isFolder(directory) ? { repo, commit, directory } : null;
}

function commitOf(folder: string, revision: string): string | null {
  if (revision.split("/").some((part) => /^\.*$/.test(part))) return null;
  const path = join(folder, "refs", revision);
  const stat = statOf(path);
  if (!stat?.isFile() || stat.size > MAX_REF_BYTES) return null;
  const commit = readFileSync(path, "utf8").trim();
  return COMMIT.test(commit) ? commit : null;
}

/** The snapshots that `main` names of all repositories of models, by name. Throws system errors. */
export function cachedSnapshots(hubCacheDir: string): CachedSnapshot[] {
  if (!isFolder(hubCacheDir)) return [];
  return readdirSync(hubCacheDir)
    .filter((name) => name.startsWith(REPO_FOLDER))
    .sort()
    .flatMap((name) => cachedSnapshot(hubCacheDir, name.slice(REPO_FOLDER.length).replace("--", "/")) ?? []);
}

/** The repository in whose snapshot a folder or file lies; null if it lies in none. */
export function repoOfCached(path: string): string | null {
  const [, folder] = /(?:^|[\\/])models--([^\\/]+)[\\/]snapshots[\\/][^\\/]+(?:[\\/]|$)/.exec(path) ?? [];
  return folder === undefined ? null : folder.replace("--", "/");
}

/** The hash by which a snapshot's file is stored; null if it is no link to a blob. */
export function blobHash(path: string): string | null {
  const real = realpathSync(path);
  return basename(dirname(real)) === "blobs" ? basename(real) : null;
}

/** Path of a content in a repository's cache; null if it is not there. */
export function cachedBlob(hubCacheDir: string | undefined, repo: string, hex: string): string | null {
  if (hubCacheDir === undefined || !REPO_ID.test(repo)) return null;
  const path = join(hubCacheDir, REPO_FOLDER + repo.replace("/", "--"), "blobs", hex);
  return statOf(path)?.isFile() ? path : null;
}

const isFolder = (path: string): boolean => statOf(path)?.isDirectory() === true;

/** Undefined also for what belongs to another user: to this program that is not there. */
function statOf(path: string) {
  try {
    return statSync(path);
  } catch (error) {
    if (
      ["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP"].includes(
        String((error as NodeJS.ErrnoException).code),
      )
    )
      return undefined;
    throw error;
  }
}
