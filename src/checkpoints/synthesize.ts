import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { clipText, clipTextConfig, clipTextEmbedding } from "../models/clip-text.js";
import { clipVisionConfig, clipVisionEmbedding } from "../models/clip-vision.js";
import { upscaler } from "../models/esrgan.js";
import { gpt2Config, gpt2Graph, gpt2Layout, TRANSPOSED } from "../models/gpt2.js";
import { tinyDecoder, tinyDecoderConfig } from "../models/tiny-decoder.js";
import { unet, unetConfig } from "../models/unet.js";
import { vaeConfig, vaeDecoder } from "../models/vae-decoder.js";
import { toFloat16Bits } from "../onnx/float16.js";
import type { Arithmetic } from "../onnx/graph.js";
import { elementCount } from "./files/element-types.js";
import { type NewTensor, writeSafetensors } from "./files/safetensors.js";
import { SD1_SCHEDULER } from "./layouts/diffusion-files.js";

/*
 * Full-size checkpoints with random weights in the published layouts, for benches without the real ones.
 * Names and shapes come from our graphs, so nothing is listed twice.
 */

/** Arbitrary: shapes do not depend on it. */
const FLOAT32: Arithmetic = { float: "float32" };

type Shapes = ReadonlyMap<string, readonly number[]>;
type Synthesizer = (directory: string, seed: number) => void;

/** microsoft/Promptist: a GPT-2 of the smallest size. */
const PROMPTIST = {
  architectures: ["GPT2LMHeadModel"],
  model_type: "gpt2",
  activation_function: "gelu_new",
  n_positions: 1024,
  n_ctx: 1024,
  n_embd: 768,
  n_head: 12,
  n_layer: 12,
  layer_norm_epsilon: 1e-5,
  vocab_size: 50257,
  bos_token_id: 50256,
  eos_token_id: 50256,
};

const CLIP_TEXT = {
  architectures: ["CLIPTextModel"],
  model_type: "clip_text_model",
  vocab_size: 49408,
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  max_position_embeddings: 77,
  hidden_act: "quick_gelu",
  layer_norm_eps: 1e-5,
  projection_dim: 768,
  bos_token_id: 49406,
  eos_token_id: 49407,
};

/** openai/clip-vit-large-patch14, and the tower of Stable Diffusion's safety checker. */
const CLIP_VISION = {
  model_type: "clip_vision_model",
  hidden_size: 1024,
  intermediate_size: 4096,
  num_hidden_layers: 24,
  num_attention_heads: 16,
  num_channels: 3,
  image_size: 224,
  patch_size: 14,
  hidden_act: "quick_gelu",
  layer_norm_eps: 1e-5,
  projection_dim: 768,
};

const PREPROCESSOR = {
  crop_size: 224,
  do_center_crop: true,
  do_normalize: true,
  do_resize: true,
  feature_extractor_type: "CLIPFeatureExtractor",
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
  resample: 3,
  size: 224,
};

/** Concepts and special-care concepts of the published safety checker. */
const CONCEPTS = 17;
const SPECIAL_CARE = 3;

/** stable-diffusion-v1-5/stable-diffusion-v1-5. */
const UNET = {
  _class_name: "UNet2DConditionModel",
  sample_size: 64,
  in_channels: 4,
  out_channels: 4,
  block_out_channels: [320, 640, 1280, 1280],
  down_block_types: ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
  up_block_types: ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
  layers_per_block: 2,
  attention_head_dim: 8,
  cross_attention_dim: 768,
  norm_num_groups: 32,
};

const VAE = {
  _class_name: "AutoencoderKL",
  sample_size: 512,
  in_channels: 3,
  out_channels: 3,
  latent_channels: 4,
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array(4).fill("DownEncoderBlock2D"),
  up_block_types: Array(4).fill("UpDecoderBlock2D"),
  layers_per_block: 2,
  norm_num_groups: 32,
  scaling_factor: 0.18215,
};

/** madebyollin/taesd, without the encoder. */
const TAESD = {
  _class_name: "AutoencoderTiny",
  latent_channels: 4,
  out_channels: 3,
  decoder_block_out_channels: [64, 64, 64, 64],
  num_decoder_blocks: [3, 3, 3, 1],
};
/** RealESRGAN_x4plus. */
const RRDB = { features: 64, growth: 32, blocks: 23, doublings: 2, unshuffle: 1 };

