import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CheckpointError, describe } from "../../core/errors.js";
import { clipTextConfig } from "../../models/clip-text.js";
import { unetConfig } from "../../models/unet.js";
import { vaeConfig } from "../../models/vae-decoder.js";
import { openAnyFile, openWeights } from "../files/open.js";
import { structureOf } from "../files/safetensors.js";
import { firstProblem } from "../layouts/catalog.js";
import { readJson } from "../layouts/config.js";
import { DIFFUSION_PARTS, openDiffusion, sidecarVae } from "../layouts/diffusion-files.js";
import { type CachedSnapshot, cachedSnapshots, repoOfCached } from "../layouts/hub-cache.js";
import { type ModelKind, type Traits, traitsOf } from "../layouts/kinds.js";
import { withoutWrapper } from "../layouts/names.js";
import { foldersOfPathsFile, isPathsFile } from "./extra-paths.js";
import { type IndexEntry, readIndex, writeIndex } from "./index-file.js";
import { type Candidate, scanFolder } from "./scan.js";

/** Whose folder a model lies in. */
export type ModelSource = "own" | "dirs" | "hub-cache";

/** A model on this machine. */
export interface FoundModel extends Traits {
  /** How it may be named: its file's name without the end, with folders where that would name two. */
  readonly name: string;
  /** Absolute path of the file or folder. */
  readonly path: string;
  /** The same without links. */
  readonly realPath: string;
  readonly source: ModelSource;
  readonly bytes: number;
  /** True if it cannot be read; `misfit` says why. */
  readonly broken: boolean;
}

export interface Library {
  /** By kind and name. */
  readonly models: readonly FoundModel[];
  /** Sentences on folders that could not be read and on what was left out. */
  readonly notes: readonly string[];
}

