import { type Gpt2Config, gpt2Config } from "../../models/gpt2.js";
import { openWeights } from "../files/open.js";
import type { Weights } from "../files/weights.js";
import { readConfig } from "./config.js";
import { gpt2Weights, withoutWrapper } from "./names.js";

/** A published GPT-2 language model. */
export interface Gpt2Files {
  readonly config: Gpt2Config;
  /** Tensors under the names that its graph uses. Throws CheckpointError like `openWeights`. */
  weights(): Weights;
}

/**
 * Opens a GPT-2 in transformers' layout: config.json and the weights. Only headers are read. Throws
 * CheckpointError CHECKPOINT_MISSING, _CORRUPT or _ARCHITECTURE.
 */
export function openGpt2(directory: string): Gpt2Files {
  const config = readConfig(directory, "config.json", gpt2Config);
  return {
    config,
    weights: () => gpt2Weights(withoutWrapper(openWeights(directory)), { tied: config.tie_word_embeddings }),
  };
}
