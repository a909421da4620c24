import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { positionCount } from "../../models/bounds.js";
import { readConfig } from "./config.js";

const NAME = "tokenizer_config.json";
/** transformers writes 1e30 for "no limit", and reads anything above 1e20 so. */
const NO_LIMIT = 1e20;

/** The keys of a `tokenizer_config.json` that decide how much is allocated. */
const tokenizerConfig = z.looseObject({
  model_max_length: z
    .union([positionCount, z.number().min(NO_LIMIT)], {
      error: "a whole number of tokens up to 32768 is needed, or at least 1e20 for no limit",
    })
    .nullish(),
});

/**
 * The content of a folder's `tokenizer_config.json`; an empty object if there is none. A `model_max_length`
 * that means no limit is left out. Throws CheckpointError CHECKPOINT_CORRUPT or CHECKPOINT_ARCHITECTURE.
 */
export function readTokenizerConfig(directory: string): z.output<typeof tokenizerConfig> {
  if (!existsSync(join(directory, NAME))) return {};
  const { model_max_length: length, ...config } = readConfig(directory, NAME, tokenizerConfig);
  return typeof length === "number" && length < NO_LIMIT ? { ...config, model_max_length: length } : config;
}
