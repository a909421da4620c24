import { z } from "zod";
import { type Arithmetic, type Graph, GraphBuilder, type Value } from "../onnx/graph.js";
import {
  add,
  attention,
  cast,
  concat,
  cropTo,
  gelu,
  mul,
  reshape,
  shapeOf,
  silu,
  split,
  sub,
  transpose,
  upsampleNearest,
} from "../onnx/ops.js";
import {
  blockCount,
  channelCount,
  headCount,
  latentChannelCount,
  latentSide,
  levelsOf,
  transformerBlockCount,
  width,
} from "./bounds.js";
import { Layers, normOf, resnet } from "./layers.js";

const off = z.literal(false).nullish();
const absent = z.null().optional();

/**
 * The keys of a UNet2DConditionModel's config.json, for Stable Diffusion 1.x and 2.x. Keys of other families
 * may only have the value that turns them off. Defaults are those of diffusers.
 */
export const unetConfig = z
  .looseObject({
    sample_size: latentSide.nullish(),
    in_channels: latentChannelCount.default(4),
    out_channels: latentChannelCount.default(4),
    flip_sin_to_cos: z.boolean().default(true),
    freq_shift: z.number().default(0),
    down_block_types: levelsOf(z.literal(["CrossAttnDownBlock2D", "DownBlock2D"])).default([
      "CrossAttnDownBlock2D",
      "CrossAttnDownBlock2D",
      "CrossAttnDownBlock2D",
      "DownBlock2D",
    ]),
    mid_block_type: z.literal("UNetMidBlock2DCrossAttn").default("UNetMidBlock2DCrossAttn"),
    up_block_types: levelsOf(z.literal(["CrossAttnUpBlock2D", "UpBlock2D"])).default([
      "UpBlock2D",
      "CrossAttnUpBlock2D",
      "CrossAttnUpBlock2D",
      "CrossAttnUpBlock2D",
    ]),
    block_out_channels: levelsOf(channelCount).default([320, 640, 1280, 1280]),
    layers_per_block: blockCount.default(2),
    norm_num_groups: channelCount.default(32),
    norm_eps: z.number().positive().default(1e-5),
    cross_attention_dim: width.default(1280),
    transformer_layers_per_block: transformerBlockCount.default(1),
    /** In this family the NUMBER of heads, despite its name (diffusers keeps the mistake for old files). */
    attention_head_dim: z.union([headCount, levelsOf(headCount)]).default(8),
    use_linear_projection: z.boolean().default(false),
    upcast_attention: z.boolean().nullish(),

    act_fn: z.literal(["silu", "swish"]).default("silu"),
    downsample_padding: z.literal(1).default(1),
    mid_block_scale_factor: z.literal(1).default(1),
    conv_in_kernel: z.literal(3).default(3),
    conv_out_kernel: z.literal(3).default(3),
    resnet_out_scale_factor: z.literal(1).default(1),
    resnet_time_scale_shift: z.literal("default").default("default"),
    time_embedding_type: z.literal("positional").default("positional"),
    attention_type: z.literal("default").default("default"),
    center_input_sample: off,
    only_cross_attention: off,
    mid_block_only_cross_attention: off,
    dual_cross_attention: off,
    resnet_skip_time_act: off,
    class_embeddings_concat: off,
    num_attention_heads: absent,
    reverse_transformer_layers_per_block: absent,
    encoder_hid_dim: absent,
    encoder_hid_dim_type: absent,
    class_embed_type: absent,
    num_class_embeds: absent,
    addition_embed_type: absent,
    time_embedding_dim: absent,
    time_embedding_act_fn: absent,
    timestep_post_act: absent,
    time_cond_proj_dim: absent,
    cross_attention_norm: absent,
  })
  .superRefine((config, context) => {
    const levels = config.block_out_channels.length;
    const lists = {
      down_block_types: config.down_block_types.length,
      up_block_types: config.up_block_types.length,
      ...(Array.isArray(config.attention_head_dim)
        ? { attention_head_dim: config.attention_head_dim.length }
        : {}),
    };
    for (const [key, length] of Object.entries(lists))
      if (length !== levels)
        context.addIssue({ code: "custom", path: [key], message: `${length} entries for ${levels} blocks` });
    if ((config.block_out_channels[0] as number) % 2 !== 0)
      context.addIssue({ code: "custom", path: ["block_out_channels", 0], message: "it must be even" });
    for (const [level, channels] of config.block_out_channels.entries()) {
      const heads = headsOf(config.attention_head_dim, level);
      if (channels % heads !== 0 || channels % config.norm_num_groups !== 0)
        context.addIssue({
          code: "custom",
          path: ["block_out_channels", level],
          message: `${channels} is no multiple of ${heads} heads and ${config.norm_num_groups} groups`,
        });
    }
  });
