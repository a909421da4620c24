import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join, parse } from "node:path";
import { CheckpointError } from "../../core/errors.js";
import { elementCount } from "../files/element-types.js";
import { shown, withFile } from "../files/file.js";
import { openEmbeddingFile } from "../files/open.js";
import type { StoredWeights } from "../files/stored-weights.js";

/*
 * Embeddings (textual inversion): vectors of a text encoder's input that a name in a prompt stands for, as
 * diffusers' load_textual_inversion and AUTOMATIC1111 read them.
 */

/** A file or a folder of embeddings that somebody named. */
export interface EmbeddingChoice {
  /** Absolute path. */
  readonly file: string;
  /** What it is called by in prompts; null for its own names. Of a file alone. */
  readonly token?: string | null;
  /** Whether a file that can't be used stops what was asked for; else it is left out with a note. */
  readonly isRequired?: boolean;
  /**
   * Whether nobody named it and it only lies where embeddings do. It is then left out without a note if it can't be
   * used, and takes no name that is made of ordinary words.
   */
  readonly isFound?: boolean;
}

export interface Embedding {
  /** What it is called by in prompts; the first one stands in records. */
  readonly names: readonly string[];
  readonly file: string;
  /** One or more, each as wide as the text encoder. */
  readonly vectors: readonly Float32Array[];
  /** Of the file, in hexadecimal. */
  readonly sha256: string;
}

export interface FoundEmbeddings {
  readonly embeddings: readonly Embedding[];
  /** Sentences on files that are left out. */
  readonly notes: readonly string[];
}

export interface EmbeddingUse {
  /** Values of a vector: the text encoder's hidden_size. */
  readonly width: number;
  /** Whether the tokenizer has this text as a token already; it can't be a name then. */
  readonly isWord: (name: string) => boolean;
}

const ENDS = /\.(pt|bin|safetensors)$/i;
/** Of a folder, with those in it; more are not read. */
const FILES_MAX = 2000;
/** A vector has 4 kB at most. */
const FILE_BYTES_MAX = 64 * 2 ** 20;
/** A prompt has no room for more in one window. */
const VECTORS_MAX = 75;
const NAME_MAX = 100;

/** The file itself, or those of a folder by name. Throws CheckpointError for a folder that can't be read. */
function filesOf(choice: EmbeddingChoice): EmbeddingChoice[] {
  const { file } = choice;
  try {
    if (!statSync(file, { throwIfNoEntry: false })?.isDirectory()) return [choice];
    return readdirSync(file, { recursive: true, encoding: "utf8" })
      .filter((name) => ENDS.test(name))
      .sort()
      .slice(0, FILES_MAX)
      .map((name) => ({ file: join(file, name) }));
  } catch (cause) {
    throw new CheckpointError("CHECKPOINT_MISSING", `${file} can't be read.`, { cause });
  }
}

/**
 * Reads embeddings, whole files and folders of them. A name belongs to the first one that has it.
 * @throws CheckpointError for a required one: CHECKPOINT_MISSING, CHECKPOINT_CORRUPT or CHECKPOINT_UNSAFE (the
 *   file), CHECKPOINT_TENSORS (an embedding of another model, or none)
 */
export function openEmbeddings(choices: readonly EmbeddingChoice[], use: EmbeddingUse): FoundEmbeddings {
  const embeddings: Embedding[] = [];
  const notes: string[] = [];
  const owners = new Map<string, string>();
  const named = new Set<string>();
  const orNote = <T>({ isRequired = false, isFound = false }: EmbeddingChoice, open: () => T): T | null => {
    try {
      return open();
    } catch (error) {
      if (!(error instanceof CheckpointError) || isRequired) throw error;
      if (!isFound) notes.push(`Left out: ${error.message}`);
      return null;
    }
  };
  for (const choice of choices)
    for (const file of orNote(choice, () => filesOf(choice)) ?? []) {
      const embedding = orNote(file, () => openEmbedding(file, use, owners));
      if (embedding === null) continue;
      // A named file has the names that it was given, and no others.
      if (!file.isFound) named.add(embedding.sha256);
      else if (named.has(embedding.sha256)) continue;
      for (const name of embedding.names) owners.set(name.toLowerCase(), embedding.file);
      embeddings.push(embedding);
    }
  return { embeddings, notes };
}