const PIPELINE = {
  _class_name: "StableDiffusionPipeline",
  requires_safety_checker: false,
  safety_checker: [null, null],
  feature_extractor: [null, null],
  scheduler: ["diffusers", "PNDMScheduler"],
  text_encoder: ["transformers", "CLIPTextModel"],
  tokenizer: ["transformers", "CLIPTokenizer"],
  unet: ["diffusers", "UNet2DConditionModel"],
  vae: ["diffusers", "AutoencoderKL"],
};

/** Checkpoints that `synthesize` writes, under the names that `pull` uses for the real ones. */
export const SYNTHESIZERS: Readonly<Record<string, Synthesizer>> = {
  promptist: (directory, seed) => synthesizePromptist(directory, PROMPTIST, seed),
  "stable-diffusion-v1-5": (directory, seed) =>
    synthesizeDiffusion(directory, { text: CLIP_TEXT, unet: UNET, vae: VAE }, seed),
  "clip-text": (directory, seed) => {
    writeJson(join(directory, "config.json"), CLIP_TEXT);
    writeWeights(join(directory, "model.safetensors"), textShapes(CLIP_TEXT), "F32", seed);
    writeClipTokenizer(directory, CLIP_TEXT.vocab_size);
  },
  clip: (directory, seed) => synthesizeClip(directory, { text: CLIP_TEXT, vision: CLIP_VISION }, seed),
  taesd: (directory, seed) => {
    writeJson(join(directory, "config.json"), TAESD);
    const shapes = tinyDecoder(tinyDecoderConfig.parse(TAESD), FLOAT32).sources;
    writeWeights(join(directory, "diffusion_pytorch_model.safetensors"), shapes, "F32", seed);
  },
  "safety-checker": (directory, seed) => synthesizeSafetyChecker(directory, CLIP_VISION, seed),
  "realesrgan-x4": (directory, seed) =>
    writeWeights(
      join(directory, "RealESRGAN_x4plus.safetensors"),
      upscaler({ kind: "rrdb", ...RRDB }, FLOAT32).sources,
      "F32",
      seed,
    ),
};

/** A GPT-2 with float32 weights and a byte-pair vocabulary of its size. */
export function synthesizePromptist(directory: string, config: typeof PROMPTIST, seed: number): void {
  const shapes = gpt2Graph(gpt2Config.parse(config), FLOAT32, gpt2Layout("fp32", "cpu")).sources;
  writeJson(join(directory, "config.json"), config);
  writeJson(join(directory, "generation_config.json"), {
    bos_token_id: config.bos_token_id,
    eos_token_id: config.eos_token_id,
  });
  writeWeights(join(directory, "model.safetensors"), shapes, "F32", seed);
  const alphabet = BYTE_CHARACTERS;
  const end = "<|endoftext|>";
  const merges = pairs(alphabet, alphabet, config.vocab_size - alphabet.length - 1);
  writeVocabulary(directory, [...alphabet, ...merges.map(join2), end], merges);
  writeJson(join(directory, "tokenizer_config.json"), {
    tokenizer_class: "GPT2Tokenizer",
    model_max_length: config.n_positions,
    bos_token: end,
    eos_token: end,
    unk_token: end,
  });
}

/** A Stable Diffusion pipeline with float16 weights. */
export function synthesizeDiffusion(
  directory: string,
  { text, unet: unetJson, vae }: { text: typeof CLIP_TEXT; unet: typeof UNET; vae: typeof VAE },
  seed: number,
): void {
  writeJson(join(directory, "model_index.json"), PIPELINE);
  writeJson(join(directory, "scheduler", "scheduler_config.json"), SD1_SCHEDULER);
  writeJson(join(directory, "text_encoder", "config.json"), text);
  writeJson(join(directory, "unet", "config.json"), unetJson);
  writeJson(join(directory, "vae", "config.json"), vae);
  writeClipTokenizer(join(directory, "tokenizer"), text.vocab_size);
  const model = "diffusion_pytorch_model.fp16.safetensors";
  writeWeights(join(directory, "text_encoder", "model.fp16.safetensors"), textShapes(text), "F16", seed);
  const unetShapes = unet(unetConfig.parse(unetJson), FLOAT32).sources;
  writeWeights(join(directory, "unet", model), unetShapes, "F16", seed + 1);
  const decoder = vaeDecoder(vaeConfig.parse(vae), FLOAT32, 1).sources;
  writeWeights(
    join(directory, "vae", model),
    new Map([...vaeEncoderShapes(vae), ...decoder]),
    "F16",
    seed + 2,
  );
}

