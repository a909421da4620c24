import { CheckpointError } from "../../core/errors.js";
import type { Weights } from "../files/weights.js";
import { type Rename, renamed } from "./names.js";

/*
 * Single-file checkpoints name tensors like the original latent-diffusion code (CompVis, 2022):
 * `model.diffusion_model.*` (UNet), `first_stage_model.*` (VAE), `cond_stage_model.transformer.*` (CLIP's
 * text encoder). This file gives the same tensors the names of diffusers' folders, for any depth and number
 * of levels.
 */

/**
 * The three models of a single file, by diffusers' names; pass them to `clipTextWeights` and `vaeWeights`
 * like folders.
 */
export interface SingleFileParts {
  readonly textEncoder: Weights;
  readonly unet: Weights;
  /** Null if the file has none. */
  readonly vae: Weights | null;
}

const UNET = "model.diffusion_model.";
const VAE = "first_stage_model.";
const TEXT = "cond_stage_model.transformer.";

/** Names that only models of other families have. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/^conditioner\.embedders\./, "of the Stable Diffusion XL family"],
  [/^cond_stage_model\.model\./, "of the Stable Diffusion 2.x family"],
  [/^(model\.diffusion_model\.)?joint_blocks\./, "of the Stable Diffusion 3 family"],
  [/^(model\.diffusion_model\.)?(double|single)_blocks\./, "of the Flux family"],
];

const WHOLE = "Give a whole Stable Diffusion 1.x checkpoint.";
/** What a file without the UNet's names is, and what to do with it. */
const PARTS: readonly (readonly [RegExp, string, string])[] = [
  [/(^lora_|\.lora_|_lora\.|\.hada_w|\.lokr_w)/, "is a LoRA", "Give it with --lora, beside a checkpoint."],
  [/^(control_model|controlnet)\./, "is a ControlNet", WHOLE],
  [/^(emb_params|string_to_param|clip_[lg])(\.|$)/, "is an embedding (textual inversion)", WHOLE],
  [
    /^model_ema\./,
    "holds averaged weights (model_ema.*) alone",
    "Take the file of the same model whose names begin with model.diffusion_model.",
  ],
  [
    /^(unet\.|diffusion_model\.|down_blocks\.|input_blocks\.)/,
    "is a UNet alone",
    "Take the whole checkpoint, or the folder with its text encoder and VAE.",
  ],
  [
    /^(first_stage_model\.)?(decoder|encoder)\.(conv_in|mid|up|down)/,
    "is a VAE alone",
    "Give it with --vae, beside a checkpoint.",
  ],
  [
    /^(cond_stage_model\.transformer\.|text_model\.|transformer\.)/,
    "is a text encoder alone",
    "Take the whole checkpoint.",
  ],
];

/** True if the tensors have the names of the original latent-diffusion code. */
export const isSingleFile = (weights: Weights): boolean =>
  weights.names.some((name) => name.startsWith(UNET));

/**
 * Views of a single-file Stable Diffusion 1.x checkpoint. Averaged copies (`model_ema.*`) and the noise
 * schedule are left out. Throws CheckpointError CHECKPOINT_ARCHITECTURE for a file without these parts, or of
 * the 2.x or XL family.
 */
export function singleFileParts(weights: Weights): SingleFileParts {
  const has = (prefix: string) => weights.names.some((name) => name.startsWith(prefix));
  const refused = (what: string) =>
    new CheckpointError("CHECKPOINT_ARCHITECTURE", `${weights.source} ${what}`);
  const wanted = "a Stable Diffusion 1.x checkpoint with its UNet, VAE and text encoder is wanted";
  const other = OTHERS.find(([pattern]) => weights.names.some((name) => pattern.test(name)));
  if (other) throw refused(`is ${other[1]}; ${wanted}.`);
  if (!has(UNET)) {
    const part = PARTS.find(([pattern]) => weights.names.some((name) => pattern.test(name)));
    if (part) throw refused(`${part[1]}, no whole checkpoint. ${part[2]}`);
  }
  const missing = [UNET, TEXT].filter((prefix) => !has(prefix));
  if (missing.length > 0)
    throw refused(`has no tensors ${missing.map((prefix) => `${prefix}*`).join(", ")}; ${wanted}.`);
  return {
    unet: part(weights, UNET, unetName(weights)),
    vae: has(VAE) ? part(weights, VAE, vaeName(weights)) : null,
    textEncoder: part(weights, TEXT, (name) => name),
  };
}

/**
 * The VAE in a file of its own, by diffusers' names: such files name tensors like a single file, with or
 * without its prefix, or like diffusers. Throws CheckpointError CHECKPOINT_ARCHITECTURE for any other file.
 */
export function vaeOfFile(weights: Weights): Weights {
  const has = (name: RegExp) => weights.names.some((it) => name.test(it));
  if (has(/^decoder\.up_blocks\./)) return weights;
  if (has(/^first_stage_model\.decoder\.up\./)) return part(weights, VAE, vaeName(weights));
  if (has(/^decoder\.up\./)) return part(weights, "", vaeName(weights));
  throw new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `${weights.source} is no VAE of Stable Diffusion 1.x (it has no tensors decoder.up.* or decoder.up_blocks.*).`,
  );
}

