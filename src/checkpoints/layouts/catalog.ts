import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, parse, posix, relative, resolve, sep } from "node:path";
import { CheckpointError, describe } from "../../core/errors.js";
import { MAGICPROMPT, PROMPTIST, type Rewriter } from "../../core/rewriters.js";
import { clipTextConfig } from "../../models/clip-text.js";
import { unetConfig } from "../../models/unet.js";
import { vaeConfig } from "../../models/vae-decoder.js";
import { listFolder, openWeights } from "../files/open.js";
import { requireGpt2, requireStableDiffusion } from "./architecture.js";
import { isFile, openDiffusion } from "./diffusion-files.js";
import { openGpt2 } from "./gpt2-files.js";
import { cachedSnapshot, REPO_ID, repoOfCached } from "./hub-cache.js";
import { readTokenizerConfig } from "./tokenizer-config.js";

/** A checkpoint's folder and its content; see `findRewriter` and `findDiffusion`. */
export interface FoundCheckpoint {
  /** Absolute path of the folder, or of a single-file checkpoint. */
  readonly directory: string;
  /** For messages and records: the folder's or file's name, or `miniature`. */
  readonly name: string;
  /** True for the small checkpoints that ship with the program and only show that everything works. */
  readonly isMiniature: boolean;
  /** True if it can draw only harmless subjects, as the miniature does: its training data is known. */
  readonly isHarmless: boolean;
  /** Classifier-free guidance scale to use by default. */
  readonly guidance: number;
  /** Paths inside the folder, with their sizes. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** Sum of the sizes. */
  readonly bytes: number;
}

/** The default of diffusers' pipeline for Stable Diffusion 1.5. */
const USUAL_GUIDANCE = 7.5;
/**
 * At 7.5 the miniature's colours are too strong and its outlines fray; checkpoints/README.md has both
 * measured.
 */
const MINIATURE_GUIDANCE = 2;

/** `promptist` is short for its own entry among the rewriters. */
export type CheckpointKind = "promptist" | "diffusion" | Rewriter;

/** Where models may lie besides the folder of checkpoints. */
export interface Places {
  /** Folder of the miniatures; by default that in the folder of checkpoints. */
  readonly miniatureDir?: string | undefined;
  /** The cache that Hugging Face's programs share; it is only read. */
  readonly hubCacheDir?: string | undefined;
}

interface Kind {
  /** Subfolder of the folder of checkpoints. */
  readonly folder: string;
  /** Repositories of the hub with the same files, whose copy in its cache is as good. */
  readonly repos: readonly string[];
  /** Subfolder of the miniatures' folder; null where there is none. */
  readonly miniature: string | null;
  readonly title: string;
  readonly requireArchitecture: (directory: string) => void;
  /** Throws CheckpointError unless all configurations can be run; `path` is a folder or a single file. */
  readonly requireConfigs: (path: string, vae: string | null) => void;
  /** Folders with weights, and small files; each is a list of alternatives, one of which must be complete. */
  readonly weights: readonly string[];
  readonly needs: readonly (readonly (readonly string[])[])[];
  readonly toDo: string;
}

const tokenizerFiles = (folder: string): string[][] => [
  [join(folder, "vocab.json"), join(folder, "merges.txt")],
  [join(folder, "tokenizer.json")],
];

function requireGpt2Configs(directory: string): void {
  openGpt2(directory);
  readTokenizerConfig(directory);
}

/** Where Stable Diffusion 1.5 is published, and was before it moved. */
export const STABLE_DIFFUSION_REPOS = [
  "stable-diffusion-v1-5/stable-diffusion-v1-5",
  "runwayml/stable-diffusion-v1-5",
  "sd-legacy/stable-diffusion-v1-5",
];
export const CLIP_REPO = "openai/clip-vit-large-patch14";

function requireDiffusionConfigs(path: string, vae: string | null): void {
  const files = openDiffusion(path, vae);
  files.config("text_encoder", clipTextConfig);
  files.config("unet", unetConfig);
  files.config("vae", vaeConfig);
  if (!isFile(path)) readTokenizerConfig(join(path, "tokenizer"));
}

/** The rewriters that have a miniature, in a folder of their name. */
const SMALL_REWRITERS: ReadonlySet<string> = new Set([PROMPTIST.name, MAGICPROMPT.name]);

const ofRewriter = ({ name, title, repos, tokenizerRepos }: Rewriter): Kind => ({
  folder: name,
  repos,
  miniature: SMALL_REWRITERS.has(name) ? name : null,
  title,
  requireArchitecture: requireGpt2,
  requireConfigs: requireGpt2Configs,
  weights: ["."],
  needs: [tokenizerFiles(".")],
  toDo:
    tokenizerRepos === undefined
      ? `Put config.json, the weights, vocab.json and merges.txt of ${repos[0]} there.`
      : `Put config.json and the weights of ${repos[0]} there, and vocab.json and merges.txt of GPT-2 (${tokenizerRepos[0]}).`,
});

