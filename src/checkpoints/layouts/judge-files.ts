import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { projectionWidth } from "../../models/bounds.js";
import { type ClipTextConfig, clipTextConfig } from "../../models/clip-text.js";
import { type ClipVisionConfig, clipVisionConfig } from "../../models/clip-vision.js";
import { openWeights, type Preference } from "../files/open.js";
import type { Weights } from "../files/weights.js";
import { parseConfig, readConfig, readJson } from "./config.js";
import { clipWeights, safetyCheckerWeights } from "./names.js";

/** A published vision tower with its projection. */
export interface VisionFiles {
  /** Absolute path of the folder. */
  readonly source: string;
  readonly vision: ClipVisionConfig;
  /** Length of an embedding, projection_dim. */
  readonly dimensions: number;
  /** The content of `preprocessor_config.json`; an empty object, meaning all defaults, if there is none. */
  readonly preprocessor: unknown;
  /** Tensors under CLIP's own names. Throws CheckpointError like `openWeights`. */
  weights(prefer: Preference): Weights;
}

/** A CLIP with both towers. */
export interface ClipFiles extends VisionFiles {
  readonly text: ClipTextConfig;
}

/** Old versions of transformers wrote `*_config_dict` too; in their files it takes precedence. */
const towersConfig = z.looseObject({
  model_type: z.string().nullish(),
  text_config: z.looseObject({}).nullish(),
  text_config_dict: z.looseObject({}).nullish(),
  vision_config: z.looseObject({}).nullish(),
  vision_config_dict: z.looseObject({}).nullish(),
  projection_dim: projectionWidth.default(512),
});

/**
 * Opens a CLIP in transformers' layout: config.json, the weights, the tokenizer's files and, if there is one,
 * preprocessor_config.json. Only headers are read. Throws CheckpointError CHECKPOINT_MISSING, _CORRUPT or
 * _ARCHITECTURE.
 */
export function openClip(directory: string): ClipFiles {
  const wanted = towersConfig.extend({
    model_type: z.literal("clip", { error: 'model_type must be "clip": a CLIPModel with both towers' }),
  });
  const config = readConfig(directory, "config.json", wanted);
  const source = join(directory, "config.json");
  return {
    source: directory,
    text: parseConfig(source, { ...config.text_config, ...config.text_config_dict }, clipTextConfig),
    vision: parseConfig(source, { ...config.vision_config, ...config.vision_config_dict }, clipVisionConfig),
    dimensions: config.projection_dim,
    preprocessor: preprocessorOf(directory),
    weights: (prefer) => clipWeights(openWeights(directory, { prefer })),
  };
}

/**
 * Opens diffusers' StableDiffusionSafetyChecker, with the `feature_extractor/` beside it. Only headers are
 * read. Throws CheckpointError like `openClip`.
 */
export function openSafetyChecker(directory: string): VisionFiles {
  const config = readConfig(directory, "config.json", towersConfig);
  const source = join(directory, "config.json");
  return {
    source: directory,
    vision: parseConfig(source, { ...config.vision_config, ...config.vision_config_dict }, clipVisionConfig),
    dimensions: config.projection_dim,
    preprocessor: preprocessorOf(join(directory, "..", "feature_extractor")),
    weights: (prefer) => safetyCheckerWeights(openWeights(directory, { prefer })),
  };
}

function preprocessorOf(directory: string): unknown {
  const path = join(directory, "preprocessor_config.json");
  return existsSync(path) ? readJson(path) : {};
}
