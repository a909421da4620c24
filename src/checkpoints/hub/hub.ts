import { constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, rmdir, stat, statfs, writeFile } from "node:fs/promises";
import { dirname, extname, join, posix, resolve } from "node:path";
import { CheckpointError, codeOf } from "../../core/errors.js";
import { MAX_INDEX_BYTES, openAnyFile, type Preference } from "../files/open.js";
import { openSafetensorsStart } from "../files/safetensors.js";
import type { StoredWeights } from "../files/stored-weights.js";
import { requireStableDiffusion } from "../layouts/architecture.js";
import { findGpt2Tokenizer, hasTokenizer } from "../layouts/catalog.js";
import { blobHash, type CachedSnapshot, cachedBlob, cachedSnapshot } from "../layouts/hub-cache.js";
import { KIND_FOLDER, KIND_WORDS, traitsOf } from "../layouts/kinds.js";
import { PUBLISHED, parsePullName, type Wanted } from "./address.js";
import { choose, type Listing, type Selection, TOKENIZER_FILES, unreadLayout } from "./choose.js";
import { type FileHash, HubClient, type HubFile, type HubOptions, hasHash, sizeOf } from "./hub-client.js";

/*
 * `promptist checkpoints pull`: selects the files of a published model that this program reads, and downloads them
 * to the folder of checkpoints, unless the cache that Hugging Face's programs share has them all. Only the command
 * line imports this file, so nothing is downloaded unasked.
 *
 * Files are collected in `<folder>.partial`, each as `<name>.<hash>.part` until its hash is verified; only
 * then does the folder, or the single file, get its final name. So a folder without `.partial` is complete.
 */

export { PUBLISHED };

export interface PullOptions extends HubOptions {
  readonly checkpointsDir: string;
  /** The cache that Hugging Face's programs share; it is only read. */
  readonly hubCacheDir?: string | undefined;
  /** True if nothing may be downloaded. */
  readonly isOffline?: boolean | undefined;
  /** Folder to fill; by default the name's own in `checkpointsDir`. */
  readonly directory?: string | undefined;
  /** Which variant to prefer if there are two; otherwise the existing one is taken. Default fp16. */
  readonly prefer?: Preference | undefined;
  /** Bytes on disk and in total, for the whole checkpoint. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface Pulled {
  /** Absolute path of the model: a folder, or a single file. */
  readonly directory: string;
  /** True if it lies in the cache that Hugging Face's programs share, and is used from there. */
  readonly cached: boolean;
  readonly repo: string;
  readonly commit: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly repo: string }[];
  readonly bytes: number;
  /** Bytes downloaded this time. */
  readonly downloadedBytes: number;
}

/** A file to have, and where it goes below the model's folder. */
interface Wish extends HubFile {
  readonly target: string;
}

/**
 * Finds a model in the cache of Hugging Face's programs, or downloads it, or the missing part of it. After an
 * interruption, the next run continues.
 * @throws CheckpointError HUB_*, DISK_FULL, CANCELLED, CHECKPOINT_ARCHITECTURE (not a model that runs here;
 *   found before its weights are fetched, where they begin with a header), CHECKPOINT_CORRUPT (the folder has
 *   different files under the same names); InputError INPUT_OPTION
 */
export async function pull(name: string, options: PullOptions): Promise<Pulled> {
  const wanted = parsePullName(name, options.endpoint);
  const cached = options.directory === undefined ? await inCache(wanted, options) : null;
  if (cached !== null) return cached;
  if (options.isOffline)
    throw new CheckpointError(
      "HUB_UNREACHABLE",
      `HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) is set, so nothing is downloaded, and the Hugging Face cache${options.hubCacheDir === undefined ? "" : ` (${options.hubCacheDir})`} does not have all of ${name}. Unset it and run the same again.`,
    );
  const client = new HubClient(options);
  const { repo, revision } = wanted;
  const commit = await client.commitOf(repo, revision);
  const listed = await client.list(repo, commit);
  const byPath = new Map(listed.map((file) => [file.path, file]));
  const listing: Listing = {
    repo,
    paths: [...byPath.keys()],
    readText: (path) => client.readText(byPath.get(path)!),
  };
  const selection = await choose(listing, wanted.path, options.prefer ?? "fp16");
  const snapshot = options.directory === undefined ? snapshotOf(wanted, options) : null;
  if (selection.form === "file") {
    const file = byPath.get(selection.path)!;
    if (snapshot && (await hasHash(join(snapshot.directory, file.path), file)))
      return inSnapshot(snapshot, [file], selection);
    return pullFile(client, wanted, commit, file, options);
  }
  const files = selection.paths.map((path) => byPath.get(path)!);
  const isAllCached =
    snapshot !== null &&
    !selection.lacksTokenizer &&
    (await everyAsync(files, (file) => hasHash(join(snapshot.directory, file.path), file)));
  if (isAllCached) return inSnapshot(snapshot, files, selection);
  const wishes: Wish[] = files.map((file) => ({
    ...file,
    target: posix.relative(selection.folder, file.path),
  }));
  if (selection.lacksTokenizer) wishes.push(...(await tokenizerOf(client, wanted)));
  return pullFolder(client, wanted, commit, selection.form, wishes, options);
}