export interface LibraryOptions {
  readonly checkpointsDir: string;
  /** Folder of the miniatures, which are left out. */
  readonly miniatureDir?: string | undefined;
  /** Folders of other programs; they are read, never written. */
  readonly modelsDirs: readonly string[];
  /** A folder of LoRAs that belong to the model that draws and to no other; null or absent where it has none. */
  readonly ownLorasDir?: string | null;
  readonly hubCacheDir?: string | undefined;
  /** Where the index is kept. */
  readonly cacheDir: string;
  /** Milliseconds of reading files that are not in the index; the next call goes on. Default 20,000. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 20_000;
/** A start waits no longer for files that were never read before; the next one goes on. */
const START_PATIENCE_MS = 2_000;

/** What a start uses though nobody named it: models as `findModels` finds them, without those in the hub's cache. */
export async function findAtStart(options: LibraryOptions): Promise<readonly FoundModel[]> {
  const { checkpointsDir, miniatureDir, modelsDirs, cacheDir } = options;
  const { models } = await findModels({
    checkpointsDir,
    miniatureDir,
    modelsDirs,
    cacheDir,
    patienceMs: START_PATIENCE_MS,
  });
  return models;
}

/**
 * Finds all models in the folder of checkpoints, in other programs' folders and in the hub's cache. Only headers
 * are read, and those once: an index in `cacheDir` keeps what they say by path, size and time. A file that cannot
 * be read is listed with the reason; no code of any file runs.
 */
export async function findModels(options: LibraryOptions): Promise<Library> {
  const { cacheDir, hubCacheDir, patienceMs = PATIENCE_MS } = options;
  const known = readIndex(cacheDir);
  const judge = new Judge(known, performance.now() + patienceMs);
  // The judges' predictors of beauty are no models of pictures.
  const skipped = new Set([
    resolve(options.checkpointsDir, "aesthetic"),
    ...(options.miniatureDir === undefined ? [] : [options.miniatureDir]),
  ]);
  const notes: string[] = [];
  const models = new Map<string, FoundModel & { readonly root: string }>();
  for (const [root, source] of rootsOf(options, notes)) {
    const scan = await scanFolder(root, skipped);
    notes.push(...scan.notes);
    for (const candidate of scan.candidates) {
      if (models.has(candidate.real)) continue;
      if (judge.isTurn()) await nextTurn();
      const entry = judge.judge(candidate, hubCacheDir);
      // The cache is also that of programs whose models are none of ours.
      if (entry === null || (source === "hub-cache" && entry.kind === "unknown")) continue;
      models.set(candidate.real, { ...told(entry, candidate), name: "", source, root });
    }
  }
  notes.push(...judge.notes());
  if (judge.isChanged)
    await writeIndex(cacheDir, judge.entries).catch((error: unknown) => {
      notes.push(`What was found could not be kept, so it is read again next time: ${describe(error)}`);
    });
  return { models: named([...models.values()]), notes };
}

/** Every folder to look at; what lies in an earlier one is not listed again. */
function rootsOf(
  { checkpointsDir, modelsDirs, ownLorasDir = null, hubCacheDir }: LibraryOptions,
  notes: string[],
): (readonly [string, ModelSource])[] {
  let cached: readonly CachedSnapshot[] = [];
  try {
    if (hubCacheDir !== undefined) cached = cachedSnapshots(hubCacheDir);
  } catch (error) {
    notes.push(`${hubCacheDir} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  return [
    ...(existsSync(checkpointsDir) ? [[resolve(checkpointsDir), "own"] as const] : []),
    ...(ownLorasDir !== null && existsSync(ownLorasDir) ? [[ownLorasDir, "own"] as const] : []),
    ...modelsDirs.flatMap((folder) =>
      foldersOf(resolve(folder), notes).map((found) => [found, "dirs"] as const),
    ),
    ...cached.map(({ directory }) => [directory, "hub-cache"] as const),
  ];
}

/** A folder of MODELS_DIRS, or those of them that ComfyUI's list names and that are there. */
function foldersOf(path: string, notes: string[]): string[] {
  if (!isPathsFile(path)) return [path];
  try {
    return foldersOfPathsFile(path).filter((folder) => existsSync(folder));
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    notes.push(error.message);
    return [];
  }
}

/** A file's traits with what depends on the files beside it, which come and go. */
function told(entry: IndexEntry, { path, real, isFolder }: Candidate) {
  const { kind, family, detail, misfit, lacksVae, broken, bytes } = entry;
  const isAlone = lacksVae && misfit === null && !isFolder && sidecarVae(path) === null;
  return {
    kind,
    family,
    detail,
    misfit: isAlone ? "it has no VAE, and none lies beside it: name one with --vae or VAE" : misfit,
    lacksVae,
    broken,
    bytes,
    path,
    realPath: real,
  };
}

/** How often the event loop gets its turn. */
const TURN_MS = 20;

/** Judges candidates, from the index where it knows them. */
class Judge {
  readonly entries = new Map<string, IndexEntry>();
  /** What files with the same tensors were found to be. */
  readonly #alike = new Map<string, Traits>();
  readonly #known: ReadonlyMap<string, IndexEntry>;
  readonly #until: number;
  #nextTurn = performance.now() + TURN_MS;
  #unread = 0;
  isChanged = false;

  constructor(known: ReadonlyMap<string, IndexEntry>, until: number) {
    this.#known = known;
    this.#until = until;
    this.entries = new Map(known);
  }

  isTurn(): boolean {
    if (performance.now() < this.#nextTurn) return false;
    this.#nextTurn = performance.now() + TURN_MS;
    return true;
  }

  /** Null if the time is up. */
  judge(candidate: Candidate, hubCacheDir: string | undefined): IndexEntry | null {
    const { path, isFolder } = candidate;
    let stamp: Stamp = candidate;
    try {
      if (isFolder) stamp = stampOf(path);
    } catch (error) {
      return { bytes: 0, mtimeMs: 0, ...unreadable(path, error) };
    }
    const { bytes, mtimeMs } = stamp;
    const kept = this.#known.get(path);
    if (kept !== undefined && kept.bytes === bytes && kept.mtimeMs === mtimeMs) return kept;
    if (performance.now() > this.#until) {
      this.#unread++;
      return null;
    }
    try {
      const traits = isFolder ? folderTraits(path, hubCacheDir) : this.#fileTraits(path);
      const entry = { bytes, mtimeMs, ...traits, broken: false };
      // What a folder lacks may lie in another one, and come without a trace in this one.
      return isFolder && traits.misfit !== null ? entry : this.#keep(path, entry);
    } catch (error) {
      const entry = { bytes, mtimeMs, ...unreadable(path, error) };
      // A file that could not be opened may be opened next time.
      const isLasting = error instanceof CheckpointError && error.code !== "CHECKPOINT_MISSING";
      return isLasting && !isFolder ? this.#keep(path, entry) : entry;
    }
  }

  #keep(path: string, entry: IndexEntry): IndexEntry {
    this.isChanged = true;
    this.entries.delete(path);
    this.entries.set(path, entry);
    return entry;
  }

  notes(): string[] {
    if (this.#unread === 0) return [];
    return [
      `${this.#unread} more files were not read yet, to save time. Run the same again: it goes on where it stopped.`,
    ];
  }

  #fileTraits(path: string): Traits {
    if (extname(path).toLowerCase() === ".gguf")
      throw new CheckpointError(
        "CHECKPOINT_TENSORS",
        `${path} is a GGUF file, a format that is not read here.`,
      );
    // Configuration files beside a checkpoint decide what it is, too.
    const structure = hasConfigBeside(path) ? null : structureOf(path);
    const key = structure && JSON.stringify([structure.key, baseOf(structure.metadata)]);
    const known = key === null ? undefined : this.#alike.get(key);
    if (known !== undefined) return known;
    const weights = openAnyFile(path);
    const traits = traitsOf(withoutWrapper(weights), weights.metadata);
    const isUsable = traits.kind === "checkpoint" && traits.misfit === null && !traits.lacksVae;
    const found = isUsable ? { ...traits, misfit: diffusionMisfit(path) } : traits;
    if (key !== null) this.#alike.set(key, found);
    return found;
  }
}

const hasConfigBeside = (path: string): boolean =>
  DIFFUSION_PARTS.some((part) => existsSync(join(dirname(path), part, "config.json")));

/** The metadata that may decide a file's family. */
const baseOf = (metadata: Readonly<Record<string, string>>) => [
  metadata.ss_base_model_version,
  metadata["modelspec.architecture"],
];

/** What is told of what the file or the disk is to blame for; throws any other error again. */
const unreadable = (path: string, error: unknown) => ({
  kind: "unknown" as const,
  family: null,
  detail: null,
  misfit: `cannot be read: ${brief(reasonOf(error), path)}`,
  lacksVae: false,
  broken: true,
});

/** Why a single file's models are not run here, or null. */
function diffusionMisfit(path: string): string | null {
  try {
    const files = openDiffusion(path);
    files.config("text_encoder", clipTextConfig);
    files.config("unet", unetConfig);
    files.config("vae", vaeConfig);
    return null;
  } catch (error) {
    if (error instanceof CheckpointError) return brief(error.message, path);
    throw error;
  }
}

function folderTraits(directory: string, hubCacheDir: string | undefined): Traits {
  const names = new Set(readdirSync(directory));
  const nothing = { family: null, detail: null, misfit: null, lacksVae: false };
  const misfitOf = (kind: "diffusion" | "promptist"): string | null => {
    const problem = firstProblem(kind, directory, hubCacheDir);
    return problem && brief(problem.message, directory);
  };
  if (names.has("model_index.json")) {
    const misfit = misfitOf("diffusion");
    const family = misfit === null ? "Stable Diffusion 1.x" : pipelineFamily(directory);
    return { ...nothing, kind: "checkpoint", family, detail: "folder", misfit };
  }
  if (names.has("adapter_config.json")) {
    const file = [...names].find((name) => name.startsWith("adapter_model."))!;
    const weights = openAnyFile(join(directory, file));
    return traitsOf(weights, weights.metadata);
  }
  const config = readJson(join(directory, "config.json")) as Record<string, unknown> | null;
  if (config?.model_type === "gpt2")
    return { ...nothing, kind: "rewriter", detail: "GPT-2", misfit: misfitOf("promptist") };
  if (config?.model_type === "clip") return { ...nothing, kind: "clip" };
  return traitsOf(openWeights(directory));
}

/** A pipeline's family by its class and its UNet's sizes; null where they don't tell. */
function pipelineFamily(directory: string): string | null {
  const index = readJson(join(directory, "model_index.json")) as { _class_name?: unknown } | null;
  const name = String(index?._class_name);
  if (/XL/.test(name)) return "Stable Diffusion XL";
  if (/^Flux/.test(name)) return "Flux";
  if (/^StableDiffusion3/.test(name)) return "Stable Diffusion 3";
  const unet = join(directory, "unet", "config.json");
  if (!existsSync(unet)) return null;
  const width = (readJson(unet) as { cross_attention_dim?: unknown } | null)?.cross_attention_dim;
  return width === 768 ? "Stable Diffusion 1.x" : width === 1024 ? "Stable Diffusion 2.x" : null;
}

/** By which a change is seen. */
interface Stamp {
  readonly bytes: number;
  readonly mtimeMs: number;
}

/** Size of a folder's files and the time of the latest, two levels deep. Throws system errors. */
function stampOf(directory: string): Stamp {
  let bytes = 0;
  let mtimeMs = 0;
  const add = (folder: string, isInner: boolean) => {
    for (const name of readdirSync(folder)) {
      const stat = statSync(join(folder, name), { throwIfNoEntry: false });
      if (stat?.isFile()) {
        bytes += stat.size;
        mtimeMs = Math.max(mtimeMs, stat.mtimeMs);
      } else if (stat?.isDirectory() && !isInner) add(join(folder, name), true);
    }
  };
  add(directory, false);
  return { bytes, mtimeMs };
}

function reasonOf(error: unknown): string {
  if (error instanceof CheckpointError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined || error instanceof RangeError) return describe(error);
  throw error;
}

/** The longest reason in a list. */
const MAX_REASON = 160;

/** A message without the path that stands beside it anyway. */
function brief(message: string, path: string): string {
  const line = message
    .split("\n")[0]!
    // What to do stands in the message of whoever opens the file.
    .split(/\. (?=[A-Z])/)[0]!
    .replace(/\.$/, "")
    .replaceAll(`${path}: `, "")
    .replaceAll(`${path} `, "")
    .replaceAll(path, "it")
    .replace(/^is (?:damaged|refused): /, "")
    .replace(/^(?=(?:is|has|holds|lacks|describes|cannot) )/, "it ");
  return line.length > MAX_REASON ? `${line.slice(0, MAX_REASON - 3)}...` : line;
}

const ORDER: readonly ModelKind[] = [
  "checkpoint",
  "lora",
  "vae",
  "embedding",
  "rewriter",
  "clip",
  "tiny-decoder",
  "controlnet",
  "upscaler",
  "unknown",
];

/** Gives each model the shortest name that no other of its kind has. */
function named(models: readonly (FoundModel & { readonly root: string })[]): FoundModel[] {
  const counts = new Map<string, number>();
  const key = ({ kind, path }: FoundModel) => `${kind} ${stemOf(path).toLowerCase()}`;
  for (const model of models) counts.set(key(model), (counts.get(key(model)) ?? 0) + 1);
  return models
    .map(({ root, ...model }) => {
      const short = stemOf(model.path);
      const within = relative(dirname(root), model.path).split(sep).join("/");
      const isClear = counts.get(key(model)) === 1;
      return { ...model, name: isClear ? short : withoutEnd(within) };
    })
    .sort(
      (a, b) =>
        ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) ||
        a.name.localeCompare(b.name, undefined, { numeric: true }) ||
        (a.path < b.path ? -1 : 1),
    );
}

const withoutEnd = (path: string): string => path.replace(/\.(safetensors|sft|ckpt|pt|pth|bin|gguf)$/i, "");

/** A file's name without its end; a snapshot of the hub's cache is called as its repository. */
const stemOf = (path: string): string =>
  basename(dirname(path)) === "snapshots"
    ? (repoOfCached(path) ?? basename(path))
    : withoutEnd(basename(path));
