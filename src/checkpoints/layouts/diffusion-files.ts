import { existsSync, statSync } from "node:fs";
import { dirname, join, parse } from "node:path";
import type { z } from "zod";
import { CheckpointError } from "../../core/errors.js";
import { type UnetConfig, unetConfig } from "../../models/unet.js";
import { type VaeConfig, vaeConfig } from "../../models/vae-decoder.js";
import { openWeightFile, openWeights, type Preference, variantNote } from "../files/open.js";
import type { Weights } from "../files/weights.js";
import { requireStableDiffusion, requireTextToImage } from "./architecture.js";
import { parseConfig, readConfig, readJson } from "./config.js";
import { singleFileParts, vaeOfFile } from "./ldm.js";
import { clipTextWeights, vaeWeights, withoutWrapper } from "./names.js";
import { predictionTypeOf } from "./prediction-type.js";
import { descaled } from "./scaled.js";

/** The models of a pipeline, by their folder names in diffusers' layout. */
export type DiffusionPart = "text_encoder" | "unet" | "vae";
export const DIFFUSION_PARTS: readonly DiffusionPart[] = ["text_encoder", "unet", "vae"];

/** A Stable Diffusion checkpoint as its graphs need it, from a folder or a single file. */
export interface DiffusionFiles {
  /** Absolute path of the folder or file. */
  readonly source: string;
  /** A model's configuration. Throws CheckpointError CHECKPOINT_MISSING, _CORRUPT or _ARCHITECTURE. */
  config<S extends z.ZodType>(part: DiffusionPart, schema: S): z.output<S>;
  scheduler(): Record<string, unknown>;
  /** Sentences on files that were chosen among several; they stop nothing. */
  notes(): readonly string[];
  /** Sentences on what the files leave open and how it is taken. */
  assumptions(): readonly string[];
  /** A model's tensors under the names that its graph uses. Throws CheckpointError like `openWeights`. */
  weights(part: DiffusionPart, prefer: Preference): Weights;
}

export const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/**
 * Opens a folder in diffusers' layout, or a single file with the names of the original latent-diffusion code.
 * Only headers are read.
 * @param vae a folder or file whose VAE replaces the checkpoint's own; without it, a file NAME.vae.safetensors
 *   (or .pt, .ckpt) beside the single file NAME.safetensors does
 * @throws CheckpointError if it is not a pipeline like Stable Diffusion 1.5, or the VAE is none of its kind
 */
export function openDiffusion(path: string, vae: string | null = null): DiffusionFiles {
  if (isFile(path)) return singleFile(path, vae ?? sidecarVae(path));
  const files = folder(path);
  return vae === null ? files : withVae(files, openVae(vae));
}

/** Latents of a side: diffusers' default for a UNet that names none. */
export const sampleSizeOf = ({ sample_size: size }: UnetConfig): number => size ?? 64;

/** Pixels of a latent's side. */
export const vaeScaleFactorOf = ({ block_out_channels: channels }: VaeConfig): number =>
  2 ** (channels.length - 1);

/** Pixels of a side of the pictures that a checkpoint was trained on. Throws CheckpointError. */
export function ownSide(path: string, vae: string | null = null): number {
  const files = openDiffusion(path, vae);
  return sampleSizeOf(files.config("unet", unetConfig)) * vaeScaleFactorOf(files.config("vae", vaeConfig));
}

const VIEWS: Readonly<Record<DiffusionPart, (weights: Weights) => Weights>> = {
  text_encoder: clipTextWeights,
  unet: (weights) => weights,
  vae: vaeWeights,
};

/** A model's tensors as they are meant, under the names of its file. */
const meant = (weights: Weights): Weights => descaled(withoutWrapper(weights));

function folder(directory: string): DiffusionFiles {
  requireStableDiffusion(directory);
  return {
    source: directory,
    config: (part, schema) => readConfig(join(directory, part), "config.json", schema),
    scheduler: () =>
      readJson(join(directory, "scheduler", "scheduler_config.json")) as Record<string, unknown>,
    notes: () =>
      DIFFUSION_PARTS.map((part) => variantNote(join(directory, part))).filter((note) => note !== null),
    assumptions: () => [],
    weights: (part, prefer) => VIEWS[part](meant(openWeights(join(directory, part), { prefer }))),
  };
}