/** A CLIP with both towers and float32 weights, like OpenAI's. */
export function synthesizeClip(
  directory: string,
  { text, vision }: { text: typeof CLIP_TEXT; vision: typeof CLIP_VISION },
  seed: number,
): void {
  const { projection_dim } = text;
  writeJson(join(directory, "config.json"), {
    architectures: ["CLIPModel"],
    model_type: "clip",
    text_config: text,
    vision_config: vision,
    projection_dim,
    logit_scale_init_value: 2.6592,
  });
  writeJson(join(directory, "preprocessor_config.json"), PREPROCESSOR);
  writeClipTokenizer(directory, text.vocab_size);
  const texts = clipTextEmbedding(clipTextConfig.parse(text), FLOAT32, projection_dim).sources;
  const shapes = new Map([...texts, ...visionShapes(vision), ["logit_scale", []] as const]);
  writeWeights(join(directory, "model.safetensors"), shapes, "F32", seed);
}

/** The folder `safety_checker` of a pipeline, with float16 weights. */
export function synthesizeSafetyChecker(directory: string, vision: typeof CLIP_VISION, seed: number): void {
  const { projection_dim: D } = vision;
  writeJson(join(directory, "config.json"), {
    architectures: ["StableDiffusionSafetyChecker"],
    model_type: "clip",
    vision_config: vision,
    projection_dim: D,
  });
  const nested = [...visionShapes(vision)].map(
    ([name, shape]) => [name.replace(/^vision_model\./, "vision_model.vision_model."), shape] as const,
  );
  const shapes = new Map<string, readonly number[]>([
    ...nested,
    ["concept_embeds", [CONCEPTS, D]],
    ["concept_embeds_weights", [CONCEPTS]],
    ["special_care_embeds", [SPECIAL_CARE, D]],
    ["special_care_embeds_weights", [SPECIAL_CARE]],
  ]);
  writeWeights(join(directory, "model.fp16.safetensors"), shapes, "F16", seed);
}

const visionShapes = (config: typeof CLIP_VISION): Shapes =>
  clipVisionEmbedding(clipVisionConfig.parse(config), FLOAT32, config.projection_dim).sources;

const textShapes = (config: typeof CLIP_TEXT): Shapes =>
  clipText(clipTextConfig.parse(config), FLOAT32).sources;

/**
 * The half of an autoencoder that this program never runs, named like diffusers' Encoder and `quant_conv`.
 */
function vaeEncoderShapes(config: typeof VAE): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const conv = (name: string, from: number, to: number, kernel: number) =>
    shapes.set(`${name}.weight`, [to, from, kernel, kernel]).set(`${name}.bias`, [to]);
  const vector = (name: string, size: number) =>
    shapes.set(`${name}.weight`, [size]).set(`${name}.bias`, [size]);
  const resnet = (name: string, from: number, to: number) => {
    vector(`${name}.norm1`, from);
    conv(`${name}.conv1`, from, to, 3);
    vector(`${name}.norm2`, to);
    conv(`${name}.conv2`, to, to, 3);
    if (from !== to) conv(`${name}.conv_shortcut`, from, to, 1);
  };
  const { block_out_channels: channels, latent_channels: Z } = config;
  let C = channels[0] as number;
  conv("encoder.conv_in", config.in_channels, C, 3);
  for (const [level, to] of channels.entries()) {
    for (let i = 0; i < config.layers_per_block; i++) {
      resnet(`encoder.down_blocks.${level}.resnets.${i}`, C, to);
      C = to;
    }
    if (level < channels.length - 1) conv(`encoder.down_blocks.${level}.downsamplers.0.conv`, C, C, 3);
  }
  for (const i of [0, 1]) resnet(`encoder.mid_block.resnets.${i}`, C, C);
  vector("encoder.mid_block.attentions.0.group_norm", C);
  for (const name of ["to_q", "to_k", "to_v", "to_out.0"])
    shapes
      .set(`encoder.mid_block.attentions.0.${name}.weight`, [C, C])
      .set(`encoder.mid_block.attentions.0.${name}.bias`, [C]);
  vector("encoder.conv_norm_out", C);
  conv("encoder.conv_out", C, 2 * Z, 3);
  conv("quant_conv", 2 * Z, 2 * Z, 1);
  return shapes;
}

/** Streams random tensors to a file; memory holds one at a time. */
function writeWeights(path: string, shapes: Shapes, type: "F16" | "F32", seed: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const random = new RandomBits(seed);
  const tensors = [...shapes].map(
    ([name, shape]): NewTensor => ({
      name,
      type,
      shape,
      data: () => randomTensor(random, name, shape, type),
    }),
  );
  writeSafetensors(path, tensors);
}

