import { type Dirent, opendirSync, realpathSync, type Stats, statSync } from "node:fs";
import { extname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { chooseWeightFile } from "../files/open.js";

/** A file of weights, or a folder that is one model. */
export interface Candidate {
  /** Absolute, as reached through links. */
  readonly path: string;
  /** The same without links. */
  readonly real: string;
  readonly isFolder: boolean;
  /** Of the file; 0 for a folder. */
  readonly bytes: number;
  readonly mtimeMs: number;
}

export interface Scan {
  readonly candidates: readonly Candidate[];
  /** Sentences on what could not be read or was left out. */
  readonly notes: readonly string[];
}

/** How much of a folder is looked at. People keep thousands of models, in a few levels of folders. */
const LIMITS = { depth: 8, entries: 200_000, models: 10_000 };

const WEIGHTS = new Set([".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf"]);
/** Parts of a model in several files, and what training programs save beside a model. */
const NO_MODEL =
  /-\d{5}-of-\d{5}\.\w+$|^(optimizer|scheduler|scaler|training_args|random_states|rng_state)[\w.-]*$/i;
/** Folders of programs, not of models; some hold a hundred thousand files. */
const NO_MODELS = new Set([
  "node_modules",
  "venv",
  "env",
  "site-packages",
  "__pycache__",
  "output",
  "outputs",
  "repositories",
]);

/** Folders of other programs with models, below their own folder. */
const BELOW_MODELS = new Set([
  "stable-diffusion",
  "checkpoints",
  "vae",
  "lora",
  "loras",
  "lycoris",
  "embeddings",
  "diffusers",
  "esrgan",
  "realesrgan",
  "upscale_models",
]);

/**
 * Finds the models of one folder: A1111's or ComfyUI's own, of which only the folders of models are looked at, or
 * a plain one, of which all. Links are followed once. Never throws for what cannot be read.
 * @param skip absolute paths of folders to leave out
 */
export async function scanFolder(
  root: string,
  skip: ReadonlySet<string> = new Set(),
  limits = LIMITS,
): Promise<Scan> {
  const walk = new Walk(skip, limits);
  for (const start of startsOf(root)) await walk.enter(start, 0);
  return walk;
}

/** The folders to look at: in a program's own folder `models` and `embeddings`, else the folder itself. */
function startsOf(root: string): string[] {
  const names = namesIn(root);
  const models = names.find((name) => name.toLowerCase() === "models");
  const isProgram =
    models !== undefined && namesIn(join(root, models)).some((name) => BELOW_MODELS.has(name.toLowerCase()));
  if (!isProgram) return [root];
  return names
    .filter((name) => name === models || BELOW_MODELS.has(name.toLowerCase()))
    .map((name) => join(root, name));
}

/** Names of the first entries of a folder; none if it cannot be read, which the walk then tells. */
function namesIn(folder: string): string[] {
  try {
    return entriesOf(folder, 1000).entries.map(({ name }) => name);
  } catch {
    return [];
  }
}

function entriesOf(folder: string, most: number): { entries: Dirent[]; isCut: boolean } {
  const entries: Dirent[] = [];
  const directory = opendirSync(folder, { bufferSize: 1000 });
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (entries.length === most) return { entries, isCut: true };
      entries.push(entry);
    }
  } finally {
    directory.closeSync();
  }
  return { entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)), isCut: false };
}

class Walk implements Scan {
  readonly candidates: Candidate[] = [];
  readonly notes: string[] = [];
  readonly #skip: ReadonlySet<string>;
  /** Real paths of folders and files that were looked at. */
  readonly #seen = new Set<string>();
  readonly #limits: typeof LIMITS;
  #entriesLeft: number;
  #isFull = false;

  constructor(skip: ReadonlySet<string>, limits: typeof LIMITS) {
    this.#limits = limits;
    this.#entriesLeft = limits.entries;
    this.#skip = skip;
  }

  async enter(folder: string, depth: number): Promise<void> {
    if (this.#isFull) return;
    let real: string;
    let entries: Dirent[];
    try {
      real = realpathSync.native(folder);
      if (this.#skip.has(folder) || this.#skip.has(real) || this.#seen.has(real)) return;
      this.#seen.add(real);
      const listed = entriesOf(folder, this.#entriesLeft);
      entries = listed.entries;
      this.#entriesLeft -= entries.length;
      if (listed.isCut) this.#stop(folder, `more than ${this.#limits.entries} files`);
    } catch (error) {
      this.notes.push(`${folder} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
      return;
    }
    await nextTurn();
    if (isModel(entries.map(({ name }) => name))) {
      this.#add({ path: folder, real, isFolder: true, bytes: 0, mtimeMs: 0 });
      return;
    }
    const folders: string[] = [];
    for (const entry of entries) {
      if (entry.name.startsWith(".") || entry.name.endsWith(".partial")) continue;
      const path = join(folder, entry.name);
      const isWeights = WEIGHTS.has(extname(entry.name).toLowerCase()) && !NO_MODEL.test(entry.name);
      const isFolder = entry.isDirectory() && !NO_MODELS.has(entry.name.toLowerCase());
      if (isFolder) folders.push(path);
      else if (isWeights || entry.isSymbolicLink()) {
        const target = this.#statOf(path);
        if (target?.isDirectory() && !NO_MODELS.has(entry.name.toLowerCase())) folders.push(path);
        else if (target?.isFile() && isWeights) this.#addFile(path, real, entry, target);
      }
    }
    for (const path of folders) {
      if (depth < this.#limits.depth) await this.enter(path, depth + 1);
      else
        this.notes.push(`${path} was not looked at: it lies more than ${this.#limits.depth} folders deep.`);
    }
  }

  /** Undefined for a link to nothing, or to itself. */
  #statOf(path: string): Stats | undefined {
    try {
      return statSync(path);
    } catch (error) {
      this.notes.push(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
      return undefined;
    }
  }

  #addFile(path: string, realFolder: string, entry: Dirent, { size, mtimeMs }: Stats): void {
    const real = entry.isSymbolicLink() ? realpathSync.native(path) : join(realFolder, entry.name);
    if (this.#seen.has(real)) return;
    this.#seen.add(real);
    this.#add({ path, real, isFolder: false, bytes: size, mtimeMs });
  }

  #add(candidate: Candidate): void {
    if (this.candidates.length < this.#limits.models) this.candidates.push(candidate);
    else this.#stop(candidate.path, `more than ${this.#limits.models} models`);
  }

  #stop(at: string, what: string): void {
    if (!this.#isFull)
      this.notes.push(`There are ${what}; those from ${at} on were not looked at. Name smaller folders.`);
    this.#isFull = true;
  }
}

/** Whether a folder with these names is one model in diffusers', transformers' or PEFT's layout. */
function isModel(names: readonly string[]): boolean {
  if (names.includes("model_index.json")) return true;
  if (names.includes("adapter_config.json") && names.some((name) => name.startsWith("adapter_model.")))
    return true;
  const weights = names.includes("config.json") ? chooseWeightFile(names, "fp16")?.name : undefined;
  return weights !== undefined && /^(model|pytorch_model|diffusion_pytorch_model)\./.test(weights);
}