const DIFFUSION: Kind = {
  folder: "stable-diffusion-v1-5",
  repos: STABLE_DIFFUSION_REPOS,
  miniature: "stable-diffusion",
  title: "Stable Diffusion",
  requireArchitecture: requireStableDiffusion,
  requireConfigs: requireDiffusionConfigs,
  weights: ["text_encoder", "unet", "vae"],
  needs: [
    tokenizerFiles("tokenizer"),
    [[join("text_encoder", "config.json")]],
    [[join("vae", "config.json")]],
    [[join("scheduler", "scheduler_config.json")]],
  ],
  toDo: "Put model_index.json and the folders tokenizer, text_encoder, unet, vae and scheduler of stable-diffusion-v1-5/stable-diffusion-v1-5 there.",
};

const kindOf = (kind: CheckpointKind): Kind =>
  kind === "diffusion" ? DIFFUSION : ofRewriter(kind === "promptist" ? PROMPTIST : kind);

/**
 * Where the miniatures are unless the caller knows better: an installed program brings its own
 * (`Config.miniatureDir`).
 */
export const miniaturesIn = (checkpointsDir: string): string => resolve(checkpointsDir, "miniature");

/**
 * Finds the GPT-2 of a rewriter: the folder that the user named (a path, a folder of `checkpointsDir`, or a
 * repository in the hub's cache), else the one of its name in `checkpointsDir`, else the published one in the
 * hub's cache if it is whole, else its miniature. Throws CheckpointError CHECKPOINT_MISSING (there is none),
 * CHECKPOINT_CORRUPT or CHECKPOINT_ARCHITECTURE (another kind of model). Opens no weights outside the cache.
 */
export const findRewriter = (
  rewriter: Rewriter,
  given: string | undefined,
  checkpointsDir: string,
  places: Places = {},
): FoundCheckpoint => find(rewriter, given, checkpointsDir, places);

/** The same for Promptist. */
export const findPromptist = (
  given: string | undefined,
  checkpointsDir: string,
  places: Places = {},
): FoundCheckpoint => find("promptist", given, checkpointsDir, places);

/**
 * Finds the Stable Diffusion pipeline like `findRewriter`, in the folder `stable-diffusion-v1-5`. The user
 * may also name a single file, and a VAE that replaces the checkpoint's own.
 */
export const findDiffusion = (
  given: string | undefined,
  checkpointsDir: string,
  { vae = null, ...places }: Places & { readonly vae?: string | null } = {},
): FoundCheckpoint => find("diffusion", given, checkpointsDir, places, vae);

function find(
  kind: CheckpointKind,
  given: string | undefined,
  checkpointsDir: string,
  places: Places,
  vae: string | null = null,
): FoundCheckpoint {
  const directory = locate(kind, given, checkpointsDir, places);
  requireKind(kind, directory, vae);
  return describeFolder(directory, places.miniatureDir ?? miniaturesIn(checkpointsDir));
}

/** The absolute path of a VAE that the user named, or null. Throws CHECKPOINT_MISSING if it does not exist. */
export function findVae(given: string | undefined): string | null {
  if (given === undefined) return null;
  const path = resolve(given);
  if (existsSync(path)) return path;
  throw new CheckpointError(
    "CHECKPOINT_MISSING",
    `The VAE ${path} does not exist. Give a .safetensors, .pt or .ckpt file, or a folder with config.json.`,
  );
}

function requireKind(kind: CheckpointKind, path: string, vae: string | null): void {
  if (kind === "diffusion" && (isFile(path) || vae !== null)) openDiffusion(path, vae);
  else kindOf(kind).requireArchitecture(path);
}

/** Whether a folder holds the files of a tokenizer, in either form. */
export const hasTokenizer = (folder: string): boolean =>
  tokenizerFiles(folder).some((files) => files.every((file) => existsSync(file)));

/** Folders of the hub's cache, in the snapshots of `repos`. */
const cachedFolders = (hubCacheDir: string | undefined, repos: readonly string[], folder = "."): string[] =>
  repos.flatMap((repo) => {
    const found = cachedSnapshot(hubCacheDir, repo);
    return found === null ? [] : [join(found.directory, folder)];
  });

/**
 * Folder of a rewriter's tokenizer: the checkpoint's own, or GPT-2's in the hub's cache, since Promptist is
 * published without. Where there is none, the checkpoint's folder, which is then refused by name.
 */
