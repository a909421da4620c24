import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir, stat, statfs, writeFile } from "node:fs/promises";
import { dirname, join, posix, resolve } from "node:path";
import { CheckpointError, codeOf, InputError } from "../../core/errors.js";
import { chooseWeightFile, type Preference, shardNames } from "../files/open.js";
import { requireGpt2, requireStableDiffusion } from "../layouts/architecture.js";
import { HubClient, type HubFile, type HubOptions, hasHash, sizeOf } from "./hub-client.js";

/*
 * `promptist checkpoints pull`: selects the files of a published checkpoint that this program reads, and
 * downloads them to the folder of checkpoints. Only the command line imports this file, so nothing is
 * downloaded unasked.
 *
 * Files are collected in `<folder>.partial`, each as `<name>.<hash>.part` until its hash is verified; only
 * then does the folder get its final name. So a folder without `.partial` is complete.
 */

interface Published {
  readonly repo: string;
  /** Name of the folder inside the folder of checkpoints. */
  readonly folder: string;
  readonly what: string;
  /** Where the tokenizer is, if the repository has none. */
  readonly tokenizerRepo?: string;
  readonly requireArchitecture?: (directory: string) => void;
}

/** Short names that `pull` knows, besides any `org/name`. */
export const PUBLISHED: Readonly<Record<string, Published>> = {
  promptist: {
    repo: "microsoft/Promptist",
    folder: "promptist",
    what: "rewrites prompts",
    tokenizerRepo: "openai-community/gpt2",
    requireArchitecture: requireGpt2,
  },
  "stable-diffusion-v1-5": {
    repo: "stable-diffusion-v1-5/stable-diffusion-v1-5",
    folder: "stable-diffusion-v1-5",
    what: "draws 512x512 pictures",
  },
  clip: { repo: "openai/clip-vit-large-patch14", folder: "clip", what: "compares pictures with texts" },
};

export interface PullOptions extends HubOptions {
  readonly checkpointsDir: string;
  /** Folder to fill; by default the name's own in `checkpointsDir`. */
  readonly directory?: string | undefined;
  /** Which variant to prefer if there are two; otherwise the existing one is taken. Default fp16. */
  readonly prefer?: Preference | undefined;
  /** Bytes on disk and in total, for the whole checkpoint. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface Pulled {
  readonly directory: string;
  readonly repo: string;
  readonly commit: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly repo: string }[];
  readonly bytes: number;
  /** Bytes downloaded this time. */
  readonly downloadedBytes: number;
}

