import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkTensors } from "../../src/checkpoints/compile.js";
import { openWeights } from "../../src/checkpoints/files/open.js";
import {
  SYNTHESIZERS,
  synthesizeClip,
  synthesizeDiffusion,
  synthesizePromptist,
  synthesizeSafetyChecker,
} from "../../src/checkpoints/synthesize.js";
import { diffusionGraphs, StableDiffusion } from "../../src/inference/diffusion/stable-diffusion.js";
import { clipGraphs, Judge, safetyCheckerGraph } from "../../src/inference/judging/judge.js";
import { TorchRandom } from "../../src/inference/numbers/torch-random.js";
import { Promptist, promptistGraph } from "../../src/inference/promptist/promptist.js";
import { ClipTokenizer } from "../../src/inference/tokenizers/tokenizer.js";
import { temporaryFolder } from "./support.js";

/** Real sizes are for benches; a few layers prove that names, scale and files are right. */
const CPU = { name: "cpu", note: null } as const;

const TEXT = {
  architectures: ["CLIPTextModel"],
  model_type: "clip_text_model",
  vocab_size: 1000,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 6,
  num_attention_heads: 4,
  max_position_embeddings: 77,
  hidden_act: "quick_gelu",
  layer_norm_eps: 1e-5,
  projection_dim: 64,
  bos_token_id: 998,
  eos_token_id: 999,
};
const UNET = {
  _class_name: "UNet2DConditionModel",
  sample_size: 8,
  in_channels: 4,
  out_channels: 4,
  block_out_channels: [32, 64, 64],
  down_block_types: ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
  up_block_types: ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
  layers_per_block: 2,
  attention_head_dim: 4,
  cross_attention_dim: 64,
  norm_num_groups: 8,
};
const VAE = {
  _class_name: "AutoencoderKL",
  sample_size: 32,
  in_channels: 3,
  out_channels: 3,
  latent_channels: 4,
  block_out_channels: [16, 32, 32],
  down_block_types: Array(3).fill("DownEncoderBlock2D"),
  up_block_types: Array(3).fill("UpDecoderBlock2D"),
  layers_per_block: 2,
  norm_num_groups: 8,
  scaling_factor: 0.18215,
};
const GPT2 = {
  architectures: ["GPT2LMHeadModel"],
  model_type: "gpt2",
  activation_function: "gelu_new",
  n_positions: 64,
  n_ctx: 64,
  n_embd: 48,
  n_head: 4,
  n_layer: 3,
  layer_norm_epsilon: 1e-5,
  vocab_size: 700,
  bos_token_id: 699,
  eos_token_id: 699,
};

const spread = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

describe("a synthesized Stable Diffusion", () => {
  it("fits the graphs, has a whole autoencoder, and keeps activations at their size", async () => {
    const directory = join(temporaryFolder(), "sd");
    synthesizeDiffusion(directory, { text: TEXT, unet: UNET, vae: VAE }, 3);
    const { files, graphs } = diffusionGraphs(directory);
    for (const part of ["text_encoder", "unet", "vae"] as const)
      checkTensors(graphs[part].graph, files.weights(part, "fp32"), graphs[part].unused);
    const vae = files.weights("vae", "fp32");
    expect(vae.get("encoder.conv_out.weight")!.shape).toEqual([8, 32, 3, 3]);
    expect(new Set(vae.names.map((name) => vae.get(name)!.type))).toEqual(new Set(["F16"]));

    const { ids } = ClipTokenizer.open(join(directory, "tokenizer")).encode("a cat in the rain");
    const model = await StableDiffusion.open({
      directory,
      device: CPU,
      precision: "fp32",
      cacheDir: temporaryFolder(),
      threads: 1,
    });
    try {
      const text = await model.encodeText([ids]);
      const latents = new TorchRandom(0).randn(4 * 8 * 8);
      const noise = await model.predictNoise(latents, [1, 4, 8, 8], 500, text);
      const image = await model.decode(latents, [1, 4, 8, 8]);
      for (const values of [text.data, noise, image]) {
        expect(spread(values)).toBeGreaterThan(0.05);
        expect(spread(values)).toBeLessThan(20);
      }
    } finally {
      await model.release();
    }
  });

  it("is the same for the same seed, and different for another", () => {
    const bytes = (seed: number) => {
      const directory = join(temporaryFolder(), "sd");
      synthesizeDiffusion(directory, { text: TEXT, unet: UNET, vae: VAE }, seed);
      return readFileSync(join(directory, "unet", "diffusion_pytorch_model.fp16.safetensors"));
    };
    expect(bytes(1).equals(bytes(1))).toBe(true);
    expect(bytes(1).equals(bytes(2))).toBe(false);
  });
});

describe("a synthesized Promptist", () => {
  it("fits its graph and rewrites", async () => {
    const directory = join(temporaryFolder(), "promptist");
    synthesizePromptist(directory, GPT2, 0);
    const { graph, weights } = promptistGraph(directory);
    checkTensors(graph, weights);
    const wide = openWeights(directory).readFloat32("transformer.h.0.mlp.c_fc.weight");
    expect(spread(wide)).toBeCloseTo(1 / Math.sqrt(48), 2);
    const promptist = await Promptist.open({
      directory,
      device: CPU,
      weights: "int8",
      cacheDir: temporaryFolder(),
      threads: 1,
    });
    try {
      const settings = {
        mode: "greedy" as const,
        beams: 1,
        maxNewTokens: 4,
        lengthPenalty: -1,
        lengthRule: "hf5" as const,
        repetitionPenalty: 1,
        temperature: 1,
        topK: 50,
        topP: 1,
        seed: 0,
      };
      const [rewrite] = await promptist.optimize(["A cat"], settings);
      expect(rewrite!.candidates.length).toBeGreaterThan(0);
    } finally {
      await promptist.release();
    }
  });
});

describe("synthesized judges", () => {
  const VISION = {
    model_type: "clip_vision_model",
    hidden_size: 48,
    intermediate_size: 96,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_channels: 3,
    image_size: 224,
    patch_size: 56,
    hidden_act: "quick_gelu",
    layer_norm_eps: 1e-5,
    projection_dim: 64,
  };

  it("fit their graphs and judge", async () => {
    const folder = temporaryFolder();
    const [clip, safety] = [join(folder, "clip"), join(folder, "safety_checker")];
    synthesizeClip(clip, { text: TEXT, vision: VISION }, 4);
    synthesizeSafetyChecker(safety, VISION, 5);
    for (const { graph, weights, unused } of [...clipGraphs(clip), safetyCheckerGraph(safety)])
      checkTensors(graph, weights, unused);
    const judge = await Judge.open({
      files: { clip, clipName: "clip", aesthetic: null, safety },
      device: CPU,
      precision: "fp32",
      cacheDir: temporaryFolder(),
      threads: 1,
    });
    try {
      const picture = { pixels: new Uint8Array(3 * 64 * 64).fill(200), width: 64, height: 64 };
      const { relevance, safety: verdict } = await judge.judge(picture, "a cat");
      expect(Math.abs(relevance!)).toBeLessThan(1);
      expect(verdict).toHaveProperty("flagged");
      expect(judge.sharesVision).toBe(false);
      expect(spread((await judge.embedPicture(picture))!)).toBeGreaterThan(0.05);
    } finally {
      await judge.release();
    }
  });
});

it("offers the same names as the command", () => {
  expect(Object.keys(SYNTHESIZERS)).toEqual([
    "promptist",
    "stable-diffusion-v1-5",
    "clip-text",
    "clip",
    "taesd",
    "safety-checker",
    "realesrgan-x4",
  ]);
});
