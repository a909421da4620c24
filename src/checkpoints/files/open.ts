import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { CheckpointError } from "../../core/errors.js";
import { corrupt, readText, withFile } from "./file.js";
import { looksLikeSafetensors, openSafetensors } from "./safetensors.js";
import { joinWeights, type StoredWeights } from "./stored-weights.js";
import {
  embeddingTensors,
  looksLikeLegacyTorch,
  nestedTensors,
  openLegacyTorchFile,
  openTorchFile,
  type SelectTensors,
} from "./torch-file.js";
import type { Weights } from "./weights.js";
import { looksLikeZip } from "./zip.js";

/**
 * Which of several published variants to prefer; a checkpoint with only the other one is read all the same.
 */
export type Preference = "fp16" | "fp32";

export interface OpenOptions {
  /** Default fp32: the plain files. */
  readonly prefer?: Preference;
}

/** Names under which transformers and diffusers publish weights. */
const STEMS = ["model", "diffusion_pytorch_model", "pytorch_model"];

export const MAX_INDEX_BYTES = 16 * 2 ** 20;

/** The weight files to read in a folder: one file, or an index and its shards. */
export interface WeightFiles {
  /** Absolute path of the single file or of the index. */
  readonly main: string;
  readonly isIndex: boolean;
}

/** Names in search order: the preferred variant first, then safetensors before .bin. */
function usualNames(prefer: Preference): string[] {
  const safetensors = STEMS.flatMap((stem) => {
    const plain = [`${stem}.safetensors`, `${stem}.safetensors.index.json`];
    const fp16 = [
      `${stem}.fp16.safetensors`,
      `${stem}.safetensors.index.fp16.json`,
      `${stem}.fp16.safetensors.index.json`,
    ];
    return [{ plain, fp16 }];
  });
  const bins = STEMS.map((stem) => ({
    plain: [`${stem}.bin`, `${stem}.bin.index.json`],
    fp16: [`${stem}.fp16.bin`, `${stem}.bin.index.fp16.json`, `${stem}.fp16.bin.index.json`],
  }));
  const [first, second] = prefer === "fp16" ? (["fp16", "plain"] as const) : (["plain", "fp16"] as const);
  return [safetensors, bins].flatMap((format) =>
    [first, second].flatMap((variant) => format.flatMap((names) => names[variant])),
  );
}

/** A stem with any variant, such as `diffusion_pytorch_model.bf16.safetensors`, whole or as an index. */
const VARIANT =
  /^(?:model|diffusion_pytorch_model|pytorch_model)(?:\.([\w-]+))?\.(safetensors|bin)(?:\.index(?:\.([\w-]+))?\.json)?$/;

/** Variants in the order in which they are taken; others follow by name, averaged-out ones (`non_ema`) last. */
const VARIANT_ORDER = ["bf16", "fp32"];

function rankOf(name: string): string {
  const [, before, format, after] = VARIANT.exec(name) ?? [];
  const variant = before ?? after ?? "";
  const place = VARIANT_ORDER.indexOf(variant);
  const order = variant.includes("non_ema") ? 9 : place < 0 ? 8 : place;
  return `${format === "bin" ? 1 : 0}${order}${name}`;
}

/** Other files that programs save beside a model's weights. */
const NOT_WEIGHTS = /^(optimizer|scheduler|scaler|training_args|random_states|rng_state)/;

/**
 * Chooses the weights among a folder's file names: the usual names by preference, then any other variant of
 * them, then the only weight file there is. An index stands for its shards.
 * @returns undefined if there are none, or several of which none has a known name
 */
export function chooseWeightFile(
  names: Iterable<string>,
  prefer: Preference,
):
  | {
      readonly name: string /** Names of other variants that might have been meant. */;
      readonly others: readonly string[];
    }
  | undefined {
  const present = new Set(names);
  const usual = usualNames(prefer).find((name) => present.has(name));
  if (usual !== undefined) return { name: usual, others: [] };
  const variants = [...present]
    .filter((name) => VARIANT.test(name))
    .sort((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1));
  const [best, ...others] = variants;
  if (best !== undefined) return { name: best, others };
  for (const extension of [/\.safetensors$/, /\.(bin|pt|pth|ckpt)$/]) {
    const [only, second] = [...present].filter((name) => extension.test(name) && !NOT_WEIGHTS.test(name));
    if (only !== undefined && second === undefined) return { name: only, others: [] };
  }
  return undefined;
}

/** The weight files that `openWeights` would read, or undefined if the folder has none. */
export function findWeightFiles(directory: string, options: OpenOptions = {}): WeightFiles | undefined {
  const chosen = chooseWeightFile(listFolder(directory), options.prefer ?? "fp32");
  return chosen && { main: join(directory, chosen.name), isIndex: chosen.name.endsWith(".json") };
}