/** `promptist`, or `org/name[@revision]`. Throws InputError INPUT_OPTION. */
export function parsePullName(name: string): Published & { readonly revision: string } {
  const known = Object.hasOwn(PUBLISHED, name) ? PUBLISHED[name] : undefined;
  if (known) return { ...known, revision: "main" };
  const [, repo, revision] = /^([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(name) ?? [];
  if (repo === undefined || /(^|\/)\.+(\/|$)/.test(repo))
    throw new InputError(
      "INPUT_OPTION",
      `"${name}" is no model. Give one of ${Object.keys(PUBLISHED).join(", ")}, or a hub id such as org/name or org/name@revision.`,
    );
  const named = Object.values(PUBLISHED).find((published) => published.repo === repo);
  return {
    ...(named ?? { repo, folder: repo.replace("/", "--"), what: "" }),
    revision: revision ?? "main",
  };
}

/**
 * Downloads a checkpoint, or the missing part of it. After an interruption, the next run continues.
 * @throws CheckpointError HUB_*, DISK_FULL, CANCELLED, CHECKPOINT_ARCHITECTURE (not a model that runs here;
 * found before
 *   its weights are fetched), CHECKPOINT_CORRUPT (the folder has different files under the same names);
 *   InputError INPUT_OPTION
 */
export async function pull(name: string, options: PullOptions): Promise<Pulled> {
  const published = parsePullName(name);
  const { repo, revision, folder } = published;
  const client = new HubClient(options);
  const commit = await client.commitOf(repo, revision);
  const files = await chooseFiles(
    client,
    published,
    await client.list(repo, commit),
    options.prefer ?? "fp16",
  );
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);

  const directory = resolve(options.directory ?? join(options.checkpointsDir, folder));
  const staging = `${directory}.partial`;
  const present = await filesInPlace(directory, files);
  const missing = files.filter((file) => !present.has(file));
  const pulled = {
    directory,
    repo,
    commit,
    files: files.map(({ path, bytes, repo }) => ({ path, bytes, repo })),
    bytes,
  };
  if (missing.length === 0) return { ...pulled, downloadedBytes: 0 };

  await mkdir(staging, { recursive: true });
  await requireSpace(staging, missing);
  const onDisk = new Map<HubFile, number>();
  for (const file of files)
    onDisk.set(file, present.has(file) ? file.bytes : await stagedBytes(staging, file));
  const report = (file: HubFile, bytesOnDisk: number) => {
    onDisk.set(file, bytesOnDisk);
    options.onProgress?.(
      [...onDisk.values()].reduce((sum, have) => sum + have, 0),
      bytes,
    );
  };
  let downloadedBytes = 0;
  // Small files first, so that a model of another kind is refused before its weights are fetched.
  const queue = [...missing].sort((a, b) => Number(isWeights(a)) - Number(isWeights(b)) || a.bytes - b.bytes);
  let isChecked = present.size > 0;
  try {
    for (const file of queue) {
      const path = join(staging, file.path);
      if (!isChecked && isWeights(file)) {
        requireKind(staging, published, files);
        isChecked = true;
      }
      await mkdir(dirname(path), { recursive: true });
      if (!(await hasHash(path, file))) {
        const part = partOf(path, file);
        const before = await sizeOf(part);
        await client.download(file, part, (have) => report(file, have));
        downloadedBytes += file.bytes - Math.min(before, file.bytes);
        await rename(part, path);
      }
      report(file, file.bytes);
    }
    await putInPlace(staging, directory, missing);
  } catch (cause) {
    if (codeOf(cause) !== "DISK_FULL" || cause instanceof CheckpointError) throw cause;
    throw new CheckpointError(
      "DISK_FULL",
      `The disk of ${staging} is full. Free some space and run the same again: it goes on where it stopped.`,
      { cause },
    );
  }
  return { ...pulled, downloadedBytes };
}

const isWeights = ({ path }: HubFile): boolean => /\.(safetensors|bin)$/.test(path);

/**
 * A part is named by its content: if a file changes on the hub, the download must not continue from old
 * bytes.
 */
const partOf = (path: string, { hash }: HubFile): string => `${path}.${hash.hex.slice(0, 8)}.part`;

const TOKENIZER_FILES = ["vocab.json", "merges.txt"];
const TOKENIZER_EXTRAS = ["tokenizer_config.json", "special_tokens_map.json"];

/** The files of a pipeline or model that this program reads, or a CheckpointError naming what is missing. */
async function chooseFiles(
  client: HubClient,
  { repo, tokenizerRepo }: Published,
  listed: readonly HubFile[],
  prefer: Preference,
): Promise<HubFile[]> {
  const byPath = new Map(listed.map((file) => [file.path, file]));
  const chosen = new Map<string, HubFile>();
  const lacking: string[] = [];
  const take = (...paths: string[]) => {
    const found = paths.flatMap((path) => byPath.get(path) ?? []);
    for (const file of found) chosen.set(file.path, file);
    return found.length === paths.length;
  };
  const need = (...paths: string[]) => {
    for (const path of paths) if (!take(path)) lacking.push(path);
  };
  const takeTokenizer = (folder: string) => {
    for (const name of TOKENIZER_EXTRAS) take(posix.join(folder, name));
    const [vocabulary, merges] = TOKENIZER_FILES.map((name) => posix.join(folder, name)) as [string, string];
    if (byPath.has(vocabulary) && byPath.has(merges)) return take(vocabulary, merges);
    return take(posix.join(folder, "tokenizer.json"));
  };
  const needWeights = async (folder: string) => {
    const inFolder = new Set(
      listed.filter(({ path }) => posix.dirname(path) === folder).map(({ path }) => posix.basename(path)),
    );
    const name = chooseWeightFile(inFolder, prefer)?.name;
    if (name === undefined) {
      lacking.push(posix.join(folder, "model.safetensors"));
      return;
    }
    const path = posix.join(folder, name);
    need(path);
    if (!name.endsWith(".json")) return;
    const shards = new Set(shardNames(path, await client.readText(byPath.get(path)!)).values());
    need(...[...shards].map((shard) => posix.join(folder, shard)));
  };

  if (byPath.has("model_index.json")) {
    need("model_index.json", "scheduler/scheduler_config.json");
    for (const part of ["text_encoder", "unet", "vae"]) {
      need(`${part}/config.json`);
      await needWeights(part);
    }
    if (!takeTokenizer("tokenizer")) lacking.push("tokenizer/vocab.json");
    if (take("safety_checker/config.json")) {
      await needWeights("safety_checker");
      take("feature_extractor/preprocessor_config.json");
    }
  } else {
    need("config.json");
    await needWeights(".");
    take("generation_config.json");
    take("preprocessor_config.json");
    if (!takeTokenizer(".")) {
      if (tokenizerRepo === undefined) lacking.push(...TOKENIZER_FILES);
      else {
        const commit = await client.commitOf(tokenizerRepo, "main");
        const others = await client.list(tokenizerRepo, commit);
        for (const name of TOKENIZER_FILES) {
          const file = others.find(({ path }) => path === name);
          if (file) chosen.set(name, file);
          else lacking.push(`${name} of ${tokenizerRepo}`);
        }
      }
    }
  }
  if (lacking.length > 0)
    throw new CheckpointError(
      "CHECKPOINT_ARCHITECTURE",
      `${repo} is not published in a layout that is read here: it lacks ${lacking.join(", ")}. A Stable Diffusion 1.5 in diffusers' layout or a GPT-2 or CLIP in transformers' layout is wanted.`,
    );
  return [...chosen.values()];
}

function requireKind(staging: string, { requireArchitecture }: Published, files: readonly HubFile[]): void {
  if (requireArchitecture) requireArchitecture(staging);
  else if (files.some(({ path }) => path === "model_index.json")) requireStableDiffusion(staging);
}

/**
 * Files of the folder that are already correct; different files with the same names are never overwritten.
 */
async function filesInPlace(directory: string, files: readonly HubFile[]): Promise<Set<HubFile>> {
  const right = new Set<HubFile>();
  const other: string[] = [];
  for (const file of files) {
    const path = join(directory, file.path);
    if (!existsSync(path)) continue;
    if (await hasHash(path, file)) right.add(file);
    else other.push(file.path);
  }
  if (other.length === 0) return right;
  throw new CheckpointError(
    "CHECKPOINT_CORRUPT",
    `${directory} is there already, with other contents than the hub has in ${other.join(", ")}. Nothing was changed. Delete these files or move the folder away, or give another folder with --out.`,
  );
}

/** Bytes of a file left by an earlier download. */
async function stagedBytes(staging: string, file: HubFile): Promise<number> {
  const path = join(staging, file.path);
  return Math.min((await sizeOf(path)) || (await sizeOf(partOf(path, file))), file.bytes);
}

/** Disk space to leave free for everything else. */
const SPARE_BYTES = 256 * 2 ** 20;

async function requireSpace(staging: string, missing: readonly HubFile[]): Promise<void> {
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
async function putInPlace(staging: string, directory: string, files: readonly HubFile[]): Promise<void> {
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
  for (const path of [...files.map((file) => file.path), SOURCE_FILE]) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await rename(join(staging, path), join(directory, path));
  }
  await rm(staging, { recursive: true });
}

/** A hidden file beside the others that records their origin. */
const SOURCE_FILE = ".hub.json";

const sourceOf = (files: readonly HubFile[]) =>
  Object.fromEntries(
    files.map(({ repo, commit, path, hash }) => [path, { repo, commit, [hash.kind]: hash.hex }]),
  );

/** Folders of unfinished downloads, with their sizes. */
export async function partialDownloads(
  checkpointsDir: string,
): Promise<{ directory: string; bytes: number }[]> {
  if (!existsSync(checkpointsDir)) return [];
  const folders = (await readdir(checkpointsDir, { withFileTypes: true })).filter(
    (entry) => entry.isDirectory() && entry.name.endsWith(".partial"),
  );
  return Promise.all(
    folders.map(async ({ name }) => {
      const directory = resolve(checkpointsDir, name);
      const stats = await Promise.all(
        (await readdir(directory, { recursive: true })).map((path) => stat(join(directory, path))),
      );
      const bytes = stats.reduce((sum, found) => sum + (found.isFile() ? found.size : 0), 0);
      return { directory, bytes };
    }),
  );
}
