import { z } from "zod";
import { type Arithmetic, type Graph, GraphBuilder, type Value } from "../onnx/graph.js";
import { add, attention, cast, reshape, shapeOf, transpose } from "../onnx/ops.js";
import { blockCount, channelCount, latentChannelCount, levelsOf, pictureSide } from "./bounds.js";
import { Layers, type Norm, normOf, resnet, sidesTimes } from "./layers.js";
import {
  joinStages,
  outStage,
  resnetStages,
  upsampleStage,
  VAE_EPSILON,
  type VaeStage,
} from "./vae-stages.js";

/** The keys of an AutoencoderKL's config.json that shape it. Defaults are those of diffusers. */
export const vaeConfig = z
  .looseObject({
    /** Pictures are RGB. */
    out_channels: z.literal(3).default(3),
    latent_channels: latentChannelCount.default(4),
    block_out_channels: levelsOf(channelCount).default([64]),
    up_block_types: levelsOf(z.literal("UpDecoderBlock2D")).default(["UpDecoderBlock2D"]),
    layers_per_block: blockCount.default(1),
    norm_num_groups: channelCount.default(32),
    sample_size: pictureSide.nullish(),
    scaling_factor: z.number().positive().default(0.18215),
    use_quant_conv: z.boolean().default(true),
    use_post_quant_conv: z.boolean().default(true),
    mid_block_add_attention: z.boolean().default(true),

    act_fn: z.literal(["silu", "swish"]).default("silu"),
    shift_factor: z.null().optional(),
    latents_mean: z.null().optional(),
    latents_std: z.null().optional(),
  })
  .refine((config) => config.up_block_types.length === config.block_out_channels.length, {
    path: ["up_block_types"],
    message: "as many entries as block_out_channels are needed",
  })
  .refine(
    ({ block_out_channels: sizes, norm_num_groups: groups }) => sizes.every((size) => size % groups === 0),
    {
      path: ["block_out_channels"],
      message: "each must be a multiple of norm_num_groups",
    },
  );
export type VaeConfig = z.output<typeof vaeConfig>;

/** Tensors of a whole autoencoder that a decoder does not use. */
export const VAE_ENCODER = [/^encoder\./, /^quant_conv\./];

/**
 * The decoder of the autoencoder: `latents` float32 [B, latent_channels, H, W], divided by the scaling factor
 * before, -> `image` float32 [B, 3, H*f, W*f], about -1 to 1, f = 2^(levels-1)
 * (https://arxiv.org/abs/2112.10752; diffusers' AutoencoderKL).
 *
 * B rows, C channels of a level, h x w its size, N = h*w. `queryChunks`: see `attention`.
 */
export function vaeDecoder(config: VaeConfig, arithmetic: Arithmetic, queryChunks: number): Graph {
  const g = new GraphBuilder("vae-decoder", arithmetic);
  const deepest = decoderStart(g, config, queryChunks);
  const x = joinStages(g, decoderStages(config), deepest, vaeNorm(config));
  const sides = sidesTimes(2 ** (config.block_out_channels.length - 1));
  g.output("image", cast(g, x, "float32"), "float32", ["batch", config.out_channels, ...sides]);
  return g.build();
}

/** The part of the decoder before its stages: `latents` as the decoder's -> `y` float32 [B, C of the deepest level, H, W]. */
export function vaeDecoderStart(config: VaeConfig, arithmetic: Arithmetic, queryChunks: number): Graph {
  const g = new GraphBuilder("vae-decoder-start", arithmetic);
  const y = cast(g, decoderStart(g, config, queryChunks), "float32");
  g.output("y", y, "float32", ["batch", config.block_out_channels.at(-1) as number, "height", "width"]);
  return g.build();
}

/** Up to the deepest block: [B, C of the deepest level, H, W] */
function decoderStart(g: GraphBuilder, config: VaeConfig, queryChunks: number): Value {
  const { latent_channels: Z, block_out_channels: channels } = config;
  const model = new Layers(g);
  const latents = g.input("latents", "float32", ["batch", Z, "height", "width"]);
  let x = cast(g, latents, g.float); // [B, Z, H, W]
  if (config.use_post_quant_conv) x = model.conv("post_quant_conv", x, Z, Z, { kernel: 1 });
  const C = channels.at(-1) as number;
  const decoder = model.under("decoder");
  return vaeMiddle(decoder.under("mid_block"), decoder.conv("conv_in", x, Z, C), C, config, queryChunks);
}

/** The rest of the decoder: from the deepest level to the picture. */
export function decoderStages(config: VaeConfig): VaeStage[] {
  const channels = config.block_out_channels.toReversed();
  const levels = channels.length;
  let C = channels[0] as number;
  const stages = channels.flatMap((to, i) => {
    const block = `decoder.up_blocks.${i}`;
    // At the last level, the tiles of a picture of 512x512 would take 2 GB.
    const large = i < levels - 1;
    const resnets = Array.from({ length: config.layers_per_block + 1 }, (_, j) => {
      const from = j === 0 ? C : to;
      return resnetStages(`${block}.resnets.${j}`, { from, to, large });
    }).flat();
    C = to;
    return large ? [...resnets, upsampleStage(`${block}.upsamplers.0`, C, i < levels - 2)] : resnets;
  });
  return [...stages, outStage("decoder", C, config.out_channels)];
}

/** The norm of all blocks. */
export const vaeNorm = ({ norm_num_groups: groups }: Pick<VaeConfig, "norm_num_groups">): Norm =>
  normOf(groups, VAE_EPSILON);

/** The deepest block of both halves: x [B, C, h, w] -> the same. `queryChunks`: see `attention`. */
export function vaeMiddle(
  layers: Layers,
  x: Value,
  C: number,
  { norm_num_groups: groups, mid_block_add_attention: attends }: VaeConfig,
  queryChunks: number,
): Value {
  const same = { from: C, to: C, norm: normOf(groups, VAE_EPSILON), large: true };
  let h = resnet(layers.under("resnets.0"), x, same);
  if (attends) h = pixelAttention(layers.under("attentions.0"), h, C, groups, queryChunks);
  return resnet(layers.under("resnets.1"), h, same);
}

/** Attention of all pixels to all, in one head: x [B, C, h, w] -> the same */
function pixelAttention(layers: Layers, x: Value, C: number, groups: number, queryChunks: number): Value {
  const { g } = layers;
  const normal = reshape(g, layers.groupNorm("group_norm", x, C, groups, VAE_EPSILON), [0, C, -1]); // [B, C, N]
  const pixels = transpose(g, normal, [0, 2, 1]); // [B, N, C]
  const shape = shapeOf(g, pixels);
  const rows = reshape(g, pixels, [-1, C]); // [B*N, C]
  const [q, k, v] = ["to_q", "to_k", "to_v"].map((name) =>
    reshape(g, layers.linear(name, rows, C, C), shape),
  ) as [Value, Value, Value]; // [B, N, C]
  const mixed = attention(g, q, k, v, { heads: 1, headSize: C, queryChunks });
  const out = reshape(g, layers.linear("to_out.0", reshape(g, mixed, [-1, C]), C, C), shape); // [B, N, C]
  return add(g, reshape(g, transpose(g, out, [0, 2, 1]), shapeOf(g, x)), x);
}
