import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSafetensors } from "../../../../src/checkpoints/files/safetensors.js";
import { openDiffusion } from "../../../../src/checkpoints/layouts/diffusion-files.js";

const BASE = fileURLToPath(new URL("../../../golden/sd-small/sd1/", import.meta.url));

/** The small checkpoint's weights, which adapters are merged into. */
export function smallBases() {
  const files = openDiffusion(BASE);
  return { unet: files.weights("unet", "fp32"), text_encoder: files.weights("text_encoder", "fp32") };
}

/** Writes a file whose tensors hold ones. */
export function writeOnes(
  folder: string,
  tensors: Readonly<Record<string, readonly number[]>>,
  name = "lora.safetensors",
): string {
  const path = join(folder, name);
  const described = Object.entries(tensors).map(([key, shape]) => {
    const data = new Uint8Array(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1).buffer);
    return { name: key, type: "F32" as const, shape, data };
  });
  writeSafetensors(path, described);
  return path;
}