async function everyAsync<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<boolean> {
  for (const item of items) if (!(await test(item))) return false;
  return true;
}

/** The tokenizer of another repository, for a model that is published without. */
async function tokenizerOf(client: HubClient, { repo, tokenizerRepo }: Wanted): Promise<Wish[]> {
  if (tokenizerRepo === undefined) throw unreadLayout(repo, TOKENIZER_FILES);
  const others = await client.list(tokenizerRepo, await client.commitOf(tokenizerRepo, "main"));
  return TOKENIZER_FILES.map((name) => {
    const file = others.find(({ path }) => path === name);
    if (file === undefined) throw unreadLayout(repo, [`${name} of ${tokenizerRepo}`]);
    return { ...file, target: name };
  });
}

const snapshotOf = ({ repo, revision }: Wanted, { hubCacheDir }: PullOptions): CachedSnapshot | null =>
  cachedSnapshot(hubCacheDir, repo, revision);

/**
 * The model in the cache of Hugging Face's programs, if all of its files are there and right. What an address
 * leaves open is not guessed from the files that happen to be there, unless nothing may be downloaded.
 */
async function inCache(wanted: Wanted, options: PullOptions): Promise<Pulled | null> {
  const snapshot = snapshotOf(wanted, options);
  if (snapshot === null) return null;
  const { directory } = snapshot;
  const paths = filesBelow(directory);
  const say = (what: string) =>
    options.onNotice?.(
      `The Hugging Face cache has a part of ${wanted.repo} (${directory}): ${what}${options.isOffline ? "" : " The rest is downloaded."}`,
    );
  const listing: Listing = {
    repo: wanted.repo,
    paths,
    readText: async (path) => readBounded(join(directory, path)),
  };
  let selection: Selection;
  try {
    selection = await choose(listing, wanted.path, options.prefer ?? "fp16");
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    say(error.message);
    return null;
  }
  if (selection.form === "file") {
    if (wanted.path !== selection.path && !options.isOffline) return null;
  } else if (selection.lacksTokenizer && !hasTokenizer(findGpt2Tokenizer(directory, options.hubCacheDir))) {
    say(`it lacks ${TOKENIZER_FILES.join(", ")}.`);
    return null;
  } else requireKind(join(directory, selection.folder), wanted, selection.form);
  const files: HubFile[] = [];
  for (const path of selection.form === "file" ? [selection.path] : selection.paths) {
    const file = cachedFile(snapshot, path);
    if (!(await isRight(join(directory, path), file))) {
      say(`${path} is damaged.`);
      return null;
    }
    files.push(file);
  }
  return inSnapshot(snapshot, files, selection);
}

const inSnapshot = (
  { directory, repo, commit }: CachedSnapshot,
  files: readonly HubFile[],
  selection: Selection,
): Pulled => ({
  directory: join(directory, selection.form === "file" ? selection.path : selection.folder),
  cached: true,
  repo,
  commit,
  files: files.map(({ path, bytes, repo }) => ({ path, bytes, repo })),
  bytes: sum(files),
  downloadedBytes: 0,
});

const sum = (files: readonly HubFile[]): number => files.reduce((total, { bytes }) => total + bytes, 0);

/** How far into a snapshot to look, and for how many files. */
const MAX_CACHED = { depth: 6, files: 10_000 };

/** Paths of the files below a folder, also through links; a link to nothing is none. */
function filesBelow(directory: string, prefix = "", depth = 1): string[] {
  const paths: string[] = [];
  for (const name of readdirSync(directory).sort()) {
    const stat = statSync(join(directory, name), { throwIfNoEntry: false });
    if (stat?.isFile()) paths.push(prefix + name);
    else if (stat?.isDirectory() && depth < MAX_CACHED.depth)
      paths.push(...filesBelow(join(directory, name), `${prefix}${name}/`, depth + 1));
    if (paths.length > MAX_CACHED.files) break;
  }
  return paths;
}