export function findGpt2Tokenizer(directory: string, hubCacheDir?: string): string {
  if (hasTokenizer(directory)) return directory;
  return cachedFolders(hubCacheDir, PROMPTIST.tokenizerRepos).find(hasTokenizer) ?? directory;
}

/**
 * Folder of a Stable Diffusion checkpoint's tokenizer. A single file has none, but the whole 1.x family
 * shares CLIP's, so one beside the file, in another checkpoint here or in the hub's cache will do. Throws
 * CheckpointError CHECKPOINT_MISSING.
 */
export function findClipTokenizer(
  { directory }: FoundCheckpoint,
  checkpointsDir: string,
  hubCacheDir?: string,
): string {
  if (!isFile(directory)) return join(directory, "tokenizer");
  const folders = [
    join(dirname(directory), "tokenizer"),
    join(checkpointsDir, "stable-diffusion-v1-5", "tokenizer"),
    join(checkpointsDir, "clip"),
  ].map((folder) => resolve(folder));
  const cached = [
    ...cachedFolders(hubCacheDir, STABLE_DIFFUSION_REPOS, "tokenizer"),
    ...cachedFolders(hubCacheDir, [CLIP_REPO]),
  ];
  const found = [...folders, ...cached].find(hasTokenizer);
  if (found !== undefined) return found;
  throw new CheckpointError(
    "CHECKPOINT_MISSING",
    `${directory} is a single file, which has no tokenizer, and there is none in ${folders.join(", ")}. Put CLIP's vocab.json and merges.txt into the first of these, or run: promptist checkpoints pull clip`,
  );
}

function locate(
  kind: CheckpointKind,
  given: string | undefined,
  checkpointsDir: string,
  { miniatureDir = miniaturesIn(checkpointsDir), hubCacheDir }: Places,
): string {
  const { folder, miniature, title, toDo } = kindOf(kind);
  if (given !== undefined) return locateGiven(kind, given, checkpointsDir, hubCacheDir);
  const isThere = (directory: string) => existsSync(directory) && listFolder(directory).length > 0;
  const published = resolve(checkpointsDir, folder);
  if (isThere(published)) return published;
  const cached = publishedInCache(kind, hubCacheDir).whole;
  if (cached !== null) return cached;
  const small = miniature === null ? null : resolve(miniatureDir, miniature);
  if (small !== null && isThere(small)) return small;
  throw new CheckpointError(
    "CHECKPOINT_MISSING",
    `There is no ${title} in ${published}. ${toDo} Or run: promptist checkpoints pull ${folder}`,
  );
}

/**
 * The published model in the hub's cache: its folder if it is whole, else what keeps the one that is there from
 * being used; both null if there is none.
 */
export function publishedInCache(
  kind: CheckpointKind,
  hubCacheDir: string | undefined,
): { readonly whole: string | null; readonly problem: string | null } {
  const problems: string[] = [];
  for (const directory of cachedFolders(hubCacheDir, kindOf(kind).repos)) {
    const problem = firstProblem(kind, directory, hubCacheDir);
    if (problem === null) return { whole: directory, problem: null };
    problems.push(problem.message);
  }
  return { whole: null, problem: problems[0] ?? null };
}

/** What the user named: a path, a folder of the folder of checkpoints, or a repository in the hub's cache. */
function locateGiven(
  kind: CheckpointKind,
  given: string,
  checkpointsDir: string,
  hubCacheDir: string | undefined,
): string {
  const directory = resolve(given);
  if (existsSync(directory)) return directory;
  const [repo = "", revision = "main"] = given.split("@");
  if (REPO_ID.test(repo) && !/^\.+$/.test(repo)) {
    const pulled = resolve(checkpointsDir, given.replace("/", "--"));
    if (existsSync(pulled)) return pulled;
    const cached = cachedSnapshot(hubCacheDir, repo, revision);
    if (cached !== null) {
      const problem = firstProblem(kind, cached.directory, hubCacheDir);
      if (problem === null) return cached.directory;
      if (problem.code === "CHECKPOINT_ARCHITECTURE") throw problem;
      throw new CheckpointError(
        "CHECKPOINT_MISSING",
        `${given} is not whole in the Hugging Face cache: ${problem.message} Run: promptist checkpoints pull ${given}`,
        { cause: problem },
      );
    }
  }
  throw new CheckpointError("CHECKPOINT_MISSING", `${directory} does not exist. ${kindOf(kind).toDo}`);
}

/** What keeps a published model in the hub's cache from being used, or null. Throws for no model. */
export function firstProblem(
  kind: CheckpointKind,
  directory: string,
  hubCacheDir?: string,
): CheckpointError | null {
  const { requireArchitecture, requireConfigs, weights } = kindOf(kind);
  try {
    requireArchitecture(directory);
    const [lacking] = lackingFiles(kind, directory, hubCacheDir);
    if (lacking !== undefined) return new CheckpointError("CHECKPOINT_MISSING", lacking);
    for (const folder of weights) openWeights(join(directory, folder), { prefer: "fp32" });
    requireConfigs(directory, null);
    return null;
  } catch (error) {
    if (error instanceof CheckpointError) return error;
    throw error;
  }
}

