import { z } from "zod";
import { type Arithmetic, type Graph, GraphBuilder, type Value } from "../onnx/graph.js";
import { add, cast, mul, relu, sub, tanh, upsampleNearest } from "../onnx/ops.js";
import { blockCount, channelCount, latentChannelCount, levelsOf } from "./bounds.js";
import { Layers, sidesTimes } from "./layers.js";

/** The keys of an AutoencoderTiny's config.json that shape its decoder. Defaults are those of diffusers. */
export const tinyDecoderConfig = z
  .looseObject({
    /** Pictures are RGB. */
    out_channels: z.literal(3).default(3),
    latent_channels: latentChannelCount.default(4),
    decoder_block_out_channels: levelsOf(channelCount).default([64, 64, 64, 64]),
    num_decoder_blocks: levelsOf(blockCount).default([3, 3, 3, 1]),

    act_fn: z.literal("relu").default("relu"),
    upsample_fn: z.literal("nearest").default("nearest"),
    upsampling_scaling_factor: z.literal(2).default(2),
    scaling_factor: z.literal(1).default(1),
    shift_factor: z.literal(0).nullish(),
  })
  .refine(
    ({ decoder_block_out_channels: channels }) => channels.every((size) => size === channels[0]),
    // Its blocks change no number of channels, in diffusers either.
    { path: ["decoder_block_out_channels"], message: "all must be the same" },
  )
  .refine((config) => config.num_decoder_blocks.length === config.decoder_block_out_channels.length, {
    path: ["num_decoder_blocks"],
    message: "as many entries as decoder_block_out_channels are needed",
  });
export type TinyDecoderConfig = z.output<typeof tinyDecoderConfig>;

/** Tensors of a whole tiny autoencoder that its decoder does not use. */
export const TINY_ENCODER = [/^encoder\./];

/** Bound of the latents, which tanh keeps softly. */
const LATENT_BOUND = 3;

/**
 * TAESD's decoder (Ollin Boer Bohan's Tiny AutoEncoder for Stable Diffusion; diffusers' AutoencoderTiny):
 * `latents` float32 [B, latent_channels, H, W] as the UNet has them, not divided by any factor, -> `image` float32
 * [B, 3, H*f, W*f], about -1 to 1, f = 2^(levels-1).
 *
 * B rows, C channels. Tensors are numbered as the layers of a torch.nn.Sequential, activations included.
 */
export function tinyDecoder(config: TinyDecoderConfig, arithmetic: Arithmetic): Graph {
  const { latent_channels: Z, num_decoder_blocks: counts, out_channels: colors } = config;
  const C = config.decoder_block_out_channels[0] as number;
  const g = new GraphBuilder("tiny-decoder", arithmetic);
  const layers = new Layers(g, "decoder.layers");
  const latents = g.input("latents", "float32", ["batch", Z, "height", "width"]);

  const bounded = tanh(g, mul(g, cast(g, latents, g.float), g.scalar(1 / LATENT_BOUND)));
  let x = relu(g, layers.conv("0", mul(g, bounded, g.scalar(LATENT_BOUND)), Z, C)); // [B, C, H, W]
  let next = 2;
  for (const [level, count] of counts.entries()) {
    for (let i = 0; i < count; i++) x = block(layers.under(String(next++)), x, C);
    if (level < counts.length - 1) {
      x = upsampleNearest(g, x); // [B, C, 2h, 2w]
      next++;
      x = layers.conv(String(next++), x, C, C, { bias: "no bias" });
    } else x = layers.conv(String(next), x, C, colors); // [B, 3, H*f, W*f]
  }
  x = sub(g, mul(g, x, g.scalar(2)), g.scalar(1));
  const size = 2 ** (counts.length - 1);
  g.output("image", cast(g, x, "float32"), "float32", ["batch", colors, ...sidesTimes(size)]);
  return g.build();
}

/** Three convolutions around a residual sum: x [B, C, h, w] -> the same. */
function block(layers: Layers, x: Value, C: number): Value {
  const { g } = layers;
  const one = relu(g, layers.conv("conv.0", x, C, C));
  const two = relu(g, layers.conv("conv.2", one, C, C));
  return relu(g, add(g, layers.conv("conv.4", two, C, C), x));
}

/**
 * The configuration that a decoder's tensors tell, of a file without a config.json: `shapeOf` gives the shape of a
 * tensor by the name that the graph has for it, undefined for none.
 */
export function tinyDecoderShape(shapeOf: (name: string) => readonly number[] | undefined): object {
  const first = shapeOf("decoder.layers.0.weight");
  const counts: number[] = [];
  let count = 0;
  // Each level ends with a convolution, all but the last after the layer that doubles the size.
  for (let next = 2; counts.length < MOST_LEVELS; ) {
    if (shapeOf(`decoder.layers.${next}.conv.0.weight`) !== undefined) {
      count++;
      next++;
      continue;
    }
    const isLast = shapeOf(`decoder.layers.${next}.weight`) !== undefined;
    if (!isLast && shapeOf(`decoder.layers.${next + 1}.weight`) === undefined) break;
    counts.push(count);
    count = 0;
    if (isLast) break;
    next += 2;
  }
  return {
    latent_channels: first?.[1],
    decoder_block_out_channels: counts.map(() => first?.[0]),
    num_decoder_blocks: counts,
  };
}

/** As `levelsOf` allows. */
const MOST_LEVELS = 8;