function readBounded(path: string): string {
  if (statSync(path).size > MAX_INDEX_BYTES) return "";
  return readFileSync(path, "utf8");
}

/** A file of the cache, with the hash under which it is stored; with none if it is a copy. */
function cachedFile({ directory, repo, commit }: CachedSnapshot, path: string): HubFile {
  const hex = blobHash(join(directory, path)) ?? "";
  const kind: FileHash["kind"] = hex.length === 64 ? "sha256" : "git";
  return { repo, commit, path, bytes: statSync(join(directory, path)).size, hash: { kind, hex } };
}

/** Whether a cached file has its hash or, where nothing tells it, weights have a header that fits. */
async function isRight(path: string, file: HubFile): Promise<boolean> {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(file.hash.hex)) return hasHash(path, file);
  if (!isWeights(file)) return true;
  try {
    openAnyFile(path);
    return true;
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}

/** Folders of the folder of checkpoints for each form; pipelines and models have their own names in it. */
const FORM_FOLDER = {
  pipeline: "",
  model: "",
  vae: KIND_FOLDER.vae,
  "tiny-decoder": "",
  adapter: KIND_FOLDER.lora,
} as const;

async function pullFolder(
  client: HubClient,
  wanted: Wanted,
  commit: string,
  form: keyof typeof FORM_FOLDER,
  files: readonly Wish[],
  options: PullOptions,
): Promise<Pulled> {
  const directory = resolve(
    options.directory ?? join(options.checkpointsDir, FORM_FOLDER[form], wanted.folder),
  );
  const staging = `${directory}.partial`;
  const present = await filesInPlace(directory, files);
  const missing = files.filter((file) => !present.has(file));
  const pulled = {
    directory,
    cached: false,
    repo: wanted.repo,
    commit,
    files: files.map(({ target, bytes, repo }) => ({ path: target, bytes, repo })),
    bytes: sum(files),
  };
  if (missing.length === 0) return { ...pulled, downloadedBytes: 0 };
  const beforeWeights = present.size > 0 ? () => {} : () => requireKind(staging, wanted, form);
  return whileDiskHasRoom(staging, async () => {
    const downloadedBytes = await fetchInto(client, staging, files, present, options, beforeWeights);
    if (form === "adapter") {
      const weights = files.find(isWeights)!;
      requireUse(openAnyFile(join(staging, weights.target)), weights);
    }
    await putInPlace(staging, directory, missing);
    return { ...pulled, downloadedBytes };
  });
}

/** Bytes of a file's beginning that hold its header, unless its metadata is very long. */
const START_BYTES = 2 ** 21;

async function pullFile(
  client: HubClient,
  wanted: Wanted,
  commit: string,
  listed: HubFile,
  options: PullOptions,
): Promise<Pulled> {
  const { checkpointsDir, directory: given } = options;
  const names = fileNames(listed);
  const file: Wish = { ...listed, target: names[0]! };
  const pulled = (path: string, downloadedBytes: number): Pulled => ({
    directory: path,
    cached: false,
    repo: wanted.repo,
    commit,
    files: [{ path: file.path, bytes: file.bytes, repo: file.repo }],
    bytes: file.bytes,
    downloadedBytes,
  });
  const folders =
    given === undefined
      ? Object.values(KIND_FOLDER).map((folder) => resolve(checkpointsDir, folder))
      : [resolve(given)];
  for (const path of folders.flatMap((folder) => names.map((name) => join(folder, name))))
    if (await hasHash(path, file)) return pulled(path, 0);

  const staging = resolve(
    checkpointsDir,
    `${safe([...file.repo.split("/"), ...file.path.split("/")].join("--"))}.partial`,
  );
  const staged = join(staging, file.target);
  const isStarted = existsSync(staging);
  if (!isStarted && file.bytes > START_BYTES && /\.(safetensors|sft)$/i.test(file.path)) {
    const start = openSafetensorsStart(file.path, await client.readStart(file, START_BYTES), file.bytes);
    if (start !== null) requireUse(start, file);
  }
  return whileDiskHasRoom(staging, async () => {
    const downloadedBytes = await fetchInto(client, staging, [file], new Set(), options, () => {});
    const kind = await kindOfStaged(staged, staging, file);
    const folder = given === undefined ? resolve(checkpointsDir, KIND_FOLDER[kind]) : resolve(given);
    const name = names.find((it) => !existsSync(join(folder, it)));
    if (name === undefined) throw isTaken(folder, names);
    await mkdir(folder, { recursive: true });
    await rename(staged, join(folder, name));
    await rm(staging, { recursive: true });
    return pulled(join(folder, name), downloadedBytes);
  });
}

