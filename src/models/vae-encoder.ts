import { type Arithmetic, type Graph, GraphBuilder } from "../onnx/graph.js";
import { cast, silu } from "../onnx/ops.js";
import { Layers, resnet, sidesTimes } from "./layers.js";
import { VAE_EPSILON, type VaeConfig, vaeMiddle } from "./vae-decoder.js";

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
  const { latent_channels: Z, norm_num_groups: groups, block_out_channels: channels } = config;
  const g = new GraphBuilder("vae-encoder", arithmetic);
  const model = new Layers(g);
  const encoder = model.under("encoder");
  const size = 2 ** (channels.length - 1);
  const image = g.input("image", "float32", ["batch", config.out_channels, ...sidesTimes(size)]);

  let C = channels[0] as number;
  let x = encoder.conv("conv_in", cast(g, image, g.float), config.out_channels, C); // [B, C, H*f, W*f]
  for (const [i, to] of channels.entries()) {
    const block = encoder.under(`down_blocks.${i}`);
    for (let j = 0; j < config.layers_per_block; j++) {
      x = resnet(block.under(`resnets.${j}`), x, { from: C, to, groups, epsilon: VAE_EPSILON, large: i > 0 }); // [B, to, h, w]
      C = to;
    }
    // Padded below and to the right only, so that each value covers the 2x2 square at twice its place.
    if (i < channels.length - 1)
      x = block.conv("downsamplers.0.conv", x, C, C, { stride: 2, pads: [0, 0, 1, 1] }); // [B, C, h/2, w/2]
  }

  x = vaeMiddle(encoder.under("mid_block"), x, C, config, queryChunks);

  x = silu(g, encoder.groupNorm("conv_norm_out", x, C, groups, VAE_EPSILON));
  x = encoder.conv("conv_out", x, C, 2 * Z); // [B, 2Z, H, W]
  if (config.use_quant_conv) x = model.conv("quant_conv", x, 2 * Z, 2 * Z, { kernel: 1 });
  g.output("moments", cast(g, x, "float32"), "float32", ["batch", 2 * Z, "height", "width"]);
  return g.build();
}