export type UnetConfig = z.output<typeof unetConfig>;

const headsOf = (heads: number | readonly number[], level: number): number =>
  typeof heads === "number" ? heads : (heads[level] as number);

/** Hard-coded in Transformer2DModel, independent of norm_eps. */
const TRANSFORMER_GROUP_EPSILON = 1e-6;
const LAYER_EPSILON = 1e-5;

/**
 * The denoising UNet: `latents` float32 [B, in_channels, H, W], `timestep` float32 [1], `text` float32
 * [B, M, E] -> `noise` float32 [B, out_channels, H, W] (https://arxiv.org/abs/2112.10752; diffusers'
 * UNet2DConditionModel). H and W may be any number; a level's half is rounded up.
 *
 * B rows, M tokens of text, E = cross_attention_dim, C channels of a level, h x w its size, N = h*w, R = B*N
 */
export function unet(config: UnetConfig, arithmetic: Arithmetic): Graph {
  const { block_out_channels: channels, norm_num_groups: groups, norm_eps: epsilon } = config;
  const levels = channels.length;
  const [first, last] = [channels[0] as number, channels[levels - 1] as number];
  const g = new GraphBuilder("unet", arithmetic);
  const { float } = g;
  const model = new Layers(g);
  const norm = normOf(groups, epsilon);
  const latents = g.input("latents", "float32", ["batch", config.in_channels, "height", "width"]);
  const timestep = g.input("timestep", "float32", [1]);
  const textStates = g.input("text", "float32", ["batch", "tokens", config.cross_attention_dim]);

  const batch = shapeOf(g, latents, 0, 1);
  const text = reshape(g, cast(g, textStates, float), [-1, config.cross_attention_dim]); // [B*M, E]
  /** x [B*any, C] -> [B, any, C] */
  const byRow = (x: Value, C: number) => reshape(g, x, concat(g, [batch, g.ints(-1, C)], 0));

  const waves = cast(g, sinusoid(g, timestep, first, config), float); // [1, first]
  const size = 4 * first;
  const embedded = silu(g, model.linear("time_embedding.linear_1", waves, first, size));
  const time = { value: silu(g, model.linear("time_embedding.linear_2", embedded, size, size)), size }; // [1, size]

  /** x [R, C], context [B*any, from] -> [R, C] */
  const attend = (layers: Layers, x: Value, context: Value, from: number, C: number, level: number) => {
    const wide = config.upcast_attention === true ? "float32" : float;
    const project = (name: string, of: Value, size: number) =>
      cast(g, byRow(layers.linear(name, of, size, C, "no bias"), C), wide);
    const q = project("to_q", x, C); // [B, N, C]
    const k = project("to_k", context, from); // [B, N or M, C]
    const v = project("to_v", context, from);
    const heads = headsOf(config.attention_head_dim, level);
    // The first level has by far the most scores: 8 * 4096 * 4096 per row.
    const queryChunks = 4 ** Math.max(0, levels - 2 - level);
    const mixed = attention(g, q, k, v, { heads, headSize: C / heads, queryChunks, type: wide });
    return layers.linear("to_out.0", reshape(g, cast(g, mixed, float), [-1, C]), C, C);
  };

  /** Transformer2DModel: x [B, C, h, w] -> the same */
  const transformer = (layers: Layers, x: Value, C: number, level: number) => {
    const project = (name: string, of: Value) =>
      config.use_linear_projection ? layers.linear(name, of, C, C) : layers.pointwise(name, of, C, C);
    const normal = layers.groupNorm("norm", x, C, groups, TRANSFORMER_GROUP_EPSILON);
    const pixels = transpose(g, reshape(g, normal, [0, C, -1]), [0, 2, 1]); // [B, N, C]
    let h = project("proj_in", reshape(g, pixels, [-1, C])); // [R, C]
    for (let i = 0; i < config.transformer_layers_per_block; i++) {
      const block = layers.under(`transformer_blocks.${i}`);
      const self = block.layerNorm("norm1", h, C, LAYER_EPSILON);
      h = add(g, h, attend(block.under("attn1"), self, self, C, C, level));
      const cross = block.layerNorm("norm2", h, C, LAYER_EPSILON);
      h = add(g, h, attend(block.under("attn2"), cross, text, config.cross_attention_dim, C, level));
      const wide = block.linear("ff.net.0.proj", block.layerNorm("norm3", h, C, LAYER_EPSILON), C, 8 * C);
      const [value, gate] = split(g, wide, [4 * C, 4 * C], 1) as [Value, Value]; // [R, 4C] each: GEGLU
      h = add(g, h, block.linear("ff.net.2", mul(g, value, gelu(g, gate)), 4 * C, C));
    }
    const back = transpose(g, byRow(project("proj_out", h), C), [0, 2, 1]); // [B, C, N]
    return add(g, reshape(g, back, shapeOf(g, x)), x); // [B, C, h, w]
  };

  const skips: { x: Value; C: number }[] = [];
  let C = first;
  let x = model.conv("conv_in", cast(g, latents, float), config.in_channels, C); // [B, C, H, W]
  skips.push({ x, C });

  // At the lower levels of Stable Diffusion 1.5, weights of 4 times the size would take 3 GB more.
  const isLarge = (level: number) => level <= levels - 3;
  for (const [level, to] of channels.entries()) {
    const block = model.under(`down_blocks.${level}`);
    const large = isLarge(level);
    for (let j = 0; j < config.layers_per_block; j++) {
      x = resnet(block.under(`resnets.${j}`), x, { from: C, to, norm, large, time }); // [B, to, h, w]
      C = to;
      if (config.down_block_types[level] === "CrossAttnDownBlock2D")
        x = transformer(block.under(`attentions.${j}`), x, C, level);
      skips.push({ x, C });
    }
    if (level < levels - 1) {
      x = block.conv("downsamplers.0.conv", x, C, C, { stride: 2 }); // [B, C, h/2, w/2]
      skips.push({ x, C });
    }
  }

  const mid = model.under("mid_block");
  x = resnet(mid.under("resnets.0"), x, { from: last, to: last, norm, time });
  x = transformer(mid.under("attentions.0"), x, last, levels - 1);
  x = resnet(mid.under("resnets.1"), x, { from: last, to: last, norm, time });

  for (let i = 0; i < levels; i++) {
    const level = levels - 1 - i;
    const to = channels[level] as number;
    const block = model.under(`up_blocks.${i}`);
    const large = isLarge(level);
    for (let j = 0; j <= config.layers_per_block; j++) {
      const skip = skips.pop() as { x: Value; C: number };
      const from = C + skip.C;
      x = resnet(block.under(`resnets.${j}`), concat(g, [x, skip.x], 1), {
        from,
        to,
        norm,
        large,
        time,
      });
      C = to;
      if (config.up_block_types[i] === "CrossAttnUpBlock2D")
        x = transformer(block.under(`attentions.${j}`), x, C, level);
    }
    if (level > 0) {
      const { x: wanted } = skips.at(-1) as { x: Value };
      x = block.conv("upsamplers.0.conv", cropTo(g, upsampleNearest(g, x), wanted), C, C, {
        large: isLarge(level - 1),
      }); // [B, C, 2h or 2h-1, 2w or 2w-1]
    }
  }

  x = silu(g, model.groupNorm("conv_norm_out", x, first, groups, epsilon));
  x = model.conv("conv_out", x, first, config.out_channels); // [B, out, H, W]
  g.output("noise", cast(g, x, "float32"), "float32", ["batch", config.out_channels, "height", "width"]);
  return g.build();
}

