import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { createScheduler } from "../../src/inference/diffusion/schedulers/create.js";
import { StableDiffusion } from "../../src/inference/diffusion/stable-diffusion.js";

/** Unsupported settings are refused by name before weights are read; none is silently ignored. */
const folder = mkdtempSync(join(tmpdir(), "refused-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const published = fileURLToPath(new URL("../golden/sd-small/sd1", import.meta.url));

let copies = 0;
function changed(part: string, changes: Record<string, unknown>): string {
  const directory = join(folder, String(copies++));
  cpSync(published, directory, { recursive: true });
  const path = join(directory, part, "config.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...changes }));
  return directory;
}

it.each([
  ["unet", { resnet_time_scale_shift: "scale_shift" }, /resnet_time_scale_shift/],
  ["unet", { class_embed_type: "timestep" }, /class_embed_type/],
  ["unet", { dual_cross_attention: true }, /dual_cross_attention/],
  ["unet", { time_cond_proj_dim: 256 }, /time_cond_proj_dim/],
  ["unet", { layers_per_block: [1, 2, 2, 1] }, /layers_per_block/],
  ["unet", { down_block_types: Array(4).fill("AttnDownBlock2D") }, /down_block_types/],
  ["unet", { cross_attention_dim: 32 }, /unet cross_attention_dim is 32 and text_encoder hidden_size 24/],
  ["unet", { out_channels: 8 }, /unet out_channels is 8 and unet in_channels 4/],
  ["vae", { latent_channels: 16 }, /unet in_channels is 4 and vae latent_channels 16/],
  ["vae", { shift_factor: 0.1 }, /shift_factor/],
  ["vae", { norm_num_groups: 3 }, /multiple of norm_num_groups/],
  ["vae", { out_channels: 1 }, /out_channels/],
  ["text_encoder", { hidden_act: "relu" }, /hidden_act/],
  ["text_encoder", { num_attention_heads: 5 }, /multiple of num_attention_heads/],
])("%s %j", async (part, changes, message) => {
  const directory = changed(part, changes);
  const opened = StableDiffusion.open({
    directory,
    device: { name: "cpu", note: null },
    precision: "fp32",
    cacheDir: join(folder, "graphs"),
    threads: 1,
  });
  await expect(opened).rejects.toMatchObject({
    code: "CHECKPOINT_ARCHITECTURE",
    message: expect.stringMatching(message),
  });
});

it.each([
  ["ddim", { thresholding: true }],
  ["lcm", { thresholding: true }],
  ["dpm++2m", { variance_type: "learned_range" }],
  ["dpm++2m", { use_dynamic_shifting: true }],
  ["dpm++2m", { algorithm_type: "sde-dpmsolver++" }],
  ["euler", { use_exponential_sigmas: true }],
  ["pndm", { prediction_type: "sample" }],
  ["pndm", { beta_schedule: "sigmoid" }],
] as const)("scheduler %s %j", (name, changes) => {
  expect(() => createScheduler(name, changes)).toThrow(Object.keys(changes)[0]);
});
