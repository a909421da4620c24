import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openWeights } from "../../src/checkpoints/files/open.js";
import { writeSafetensors } from "../../src/checkpoints/files/safetensors.js";

const UNET = fileURLToPath(new URL("../../checkpoints/miniature/stable-diffusion/unet", import.meta.url));
const RANK = 2;

/**
 * Writes a LoRA with made-up numbers into `loras/` of a folder of checkpoints, under a name as published.
 * @param textWidth numbers of a token's text; the miniature's has 192
 */
export function writeTurboLora(
  checkpointsDir: string,
  name = "lcm-lora-sdv1-5",
  textWidth: number | null = null,
): void {
  const folder = join(checkpointsDir, "loras");
  mkdirSync(folder, { recursive: true });
  const unet = openWeights(UNET);
  const tensors = unet.names
    .filter((key) => /attn2\.to_[kv]\.weight$/.test(key))
    .flatMap((key) => {
      const [rows = 0, columns = 0] = unet.get(key)!.shape;
      const stem = `lora_unet_${key.replace(/\.weight$/, "").replaceAll(".", "_")}`;
      return [
        tensor(`${stem}.lora_down.weight`, [RANK, textWidth ?? columns]),
        tensor(`${stem}.lora_up.weight`, [rows, RANK]),
      ];
    });
  writeSafetensors(join(folder, `${name}.safetensors`), tensors);
}

/** The same numbers in each run, from -0.1 to 0.1. */
function tensor(name: string, shape: readonly [number, number]) {
  const values = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => 0.1 * Math.sin(1 + 3 * i));
  return { name, type: "F32" as const, shape, data: new Uint8Array(values.buffer) };
}