/** Sentences on the small files that a folder lacks. */
function lackingFiles(kind: CheckpointKind, directory: string, hubCacheDir?: string): string[] {
  const isThere = (file: string) => existsSync(join(directory, file));
  return kindOf(kind)
    .needs.filter((alternatives) => !alternatives.some((files) => files.every(isThere)))
    .filter(() => kind === "diffusion" || !hasTokenizer(findGpt2Tokenizer(directory, hubCacheDir)))
    .map((alternatives) => alternatives.map((files) => files.join(" and ")).join(", or "))
    .map((wanted) => `${directory} lacks ${wanted}.`);
}

function describeFolder(directory: string, miniatureDir: string): FoundCheckpoint {
  const fromMiniature = relative(miniatureDir, directory);
  const isMiniature = fromMiniature !== "" && fromMiniature !== ".." && !fromMiniature.startsWith(`..${sep}`);
  const files = isFile(directory)
    ? [{ path: basename(directory), bytes: statSync(directory).size }]
    : filesOf(directory, 2);
  return {
    directory,
    name: isMiniature ? "miniature" : isFile(directory) ? parse(directory).name : nameOfFolder(directory),
    isMiniature,
    isHarmless: isMiniature,
    guidance: isMiniature ? MINIATURE_GUIDANCE : USUAL_GUIDANCE,
    files,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  };
}

/** A snapshot of the hub's cache is called as its repository, not as its commit. */
function nameOfFolder(directory: string): string {
  const repo = basename(dirname(directory)) === "snapshots" ? repoOfCached(directory) : null;
  return repo === null ? basename(directory) : posix.basename(repo);
}

/** Files of a folder and its subfolders, without hidden ones (version control, download caches). */
function filesOf(directory: string, depth: number): { path: string; bytes: number }[] {
  return readdirSync(directory)
    .filter((name) => !name.startsWith("."))
    .sort()
    .flatMap((name) => {
      const stat = statSync(join(directory, name), { throwIfNoEntry: false });
      if (stat?.isFile()) return [{ path: name, bytes: stat.size }];
      if (!stat?.isDirectory() || depth === 1) return [];
      const inside = filesOf(join(directory, name), depth - 1);
      return inside.map((file) => ({ ...file, path: join(name, file.path) }));
    });
}

/** The folder of a miniature's own LoRAs, which fit no other model; null for other checkpoints. */
export const ownLorasOf = ({ directory, isMiniature }: FoundCheckpoint): string | null =>
  isMiniature ? join(dirname(directory), "loras") : null;

/** What is wrong with a checkpoint, and what to do about it. */
export interface Inspection {
  readonly kind: CheckpointKind;
  /** Null if no folder was found. */
  readonly checkpoint: FoundCheckpoint | null;
  /** Sentences; empty if everything needed exists with valid headers. */
  readonly problems: readonly string[];
}

/** Checks a checkpoint without reading its tensors; returns all problems at once and throws for none. */
export function inspectCheckpoint(
  kind: CheckpointKind,
  given: string | undefined,
  checkpointsDir: string,
  { vae, ...places }: Places & { readonly vae?: string | undefined } = {},
): Inspection {
  const { miniatureDir = miniaturesIn(checkpointsDir), hubCacheDir } = places;
  const { weights, toDo, requireConfigs } = kindOf(kind);
  const problems: string[] = [];
  const attempt = <T>(action: () => T): T | undefined => {
    try {
      return action();
    } catch (error) {
      problems.push(error instanceof CheckpointError ? error.message : describe(error));
      return undefined;
    }
  };
  const directory = attempt(() => locate(kind, given, checkpointsDir, places));
  const otherVae = attempt(() => findVae(vae)) ?? null;
  if (directory === undefined) return { kind, checkpoint: null, problems };
  const checkpoint = attempt(() => describeFolder(directory, miniatureDir)) ?? null;
  attempt(() => requireKind(kind, directory, otherVae));
  if (isFile(directory)) {
    if (checkpoint) attempt(() => findClipTokenizer(checkpoint, checkpointsDir, hubCacheDir));
  } else {
    problems.push(...lackingFiles(kind, directory, hubCacheDir).map((lacking) => `${lacking} ${toDo}`));
    for (const folder of weights) attempt(() => openWeights(join(directory, folder), { prefer: "fp32" }));
  }
  if (problems.length === 0) attempt(() => requireConfigs(directory, otherVae));
  return { kind, checkpoint, problems };
}
