import { basename } from "node:path";
import type { Weights } from "../../checkpoints/files/weights.js";
import { fileHash, weightsHash } from "../../checkpoints/files/weights-hash.js";
import { type DiffusionFiles, sidecarVae } from "../../checkpoints/layouts/diffusion-files.js";
import { knownLora } from "../../checkpoints/layouts/lora-hash.js";
import type { Precision } from "../../core/options.js";
import type { UsedModels } from "../../pictures/parameters.js";
import type { ImageSpec } from "./protocol.js";

/**
 * The weights of a pipeline as its pictures name them. Each file is read whole once; `spec.cacheDir` keeps the
 * hashes. Throws CheckpointError and system errors.
 */
export async function usedModels(
  spec: ImageSpec,
  files: DiffusionFiles,
  precision: Exclude<Precision, "auto">,
): Promise<UsedModels> {
  const { cacheDir, clipSkip, decoder, loras, model } = spec;
  const vae = spec.vae ?? sidecarVae(spec.directory);
  const hashOf = (weights: Weights) => {
    const [file, ...others] = filesOf(weights);
    // Weights in several files have no hash that anyone else knows.
    return file === undefined || others.length > 0
      ? weightsHash([weights], cacheDir)
      : fileHash(file, cacheDir);
  };
  return {
    model: { name: model, hash: await hashOf(files.weights("unet", precision)) },
    vae: vae === null ? null : { name: basename(vae), hash: await hashOf(files.weights("vae", precision)) },
    clipSkip,
    ...(decoder === "taesd" ? { decoder } : {}),
    loras: await Promise.all(
      loras.map(async (lora) => ({
        ...(await knownLora(lora, cacheDir)),
        weight: lora.weight,
        ...(lora.blocks === undefined ? {} : { blocks: lora.blocks }),
      })),
    ),
    embeddings: [],
  };
}

const filesOf = (weights: Weights): string[] => [
  ...new Set(weights.names.flatMap((name) => weights.get(name)?.file ?? [])),
];