/** A VAE apart from its checkpoint. */
interface VaeFiles {
  config<S extends z.ZodType>(schema: S): z.output<S>;
  weights(prefer: Preference): Weights;
}

/**
 * Opens a VAE in a folder in diffusers' layout, or in a file. A file's sizes come from `vae/config.json` beside
 * it, as for a single-file checkpoint, else from the tensors.
 */
function openVae(path: string): VaeFiles {
  if (!isFile(path))
    return {
      config: (schema) => readConfig(path, "config.json", schema),
      weights: (prefer) => VIEWS.vae(meant(openWeights(path, { prefer }))),
    };
  const weights = VIEWS.vae(vaeOfFile(meant(openWeightFile(path))));
  const beside = join(dirname(path), "vae");
  return {
    config: (schema) =>
      existsSync(join(beside, "config.json"))
        ? readConfig(beside, "config.json", schema)
        : parseConfig(path, CONFIG_FROM_SHAPES.vae(weights), schema),
    weights: () => weights,
  };
}

const withVae = (files: DiffusionFiles, vae: VaeFiles): DiffusionFiles => ({
  ...files,
  config: (part, schema) => (part === "vae" ? vae.config(schema) : files.config(part, schema)),
  weights: (part, prefer) => (part === "vae" ? vae.weights(prefer) : files.weights(part, prefer)),
});

/** The VAE that lies beside a single file under its name, as other programs find it. */
export function sidecarVae(path: string): string | null {
  const { dir, name } = parse(path);
  const candidates = ["safetensors", "pt", "ckpt", "pth", "bin"].map((end) =>
    join(dir, `${name}.vae.${end}`),
  );
  return candidates.find(isFile) ?? null;
}

/**
 * Every key of `scheduler/scheduler_config.json` as Stable Diffusion 1.5 is published, which diffusers'
 * `from_single_file` takes too. A key left out would fall back to a default of the chosen class: DDIM would
 * clip latents.
 */
export const SD1_SCHEDULER = {
  _class_name: "PNDMScheduler",
  _diffusers_version: "0.6.0",
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
};

/**
 * A single file describes its models only by the shapes of their tensors. The rest (heads, groups) is assumed
 * to be Stable Diffusion 1.x's, unless diffusers' configuration files are beside the file
 * (`unet/config.json`, ...).
 */
function singleFile(path: string, otherVae: string | null): DiffusionFiles {
  const file = meant(openWeightFile(path));
  const { textEncoder, unet, vae } = singleFileParts(file);
  if (vae === null && otherVae === null) throw withoutVae(path);
  const parts = {
    text_encoder: VIEWS.text_encoder(textEncoder),
    unet: VIEWS.unet(unet),
    vae: vae && VIEWS.vae(vae),
  };
  requireTextToImage(path, parts.unet.get("conv_in.weight")?.shape[1]);
  const beside = (part: string, name: string) => join(dirname(path), part, name);
  const own = (part: DiffusionPart): Weights => {
    const weights = parts[part];
    if (weights === null) throw withoutVae(path);
    return weights;
  };
  const schedulerFile = beside("scheduler", "scheduler_config.json");
  const files: DiffusionFiles = {
    source: path,
    config: (part, schema) =>
      existsSync(beside(part, "config.json"))
        ? readConfig(join(dirname(path), part), "config.json", schema)
        : parseConfig(path, CONFIG_FROM_SHAPES[part](own(part)), schema),
    scheduler: () => {
      if (existsSync(schedulerFile)) return readJson(schedulerFile) as Record<string, unknown>;
      const { prediction_type, rescale_betas_zero_snr } = predictionTypeOf(path, file);
      return { ...SD1_SCHEDULER, prediction_type, rescale_betas_zero_snr };
    },
    notes: () => [],
    assumptions: () => {
      const isSaid = existsSync(schedulerFile) || predictionTypeOf(path, file).saidBy !== null;
      return isSaid ? [] : [assumesEpsilon(path)];
    },
    weights: own,
  };
  return otherVae === null ? files : withVae(files, openVae(otherVae));
}