/**
 * The tensors under a prefix, renamed; a name unknown to the architecture stays and is later reported as
 * extra.
 */
function part(weights: Weights, prefix: string, name: (rest: string) => string): Weights {
  const rename: Rename = (original) =>
    original.startsWith(prefix) ? { name: name(original.slice(prefix.length)) } : null;
  return renamed(weights, rename);
}

/** Parts of a UNet's residual block. */
const UNET_RESNET: Readonly<Record<string, string>> = {
  "in_layers.0": "norm1",
  "in_layers.2": "conv1",
  "emb_layers.1": "time_emb_proj",
  "out_layers.0": "norm2",
  "out_layers.3": "conv2",
  skip_connection: "conv_shortcut",
};

const UNET_OUTSIDE: Readonly<Record<string, string>> = {
  "time_embed.0": "time_embedding.linear_1",
  "time_embed.2": "time_embedding.linear_2",
  "input_blocks.0.0": "conv_in",
  "out.0": "conv_norm_out",
  "out.2": "conv_out",
};

/**
 * With L residual blocks per level, `input_blocks` counts the input convolution and then, level by level, L
 * blocks and one downsampler; `output_blocks` counts L + 1 blocks per level, the last of which also holds the
 * upsampler.
 */
function unetName(weights: Weights): (name: string) => string {
  const levels = weights.names.flatMap((name) => {
    const index = /\.input_blocks\.(\d+)\.0\.op\.weight$/.exec(name)?.[1];
    return index === undefined ? [] : [Number(index)];
  });
  const perLevel = Math.min(...levels); // L + 1; with one level there is no downsampler, and every block is of level 0
  const place = (index: number): [level: number, layer: number] =>
    Number.isFinite(perLevel) ? [Math.floor(index / perLevel), index % perLevel] : [0, index];

  const inside = (block: string, layer: string | number, rest: string): string => {
    const [, key, kind] = /^(.*)\.(weight|bias)$/.exec(rest) ?? [];
    const resnet = key === undefined ? undefined : UNET_RESNET[key];
    return resnet === undefined
      ? `${block}.attentions.${layer}.${rest}`
      : `${block}.resnets.${layer}.${resnet}.${kind}`;
  };

  return (name) => {
    const [, outside, kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
    const fixed = outside === undefined ? undefined : UNET_OUTSIDE[outside];
    if (fixed !== undefined) return `${fixed}.${kind}`;

    const middle = /^middle_block\.([012])\.(.+)$/.exec(name);
    if (middle) return inside("mid_block", middle[1] === "2" ? 1 : 0, middle[2]!);

    const block = /^(input|output)_blocks\.(\d+)\.\d\.(.+)$/.exec(name);
    if (!block) return name;
    const [, side, index, rest] = block as unknown as [string, "input" | "output", string, string];
    const [level, layer] = place(Number(index) - (side === "input" ? 1 : 0));
    const at = `${side === "input" ? "down" : "up"}_blocks.${level}`;
    const sampler = /^(op|conv)\.(weight|bias)$/.exec(rest);
    if (sampler) return `${at}.${side === "input" ? "down" : "up"}samplers.0.conv.${sampler[2]}`;
    return inside(at, layer, rest);
  };
}

const VAE_ATTENTION: Readonly<Record<string, string>> = {
  norm: "group_norm",
  q: "to_q",
  k: "to_k",
  v: "to_v",
  proj_out: "to_out.0",
};

/** The original counts the decoder's levels from the picture, diffusers from the latents. */
function vaeName(weights: Weights): (name: string) => string {
  const levels = weights.names.map((name) => Number(/(?:^|\.)decoder\.up\.(\d+)\./.exec(name)?.[1] ?? -1));
  const last = levels.reduce((highest, level) => Math.max(highest, level), 0);
  return (name) => {
    const attention = /^(encoder|decoder)\.mid\.attn_1\.(\w+)\.(weight|bias)$/.exec(name);
    if (attention) {
      const [, side, key, kind] = attention;
      return `${side}.mid_block.attentions.0.${VAE_ATTENTION[key!] ?? key}.${kind}`;
    }
    return name
      .replace(
        /^(encoder|decoder)\.mid\.block_([12])\./,
        (_, side, n) => `${side}.mid_block.resnets.${n - 1}.`,
      )
      .replace(/^encoder\.down\.(\d+)\.block\./, "encoder.down_blocks.$1.resnets.")
      .replace(/^encoder\.down\.(\d+)\.downsample\./, "encoder.down_blocks.$1.downsamplers.0.")
      .replace(/^decoder\.up\.(\d+)\.block\./, (_, level) => `decoder.up_blocks.${last - level}.resnets.`)
      .replace(
        /^decoder\.up\.(\d+)\.upsample\./,
        (_, level) => `decoder.up_blocks.${last - level}.upsamplers.0.`,
      )
      .replace(/\.nin_shortcut\./, ".conv_shortcut.")
      .replace(/^(encoder|decoder)\.norm_out\./, "$1.conv_norm_out.");
  };
}