/** What is said where a folder holds several variants without a rule that prefers one; null elsewhere. */
export function variantNote(directory: string): string | null {
  const chosen = chooseWeightFile(listFolder(directory), "fp32");
  if (!chosen || chosen.others.length === 0) return null;
  return `${directory} holds ${chosen.name} and ${chosen.others.join(", ")}; ${chosen.name} is used. Remove the files that are not meant.`;
}

/**
 * Opens the weights of one model folder in Hugging Face's layout: `model`, `pytorch_model` or
 * `diffusion_pytorch_model`, as .safetensors or .bin, in any variant, whole or in shards, or the only weight
 * file there is. Only headers are read. Throws
 * CheckpointError CHECKPOINT_MISSING (no weights, a shard that is not there), CHECKPOINT_CORRUPT,
 * CHECKPOINT_UNSAFE or CHECKPOINT_TENSORS, each naming the file.
 */
export function openWeights(directory: string, options: OpenOptions = {}): Weights {
  const files = findWeightFiles(directory, options);
  if (!files) {
    throw new CheckpointError(
      "CHECKPOINT_MISSING",
      `${directory} holds no weights. Put ${STEMS.map((stem) => `${stem}.safetensors`).join(" or ")} (or the .bin) of the published model there.`,
    );
  }
  return files.isIndex ? openShards(directory, files.main) : openWeightFile(files.main);
}

/** Opens one weight file by its content, not its extension. Throws like `openWeights`. */
export const openWeightFile = (path: string): StoredWeights => openFile(path);

/** The same for any kind of model, of whose tensors those in inner dictionaries count too (`nestedTensors`). */
export const openAnyFile = (path: string): StoredWeights => openFile(path, nestedTensors);

/** The same for a file of an embedding, whose tensors have the names of `embeddingTensors`. */
export const openEmbeddingFile = (path: string): StoredWeights => openFile(path, embeddingTensors);

function openFile(path: string, select?: SelectTensors): StoredWeights {
  const start = withFile(path, (file) => file.read(0, Math.min(file.bytes, 64)));
  if (looksLikeZip(start)) return openTorchFile(path, select);
  if (looksLikeSafetensors(start)) return openSafetensors(path);
  const text = Buffer.from(start).toString("latin1").trimStart();
  if (text.startsWith("version https://git-lfs")) {
    throw new CheckpointError(
      "CHECKPOINT_MISSING",
      `${path} is a Git LFS pointer, not the weights. Run "git lfs pull" in its folder, or download the file itself.`,
    );
  }
  if (/^<(!doctype|html)/i.test(text)) {
    throw new CheckpointError(
      "CHECKPOINT_CORRUPT",
      `${path} is a web page, not weights: the download went wrong. Download the file itself.`,
    );
  }
  if (looksLikeLegacyTorch(start)) return openLegacyTorchFile(path, select);
  if (path.endsWith(".safetensors")) return openSafetensors(path);
  throw corrupt(path, "it is neither a safetensors file nor one that torch.save made");
}

function openShards(directory: string, indexPath: string): StoredWeights {
  const { size } = statSync(indexPath);
  if (size > MAX_INDEX_BYTES)
    throw corrupt(indexPath, `it has ${size} bytes, far more than a list of names needs`);
  const shardOf = shardNames(indexPath, readText(indexPath));
  const shards = new Map<string, StoredWeights>();
  for (const shard of new Set(shardOf.values())) {
    try {
      shards.set(shard, openWeightFile(join(directory, shard)));
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      throw new CheckpointError(error.code, `A part of ${basename(indexPath)}: ${error.message}`, {
        cause: error,
      });
    }
  }
  const parts = new Map<string, StoredWeights>();
  for (const [name, shard] of shardOf) {
    const part = shards.get(shard)!;
    if (!part.get(name))
      throw corrupt(indexPath, `it says that "${name}" is in ${shard}, which does not have it`);
    parts.set(name, part);
  }
  return joinWeights(directory, parts);
}

/** Tensor name -> file name of its shard, from the text of an index. Throws CHECKPOINT_CORRUPT. */
export function shardNames(path: string, text: string): Map<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw corrupt(path, "it is not JSON", cause);
  }
  const map = (parsed as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map) || Object.keys(map).length === 0) {
    throw corrupt(path, "it has no weight_map");
  }
  return new Map(
    Object.entries(map).map(([name, shard]): [string, string] => {
      // A shard must lie beside its index; any other path would read a file that nobody chose.
      if (typeof shard !== "string" || shard === "" || /[\\/:\0]|^\.\.?$/.test(shard)) {
        throw corrupt(path, `the shard of "${name}" is no file name`);
      }
      return [name, shard];
    }),
  );
}

/** Names in a folder. Throws CHECKPOINT_MISSING if it does not exist. */
export function listFolder(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    throw new CheckpointError("CHECKPOINT_MISSING", `${directory} is not a folder that can be read.`, {
      cause,
    });
  }
}