const withoutVae = (path: string): CheckpointError =>
  new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `${path} holds no VAE (no tensors first_stage_model.*). Name one with --vae or VAE, or put it beside the file as ${parse(path).name}.vae.safetensors.`,
  );

const assumesEpsilon = (path: string): string =>
  `${path} does not say what it was trained to predict; epsilon is assumed, as of every Stable Diffusion 1.x. If its author calls it a v-prediction model, put its .yaml beside it under the same name.`;

/** Shape of a tensor that every model of the family has. */
function shapeOf(weights: Weights, name: string): readonly number[] {
  const shape = weights.get(name)?.shape;
  if (shape !== undefined) return shape;
  throw new CheckpointError(
    "CHECKPOINT_TENSORS",
    `${weights.source} has no tensor "${name}" under the name of a single-file checkpoint.`,
  );
}

/** How many there are of `prefix.0`, `prefix.1`, ... */
function countOf(weights: Weights, prefix: string): number {
  for (let count = 0; ; count++)
    if (!weights.names.some((name) => name.startsWith(`${prefix}.${count}.`))) return count;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

const CONFIG_FROM_SHAPES: Readonly<Record<DiffusionPart, (weights: Weights) => object>> = {
  text_encoder: (weights) => {
    const embeddings = "text_model.embeddings";
    const [vocab_size, hidden_size] = shapeOf(weights, `${embeddings}.token_embedding.weight`);
    return {
      vocab_size,
      hidden_size,
      intermediate_size: shapeOf(weights, "text_model.encoder.layers.0.mlp.fc1.weight")[0],
      num_hidden_layers: countOf(weights, "text_model.encoder.layers"),
      num_attention_heads: Math.max(1, Math.round((hidden_size ?? 0) / CLIP_HEAD_SIZE)),
      max_position_embeddings: shapeOf(weights, `${embeddings}.position_embedding.weight`)[0],
      hidden_act: "quick_gelu",
    };
  },
  unet: (weights) => {
    const levels = numbers(countOf(weights, "down_blocks"));
    const hasAttention = (block: string) => countOf(weights, `${block}.attentions`) > 0;
    const attended = levels.find((level) => hasAttention(`down_blocks.${level}`)) ?? 0;
    const attention = `down_blocks.${attended}.attentions.0`;
    return {
      sample_size: 64,
      in_channels: shapeOf(weights, "conv_in.weight")[1],
      out_channels: shapeOf(weights, "conv_out.weight")[0],
      block_out_channels: levels.map(
        (level) => shapeOf(weights, `down_blocks.${level}.resnets.0.conv1.weight`)[0],
      ),
      down_block_types: levels.map((level) =>
        hasAttention(`down_blocks.${level}`) ? "CrossAttnDownBlock2D" : "DownBlock2D",
      ),
      up_block_types: levels.map((level) =>
        hasAttention(`up_blocks.${level}`) ? "CrossAttnUpBlock2D" : "UpBlock2D",
      ),
      layers_per_block: countOf(weights, "down_blocks.0.resnets"),
      transformer_layers_per_block: countOf(weights, `${attention}.transformer_blocks`),
      cross_attention_dim: shapeOf(weights, `${attention}.transformer_blocks.0.attn2.to_k.weight`)[1],
      use_linear_projection: shapeOf(weights, `${attention}.proj_in.weight`).length === 2,
      attention_head_dim: 8,
    };
  },
  vae: (weights) => {
    const levels = numbers(countOf(weights, "decoder.up_blocks"));
    const channels = levels.map(
      (level) => shapeOf(weights, `decoder.up_blocks.${level}.resnets.0.conv1.weight`)[0],
    );
    return {
      out_channels: shapeOf(weights, "decoder.conv_out.weight")[0],
      latent_channels: shapeOf(weights, "decoder.conv_in.weight")[1],
      block_out_channels: channels.toReversed(),
      up_block_types: levels.map(() => "UpDecoderBlock2D"),
      layers_per_block: countOf(weights, "decoder.up_blocks.0.resnets") - 1,
      use_post_quant_conv: weights.get("post_quant_conv.weight") !== undefined,
    };
  },
};

/** Width of a head in every published CLIP text encoder. */
const CLIP_HEAD_SIZE = 64;
