import { type Arithmetic, type Graph, GraphBuilder, type Value } from "../onnx/graph.js";
import { cast, silu } from "../onnx/ops.js";
import { Layers, sidesTimes } from "./layers.js";
import { type VaeConfig, vaeMiddle, vaeNorm } from "./vae-decoder.js";
import { convStage, downsampleStage, joinStages, resnetStages, type VaeStage } from "./vae-stages.js";

/** Tensors of a whole autoencoder that an encoder does not use. */
export const VAE_DECODER = [/^decoder\./, /^post_quant_conv\./];

/**
 * The encoder of the autoencoder: `image` float32 [B, 3, H*f, W*f], -1 to 1 -> `moments` float32
 * [B, 2*latent_channels, H, W]: the mean of the latents before the scaling factor, then the logarithm of their
 * variance; f = 2^(levels-1) (https://arxiv.org/abs/2112.10752; diffusers' AutoencoderKL).
 *
 * B rows, C channels of a level, h x w its size. `queryChunks`: see `attention`.
 */
export function vaeEncoder(config: VaeConfig, arithmetic: Arithmetic, queryChunks: number): Graph {
  const { block_out_channels: channels } = config;
  const g = new GraphBuilder("vae-encoder", arithmetic);
  const size = 2 ** (channels.length - 1);
  const image = g.input("image", "float32", ["batch", config.out_channels, ...sidesTimes(size)]);
  const deepest = joinStages(g, encoderStages(config), cast(g, image, g.float), vaeNorm(config));
  encoderEnd(g, deepest, config, queryChunks);
  return g.build();
}

/** The part of the encoder after its stages: `x` float32 [B, C of the deepest level, H, W] -> `moments` as the encoder's. */
export function vaeEncoderEnd(config: VaeConfig, arithmetic: Arithmetic, queryChunks: number): Graph {
  const g = new GraphBuilder("vae-encoder-end", arithmetic);
  const C = config.block_out_channels.at(-1) as number;
  const x = g.input("x", "float32", ["batch", C, "height", "width"]);
  encoderEnd(g, cast(g, x, g.float), config, queryChunks);
  return g.build();
}

/** From the picture to the deepest level. */
export function encoderStages(config: VaeConfig): VaeStage[] {
  const { block_out_channels: channels } = config;
  let C = channels[0] as number;
  const stages = channels.flatMap((to, i) => {
    const block = `encoder.down_blocks.${i}`;
    const resnets = Array.from({ length: config.layers_per_block }, (_, j) => {
      const from = j === 0 ? C : to;
      return resnetStages(`${block}.resnets.${j}`, { from, to, large: i > 0 });
    }).flat();
    C = to;
    return i < channels.length - 1 ? [...resnets, downsampleStage(`${block}.downsamplers.0`, C)] : resnets;
  });
  const first = { from: config.out_channels, to: channels[0] as number };
  return [convStage("encoder", "conv_in", first), ...stages];
}

/** From the deepest block on: x [B, C, H, W] -> `moments`. */
function encoderEnd(g: GraphBuilder, x: Value, config: VaeConfig, queryChunks: number): void {
  const Z = config.latent_channels;
  const C = config.block_out_channels.at(-1) as number;
  const model = new Layers(g);
  const encoder = model.under("encoder");
  const middle = vaeMiddle(encoder.under("mid_block"), x, C, config, queryChunks);
  const normal = silu(g, vaeNorm(config)(encoder, "conv_norm_out", middle, C));
  let moments = encoder.conv("conv_out", normal, C, 2 * Z); // [B, 2Z, H, W]
  if (config.use_quant_conv) moments = model.conv("quant_conv", moments, 2 * Z, 2 * Z, { kernel: 1 });
  g.output("moments", cast(g, moments, "float32"), "float32", ["batch", 2 * Z, "height", "width"]);
}
