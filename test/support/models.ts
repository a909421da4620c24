import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSafetensors, writeSafetensors } from "../../src/checkpoints/files/safetensors.js";

/** Models for tests that are as small as the miniature, and draw something else. */

const MINIATURE = fileURLToPath(new URL("../../checkpoints/miniature/stable-diffusion/", import.meta.url));
const UNET = join("unet", "diffusion_pytorch_model.fp16.safetensors");

/** Width of the miniature's text, and of the first level of its UNet. */
const TEXT_WIDTH = 192;
const UNET_WIDTH = 96;

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer);

/** A copy of the miniature in a new folder, whose UNet predicts `shift` more noise everywhere. */
export function shiftedModel(folder: string, shift = 0.1): string {
  cpSync(MINIATURE, folder, { recursive: true });
  const weights = openSafetensors(join(MINIATURE, UNET));
  rmSync(join(folder, UNET));
  writeSafetensors(
    join(folder, UNET),
    weights.names.map((name) => {
      const { type, shape } = weights.get(name)!;
      if (name !== "conv_out.bias") return { name, type, shape, data: weights.read(name) };
      const values = weights.readFloat32(name).map((value) => value + shift);
      return { name, type: "F32" as const, shape, data: bytesOf(values) };
    }),
  );
  return folder;
}

/** A LoRA of rank 1 for the miniature, in kohya's names; of another width, it fits no model here. */
export function smallLora(file: string, width = UNET_WIDTH): string {
  mkdirSync(dirname(file), { recursive: true });
  const wave = (length: number, scale: number) =>
    Float32Array.from({ length }, (_, i) => scale * Math.sin(i));
  const module = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";
  writeSafetensors(file, [
    {
      name: `${module}.lora_down.weight`,
      type: "F32",
      shape: [1, TEXT_WIDTH],
      data: bytesOf(wave(TEXT_WIDTH, 1)),
    },
    { name: `${module}.lora_up.weight`, type: "F32", shape: [width, 1], data: bytesOf(wave(width, 1)) },
    { name: `${module}.alpha`, type: "F32", shape: [], data: bytesOf(Float32Array.of(1)) },
  ]);
  return file;
}
