import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { CheckpointError } from "../../core/errors.js";
import { type TinyDecoderConfig, tinyDecoderConfig, tinyDecoderShape } from "../../models/tiny-decoder.js";
import { findWeightFiles, openWeightFile, openWeights, type Preference } from "../files/open.js";
import type { Weights } from "../files/weights.js";
import { parseConfig, readConfig } from "./config.js";
import { isFile } from "./diffusion-files.js";
import { cachedSnapshot } from "./hub-cache.js";
import { renamed } from "./names.js";

/** TAESD as published: the tiny autoencoder of Stable Diffusion 1.x and 2.x. */
export const TINY_DECODER_REPO = "madebyollin/taesd";
/** Its folder in the folder of checkpoints. */
export const TINY_DECODER_FOLDER = "taesd";

export interface TinyDecoderFiles {
  /** Absolute path of the folder or file. */
  readonly source: string;
  readonly config: TinyDecoderConfig;
  /** The tensors under the names that the graph uses. Throws CheckpointError like `openWeights`. */
  weights(prefer: Preference): Weights;
}

/**
 * Opens TAESD in diffusers' layout (a folder with config.json) or its original file taesd_decoder. Only headers are
 * read. Throws CheckpointError if it is none.
 */
export function openTinyDecoder(path: string): TinyDecoderFiles {
  if (!isFile(path))
    return {
      source: path,
      config: readConfig(path, "config.json", tinyDecoderConfig),
      weights: (prefer) => tinyDecoderWeights(openWeights(path, { prefer })),
    };
  const weights = tinyDecoderWeights(openWeightFile(path));
  const shape = tinyDecoderShape((name) => weights.get(name)?.shape);
  return { source: path, config: parseConfig(path, shape, tinyDecoderConfig), weights: () => weights };
}

/**
 * The decoder as `decoder.layers.*`. The original file counts its layers from the bound before them, which has no
 * tensors, so its numbers are one higher.
 */
export const tinyDecoderWeights = (weights: Weights): Weights =>
  renamed(weights, (name) => {
    const [, index, rest] = /^(\d{1,3})\.(.+)$/.exec(name) ?? [];
    return { name: index === undefined ? name : `decoder.layers.${Number(index) - 1}.${rest}` };
  });

/**
 * TAESD where `checkpoints pull taesd` puts it or finds it: in the folder of checkpoints, else whole in the hub's
 * cache; null where it is in neither.
 */
export function publishedTinyDecoder(checkpointsDir: string, hubCacheDir?: string): string | null {
  const own = resolve(checkpointsDir, TINY_DECODER_FOLDER);
  if (existsSync(join(own, "config.json"))) return own;
  const cached = cachedSnapshot(hubCacheDir, TINY_DECODER_REPO);
  return cached !== null && isWhole(cached.directory) ? cached.directory : null;
}

/** The error where TAESD is to make pictures and is nowhere. */
export const withoutTinyDecoder = (): CheckpointError =>
  new CheckpointError(
    "CHECKPOINT_MISSING",
    "DECODER (--decoder) is taesd, and there is no TAESD here. Get it: promptist checkpoints pull taesd. Or take the checkpoint's own decoder, vae.",
  );

function isWhole(directory: string): boolean {
  try {
    readConfig(directory, "config.json", tinyDecoderConfig);
    return findWeightFiles(directory) !== undefined;
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}
