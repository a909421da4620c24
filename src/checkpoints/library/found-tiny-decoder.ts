import { basename } from "node:path";
import { publishedTinyDecoder } from "../layouts/tiny-decoder-files.js";
import { findModels, type LibraryOptions } from "./find-models.js";

/** The names of TAESD's own decoder; those of its kin for other models' latents are longer. */
const OWN_NAME = /^taesd(_decoder)?\.(safetensors|sft|pth|pt|bin)$/i;
/** A start waits no longer for files that were never read before; the next one goes on. */
const PATIENCE_MS = 2000;

/**
 * Path of TAESD: where `checkpoints pull taesd` has put or found it, else in the folders of other programs (ComfyUI
 * has it in `models/vae_approx`, A1111 in `models/VAE-taesd`); null if it is nowhere.
 */
export async function findTinyDecoder(options: LibraryOptions): Promise<string | null> {
  const { checkpointsDir, hubCacheDir, miniatureDir, modelsDirs, cacheDir } = options;
  const published = publishedTinyDecoder(checkpointsDir, hubCacheDir);
  if (published !== null) return published;
  const { models } = await findModels({
    checkpointsDir,
    miniatureDir,
    modelsDirs,
    cacheDir,
    patienceMs: PATIENCE_MS,
  });
  const found = models.find(
    ({ kind, misfit, path }) => kind === "tiny-decoder" && misfit === null && OWN_NAME.test(basename(path)),
  );
  return found?.path ?? null;
}