const isTaken = (folder: string, names: readonly string[]): CheckpointError =>
  new CheckpointError(
    "CHECKPOINT_CORRUPT",
    `${folder} has other files under ${names.join(", ")} already. Nothing was changed. Move them away, or give another folder with --out.`,
  );

/** Names that every program gives its files, so that they tell nothing. */
const USUAL_STEM =
  /^(pytorch_lora_weights|diffusion_pytorch_model|pytorch_model|model|adapter_model|learned_embeds)(\.[\w-]+)?$/i;

/** A name that every system takes for a file. */
const safe = (name: string): string => name.replace(/[\\/:*?"<>|\p{Cc}]|^\.|[. ]+$/gu, "_");

/** Names for a single file, the best first: its own, unless many have it, then with its repository. */
function fileNames({ repo, path }: HubFile): string[] {
  const end = extname(path);
  const own = posix.basename(path);
  const [owner, name] = repo.split("/") as [string, string];
  const whole = [owner, name, ...path.split("/")].join("--");
  const names = USUAL_STEM.test(posix.basename(path, end))
    ? [`${name}${end}`, `${owner}--${name}${end}`, whole]
    : [own, `${owner}--${name}--${own}`, whole];
  return [...new Set(names.map(safe))];
}

/** The kind of a file that has come; one that cannot be used is removed again. */
async function kindOfStaged(path: string, staging: string, file: HubFile): Promise<keyof typeof KIND_FOLDER> {
  try {
    return requireUse(openAnyFile(path), file);
  } catch (error) {
    await rm(staging, { recursive: true });
    if (!(error instanceof CheckpointError)) throw error;
    const message = error.message.replaceAll(path, `${file.path} of ${file.repo}`);
    throw new CheckpointError(error.code, message, { cause: error });
  }
}

/** Throws CheckpointError CHECKPOINT_ARCHITECTURE for a model that this program cannot use. */
function requireUse(weights: StoredWeights, { repo, path }: HubFile): keyof typeof KIND_FOLDER {
  const { kind, misfit } = traitsOf(weights, weights.metadata);
  if (misfit === null && Object.hasOwn(KIND_FOLDER, kind)) return kind as keyof typeof KIND_FOLDER;
  const reason = misfit?.startsWith("for ") ? `${KIND_WORDS[kind]} ${misfit}` : (misfit ?? KIND_WORDS[kind]);
  throw new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `${path} of ${repo} is not kept, since it cannot be used here: ${reason}.`,
  );
}

/** Runs `work`; a full disk is told with what to do. Makes `staging`. */
async function whileDiskHasRoom<T>(staging: string, work: () => Promise<T>): Promise<T> {
  try {
    await mkdir(staging, { recursive: true });
    return await work();
  } catch (cause) {
    if (codeOf(cause) !== "DISK_FULL" || cause instanceof CheckpointError) throw cause;
    throw new CheckpointError(
      "DISK_FULL",
      `The disk of ${staging} is full. Free some space and run the same again: it goes on where it stopped.`,
      { cause },
    );
  }
}

/**
 * Brings the files that are not `present` into the folder `staging`, from the cache of Hugging Face's programs or
 * from the hub. Returns the bytes that were downloaded.
 */
async function fetchInto(
  client: HubClient,
  staging: string,
  files: readonly Wish[],
  present: ReadonlySet<HubFile>,
  { hubCacheDir, onProgress }: PullOptions,
  beforeWeights: () => void,
): Promise<number> {
  const missing = files.filter((file) => !present.has(file));
  await requireSpace(staging, missing);
  const total = sum(files);
  const onDisk = new Map<HubFile, number>();
  for (const file of files)
    onDisk.set(file, present.has(file) ? file.bytes : await stagedBytes(staging, file));
  const report = (file: HubFile, bytesOnDisk: number) => {
    onDisk.set(file, bytesOnDisk);
    onProgress?.(
      [...onDisk.values()].reduce((all, have) => all + have, 0),
      total,
    );
  };
  let downloadedBytes = 0;
  let isChecked = false;
  // Small files first, so that a model of another kind is refused before its weights are fetched.
  const queue = [...missing].sort((a, b) => Number(isWeights(a)) - Number(isWeights(b)) || a.bytes - b.bytes);
  for (const file of queue) {
    const path = join(staging, file.target);
    if (!isChecked && isWeights(file)) {
      beforeWeights();
      isChecked = true;
    }
    await mkdir(dirname(path), { recursive: true });
    if (!(await hasHash(path, file))) {
      const part = partOf(path, file);
      const blob = cachedBlob(hubCacheDir, file.repo, file.hash.hex);
      if (blob !== null && (await hasHash(blob, file))) {
        await copyFile(blob, part, constants.COPYFILE_FICLONE);
      } else {
        const before = await sizeOf(part);
        await client.download(file, part, (have) => report(file, have));
        downloadedBytes += file.bytes - Math.min(before, file.bytes);
      }
      await rename(part, path);
    }
    report(file, file.bytes);
  }
  return downloadedBytes;
}

const isWeights = ({ path }: HubFile): boolean => /\.(safetensors|sft|ckpt|pt|pth|bin)$/i.test(path);

/**
 * A part is named by its content: if a file changes on the hub, the download must not continue from old
 * bytes.
 */
const partOf = (path: string, { hash }: HubFile): string => `${path}.${hash.hex.slice(0, 8)}.part`;

function requireKind(
  directory: string,
  { requireArchitecture }: Wanted,
  form: Exclude<Selection["form"], "file">,
): void {
  if (requireArchitecture) requireArchitecture(directory);
  else if (form === "pipeline") requireStableDiffusion(directory);
}

/**
 * Files of the folder that are already correct; different files with the same names are never overwritten.
 */
async function filesInPlace(directory: string, files: readonly Wish[]): Promise<Set<HubFile>> {
  const right = new Set<HubFile>();
  const other: string[] = [];
  for (const file of files) {
    const path = join(directory, file.target);
    if (!existsSync(path)) continue;
    if (await hasHash(path, file)) right.add(file);
    else other.push(file.target);
  }
  if (other.length === 0) return right;
  throw new CheckpointError(
    "CHECKPOINT_CORRUPT",
    `${directory} is there already, with other contents than the hub has in ${other.join(", ")}. Nothing was changed. Delete these files or move the folder away, or give another folder with --out.`,
  );
}

/** Bytes of a file left by an earlier download. */
async function stagedBytes(staging: string, file: Wish): Promise<number> {
  const path = join(staging, file.target);
  return Math.min((await sizeOf(path)) || (await sizeOf(partOf(path, file))), file.bytes);
}

/** Disk space to leave free for everything else. */
const SPARE_BYTES = 256 * 2 ** 20;

async function requireSpace(staging: string, missing: readonly Wish[]): Promise<void> {
  let needed = SPARE_BYTES;
  for (const file of missing) needed += file.bytes - (await stagedBytes(staging, file));
  const { bavail, bsize } = await statfs(staging);
  if (bavail * bsize >= needed) return;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new CheckpointError(
    "DISK_FULL",
    `The download needs ${gib(needed)} and ${dirname(staging)} has ${gib(bavail * bsize)} free; nothing was fetched. Free some space, or set CHECKPOINTS_DIR to another disk.`,
  );
}

/** Moves the collected files into place: by renaming the folder, or file by file into an existing one. */
async function putInPlace(staging: string, directory: string, files: readonly Wish[]): Promise<void> {
  await writeFile(join(staging, SOURCE_FILE), `${JSON.stringify(sourceOf(files), null, 2)}\n`);
  // Remove parts of files that changed on the hub meanwhile.
  for (const path of await readdir(staging, { recursive: true }))
    if (path.endsWith(".part")) await rm(join(staging, path));
  const isThere = existsSync(directory) && (await readdir(directory)).length > 0;
  if (!isThere) {
    if (existsSync(directory)) await rmdir(directory);
    await rename(staging, directory);
    return;
  }
  for (const path of [...files.map((file) => file.target), SOURCE_FILE]) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await rename(join(staging, path), join(directory, path));
  }
  await rm(staging, { recursive: true });
}

/** A hidden file beside the others that records their origin. */
const SOURCE_FILE = ".hub.json";

const sourceOf = (files: readonly Wish[]) =>
  Object.fromEntries(
    files.map(({ repo, commit, target, hash }) => [target, { repo, commit, [hash.kind]: hash.hex }]),
  );

/** Folders of unfinished downloads, with their sizes. */
export async function partialDownloads(
  checkpointsDir: string,
): Promise<{ directory: string; bytes: number }[]> {
  const folders = ["", ...Object.values(KIND_FOLDER)]
    .map((folder) => join(checkpointsDir, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && entry.name.endsWith(".partial"))
        .map(({ name }) => join(folder, name)),
    );
  return Promise.all(
    folders.map(async (folder) => {
      const directory = resolve(folder);
      const stats = await Promise.all(
        (await readdir(directory, { recursive: true })).map((path) => stat(join(directory, path))),
      );
      const bytes = stats.reduce((sum, found) => sum + (found.isFile() ? found.size : 0), 0);
      return { directory, bytes };
    }),
  );
}