/**
 * 2*pi in two parts, the first with so few bits that its product with a number of turns is exact in float32.
 */
const TURN_HIGH = 6.28125;
const TURN_LOW = 2 * Math.PI - TURN_HIGH;

/**
 * cos and sin of timestep * 10000^(-i / (size/2 - freq_shift)), in float32: [1] -> [1, size]. Angles reach
 * 1000, where GPUs' own sine is coarse, so whole turns are subtracted first.
 */
function sinusoid(g: GraphBuilder, timestep: Value, size: number, config: UnetConfig): Value {
  const half = size / 2;
  const step = Math.fround(-Math.log(10000));
  const frequencies = Float32Array.from({ length: half }, (_, i) =>
    Math.exp(Math.fround(Math.fround(step * i) / Math.fround(half - config.freq_shift))),
  );
  const scalar = (value: number) => g.scalar(value, "float32");
  const angles = mul(g, timestep, g.constant("float32", [1, half], frequencies));
  const turns = g.op("Round", [mul(g, angles, scalar(1 / (2 * Math.PI)))]);
  const high = sub(g, angles, mul(g, turns, scalar(TURN_HIGH)));
  const reduced = sub(g, high, mul(g, turns, scalar(TURN_LOW))); // -pi to pi
  const waves = [g.op("Sin", [reduced]), g.op("Cos", [reduced])];
  return concat(g, config.flip_sin_to_cos ? waves.reverse() : waves, 1);
}