function openEmbedding(
  { file, token = null, isFound = false }: EmbeddingChoice,
  { width, isWord }: EmbeddingUse,
  owners: ReadonlyMap<string, string>,
): Embedding {
  const sha256 = hashOf(file);
  const weights = openEmbeddingFile(file);
  const tensor = tensorOf(file, weights);
  const vectors = vectorsOf(file, weights, tensor, width);
  const wanted = (token === null ? ownNames(file, tensor) : [token]).filter(isName);
  const isTaken = (name: string) => isWord(name) || (isFound && isWords(name, isWord));
  const free = wanted.filter((name) => !isTaken(name) && !owners.has(name.toLowerCase()));
  if (free.length > 0) return { names: free, file, vectors, sha256 };
  const [name] = wanted;
  const owner = name === undefined ? undefined : owners.get(name.toLowerCase());
  const why =
    name === undefined
      ? "has no name that a prompt could have"
      : owner === undefined
        ? `is called "${shown(name)}", which CLIP's vocabulary has already`
        : `is called "${shown(name)}", as ${owner} is`;
  throw new CheckpointError("CHECKPOINT_TENSORS", `${file} ${why}. Give it a name: --embedding FILE:NAME.`);
}

/** Whether each word of a name is in the vocabulary, which has most of them with the mark of a word's end only. */
const isWords = (name: string, isWord: EmbeddingUse["isWord"]): boolean =>
  name.split(/\s+/u).every((word) => isWord(word) || isWord(`${word}</w>`));

/** The one tensor of an embedding. */
function tensorOf(file: string, { names }: StoredWeights): string {
  if (names.includes("clip_l") || names.includes("clip_g"))
    throw new CheckpointError(
      "CHECKPOINT_TENSORS",
      `${file} is an embedding of Stable Diffusion XL (clip_l, clip_g). Give one of Stable Diffusion 1.5.`,
    );
  if (names.includes(WEB_UI_KEY)) return WEB_UI_KEY;
  const [only, second] = names;
  if (only !== undefined && second === undefined) return only;
  throw new CheckpointError(
    "CHECKPOINT_TENSORS",
    `${file} is no embedding: it holds ${names.length} tensors instead of one (${names
      .slice(0, 3)
      .map((name) => shown(name))
      .join(", ")} ...).`,
  );
}

/** The key of AUTOMATIC1111's safetensors files; it names no embedding. */
const WEB_UI_KEY = "emb_params";

/** Text encoders by the width of their vectors. */
const MODELS: Readonly<Record<number, string>> = {
  768: "Stable Diffusion 1.x",
  1024: "Stable Diffusion 2",
  1280: "Stable Diffusion XL",
};

function vectorsOf(file: string, weights: StoredWeights, tensor: string, width: number): Float32Array[] {
  const { shape } = weights.get(tensor)!;
  const refuse = (what: string) => new CheckpointError("CHECKPOINT_TENSORS", `${file} ${what}`);
  const own = shape.at(-1);
  if (shape.length < 1 || shape.length > 2 || own === undefined || elementCount(shape) === 0)
    throw refuse(`is no embedding: its tensor has the shape [${shape.join(", ")}].`);
  const count = elementCount(shape) / own;
  if (own !== width) {
    const of = MODELS[own] === undefined ? "another model" : MODELS[own];
    throw refuse(
      `is an embedding of ${of}: its vectors have ${own} values, and the text encoder of this checkpoint reads ${width}. Give one made for ${MODELS[width] ?? "this model"}.`,
    );
  }
  if (count > VECTORS_MAX)
    throw refuse(`holds ${count} vectors; a prompt has room for ${VECTORS_MAX}, so it is no embedding.`);
  const values = weights.readFloat32(tensor);
  if (!values.every(Number.isFinite)) throw refuse("is damaged: some of its values are not numbers.");
  return Array.from({ length: count }, (_, i) => values.slice(i * width, (i + 1) * width));
}

/** Names that programs give every file. */
const USUAL_NAMES = /^(learned_embeds|embeddings?|pytorch_model|model|diffusion_pytorch_model)\b/i;

/** The name in the file, as diffusers takes it, and the file's own, as AUTOMATIC1111 does. */
function ownNames(file: string, tensor: string): string[] {
  const inside = tensor === WEB_UI_KEY ? "" : tensor;
  const outside = parse(basename(file)).name;
  return [...new Set([inside, ...(USUAL_NAMES.test(outside) ? [] : [outside])])];
}

const isName = (name: string): boolean =>
  name.trim() === name && name !== "" && name.length <= NAME_MAX && !/\p{Cc}/u.test(name);

function hashOf(path: string): string {
  return withFile(path, (file) => {
    if (file.bytes > FILE_BYTES_MAX)
      throw new CheckpointError(
        "CHECKPOINT_TENSORS",
        `${path} has ${file.bytes} bytes, far more than an embedding needs.`,
      );
    return createHash("sha256").update(file.read(0, file.bytes)).digest("hex");
  });
}

const TOKEN = /^(.{2,}?):([^\\/:]+)$/s;

/** `FILE` or `FILE:NAME`; a path that is there is a file whatever its name is. */
export function parseEmbedding(text: string): { readonly file: string; readonly token: string | null } {
  const [, file, token] = existsSync(text) ? [] : (TOKEN.exec(text) ?? []);
  return file === undefined || token === undefined ? { file: text, token: null } : { file, token };
}
