import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openWeightFile } from "../../src/checkpoints/files/open.js";
import { writeSafetensors } from "../../src/checkpoints/files/safetensors.js";

const VALUES = /(to_v|attentions\.0\.value)\.weight$/;
const OUTPUTS = /(to_out\.0|proj_attn)\.weight$/;

/**
 * Copies a pipeline's folder with attention whose values are `2 ** factor` times as large, and its output layers
 * smaller by as much as float16 weights can be. What it computes is finite, but not in half precision: from 14
 * on the values exceed 65504, with 18 the weights themselves do.
 */
export function overflowingCheckpoint(
  from: string,
  to: string,
  part: "unet" | "vae",
  factor: number,
): string {
  cpSync(from, to, { recursive: true });
  const folder = join(to, part);
  const [name] = readdirSync(folder).filter((file) => file.endsWith(".safetensors"));
  const weights = openWeightFile(join(folder, name!));
  const scaled = weights.names.map((key) => {
    const by = VALUES.test(key) ? 2 ** factor : OUTPUTS.test(key) ? 2 ** -Math.min(factor, 10) : 1;
    const values = weights.readFloat32(key).map((value) => value * by);
    return {
      name: key,
      type: "F32" as const,
      shape: weights.get(key)!.shape,
      data: new Uint8Array(values.buffer),
    };
  });
  rmSync(join(folder, name!));
  writeSafetensors(join(folder, name!.replace(".fp16", "")), scaled);
  return to;
}