/**
 * Standard deviation of vectors (biases, and the deviation of norms from 1) and of embeddings, as GPT-2
 * initialises them.
 */
const SMALL = 0.02;
/** For the last layer before a residual sum; smaller, so that dozens of sums don't grow. */
const RESIDUAL = /(c_proj|out_proj|to_out\.0|conv2|ff\.net\.2|proj_out|fc2)\.weight$/;
const RESIDUAL_GAIN = 0.3;

/** Uniform numbers, scaled so that each layer keeps the magnitude of its input. */
function randomTensor(
  random: RandomBits,
  name: string,
  shape: readonly number[],
  type: "F16" | "F32",
): Uint8Array {
  const isMatrix = shape.length >= 2;
  const isTransposed = TRANSPOSED.some((transposed) => name.endsWith(`.${transposed}`));
  const fanIn = isTransposed ? shape[0]! : elementCount(shape.slice(1));
  const isEmbedding = /(embedding|wte|wpe)\.weight$/.test(name);
  const deviation =
    !isMatrix || isEmbedding ? SMALL : (RESIDUAL.test(name) ? RESIDUAL_GAIN : 1) / Math.sqrt(fanIn);
  const mean = !isMatrix && name.endsWith(".weight") ? 1 : 0;
  const value = (i: number) => mean + deviation * Math.sqrt(3) * ((2 * i + 1) / LEVELS - 1);
  const count = elementCount(shape);
  if (type === "F32") {
    const table = Float32Array.from({ length: LEVELS }, (_, i) => value(i));
    return random.pick(table, new Float32Array(count));
  }
  const table = Uint16Array.from({ length: LEVELS }, (_, i) => toFloat16Bits(value(i)));
  return random.pick(table, new Uint16Array(count));
}

/** Number of distinct values in a tensor; each 32 random bits make two picks. */
const LEVELS = 4096;

/** Marsaglia's xorshift32 (2003): fast, and good enough for filling memory. */
class RandomBits {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0;
  }

  /** Fills `target` with random entries of `table`; returns its bytes. */
  pick<T extends Float32Array | Uint16Array>(table: T, target: T): Uint8Array {
    let state = this.#state;
    for (let i = 0; i < target.length; i += 2) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      target[i] = table[state & (LEVELS - 1)]!;
      if (i + 1 < target.length) target[i + 1] = table[(state >>> 16) & (LEVELS - 1)]!;
    }
    this.#state = state;
    return new Uint8Array(target.buffer);
  }
}

/**
 * Bytes as GPT-2 and CLIP spell them in vocab.json: printable ones unchanged, the others from U+0100 up.
 */
const BYTE_CHARACTERS: readonly string[] = (() => {
  const isPrintable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const printable = bytes.filter(isPrintable);
  const others = bytes.filter((byte) => !isPrintable(byte)).map((_, i) => 0x100 + i);
  return [...printable, ...others].map((code) => String.fromCharCode(code));
})();

type Pair = readonly [string, string];
const join2 = ([left, right]: Pair): string => left + right;

/** The first `count` pairs: a vocabulary of the right size, though not one learned from a corpus. */
const pairs = (left: readonly string[], right: readonly string[], count: number): Pair[] =>
  left.flatMap((a) => right.map((b): Pair => [a, b])).slice(0, count);

function writeClipTokenizer(directory: string, size: number): void {
  const inside = BYTE_CHARACTERS;
  const last = inside.map((character) => `${character}</w>`);
  const special = ["<|startoftext|>", "<|endoftext|>"];
  const merges = pairs(inside, last, size - inside.length - last.length - special.length);
  writeVocabulary(directory, [...inside, ...last, ...merges.map(join2), ...special], merges);
  const [start, end] = special;
  const config = { model_max_length: 77, bos_token: start, eos_token: end, unk_token: end, pad_token: end };
  writeJson(join(directory, "tokenizer_config.json"), { tokenizer_class: "CLIPTokenizer", ...config });
}

function writeVocabulary(directory: string, tokens: readonly string[], merges: readonly Pair[]): void {
  writeJson(join(directory, "vocab.json"), Object.fromEntries(tokens.map((token, id) => [token, id])));
  const lines = merges.map(([left, right]) => `${left} ${right}`);
  writeFileSync(join(directory, "merges.txt"), `#version: 0.2\n${lines.join("\n")}\n`);
}

function writeJson(path: string, value: object): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
