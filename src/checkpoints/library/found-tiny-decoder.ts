import { basename } from "node:path";
import { publishedTinyDecoder } from "../layouts/tiny-decoder-files.js";
import type { FoundModel, LibraryOptions } from "./find-models.js";

/** The names of TAESD's own decoder; those of its kin for other models' latents are longer. */
const OWN_NAME = /^taesd(_decoder)?\.(safetensors|sft|pth|pt|bin)$/i;

/**
 * Path of TAESD: where `checkpoints pull taesd` has put or found it, else in the folders of other programs (ComfyUI
 * has it in `models/vae_approx`, A1111 in `models/VAE-taesd`); null if it is nowhere.
 */
export function tinyDecoderAmong(
  models: readonly FoundModel[],
  { checkpointsDir, hubCacheDir }: Pick<LibraryOptions, "checkpointsDir" | "hubCacheDir">,
): string | null {
  const found = models.find(
    ({ kind, misfit, path }) => kind === "tiny-decoder" && misfit === null && OWN_NAME.test(basename(path)),
  );
  return publishedTinyDecoder(checkpointsDir, hubCacheDir) ?? found?.path ?? null;
}
