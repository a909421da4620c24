import type { GraphBuilder, Value } from "../onnx/graph.js";
import { add, type ConvOptions, conv2d, groupNorm, layerNorm, linear, reshape, silu } from "../onnx/ops.js";
import { winogradConv, winogradKernels } from "../onnx/winograd.js";

/** Names of a picture's two sides in a graph, `factor` times those of `height` and `width`. */
export const sidesTimes = (factor: number): readonly [string, string] =>
  factor === 1 ? ["height", "width"] : [`${factor}*height`, `${factor}*width`];

/** torch.nn's layers over the weights under one prefix of a checkpoint, such as `mid_block.resnets.0`. */
export class Layers {
  readonly #prefix: string;

  constructor(
    readonly g: GraphBuilder,
    prefix = "",
  ) {
    this.#prefix = prefix;
  }

  under(name: string): Layers {
    return new Layers(this.g, this.key(name));
  }

  key(name: string): string {
    return this.#prefix === "" ? name : `${this.#prefix}.${name}`;
  }

  weight(name: string, shape: readonly number[]): Value {
    return this.g.parameter(this.key(name), shape);
  }

  /** x [rows, from] -> [rows, to] */
  linear(name: string, x: Value, from: number, to: number, bias: "bias" | "no bias" = "bias"): Value {
    return linear(
      this.g,
      x,
      this.weight(`${name}.weight`, [to, from]),
      bias === "bias" ? this.weight(`${name}.bias`, [to]) : null,
    );
  }

  /** A 1x1 convolution of x [rows, from], pixels being rows -> [rows, to] */
  pointwise(name: string, x: Value, from: number, to: number): Value {
    const weight = reshape(this.g, this.weight(`${name}.weight`, [to, from, 1, 1]), [to, from]);
    return linear(this.g, x, weight, this.weight(`${name}.bias`, [to]));
  }

  /**
   * x [B, from, H, W] -> [B, to, H/stride, W/stride]; padded by default so that stride 1 keeps the size. `large`: the
   * picture has so many pixels that larger weights cost less than they save.
   */
  conv(
    name: string,
    x: Value,
    from: number,
    to: number,
    {
      kernel = 3,
      stride = 1,
      pads,
      large = false,
      bias = "bias",
    }: Partial<ConvOptions> & { readonly large?: boolean; readonly bias?: "bias" | "no bias" } = {},
  ): Value {
    if (this.g.winograd && large && kernel === 3 && stride === 1) {
      const { kernels } = this.g.derived(winogradKernels(this.key(`${name}.weight`), [to, from]));
      return winogradConv(this.g, x, kernels, this.weight(`${name}.bias`, [to]), { from, to });
    }
    const weight = this.weight(`${name}.weight`, [to, from, kernel, kernel]);
    const around = (kernel - 1) / 2;
    return conv2d(this.g, x, weight, bias === "bias" ? this.weight(`${name}.bias`, [to]) : null, {
      kernel,
      stride,
      pads: pads ?? [around, around, around, around],
    });
  }

  layerNorm(name: string, x: Value, channels: number, epsilon: number): Value {
    const weight = this.weight(`${name}.weight`, [channels]);
    return layerNorm(this.g, x, weight, this.weight(`${name}.bias`, [channels]), epsilon);
  }

  groupNorm(name: string, x: Value, channels: number, groups: number, epsilon: number): Value {
    const weight = this.weight(`${name}.weight`, [channels]);
    return groupNorm(this.g, x, weight, this.weight(`${name}.bias`, [channels]), {
      channels,
      groups,
      epsilon,
    });
  }
}

export interface ResnetOptions {
  readonly from: number;
  readonly to: number;
  readonly norm: Norm;
  /** See `Layers.conv`. */
  readonly large?: boolean;
  /** silu of the time embedding, [1, size]; the VAE has none. */
  readonly time?: { readonly value: Value; readonly size: number };
}

/** A GroupNorm of x [B, channels, H, W] with the weights under `name`. */
export type Norm = (layers: Layers, name: string, x: Value, channels: number) => Value;

/** The norm that takes its statistics from x itself. */
export const normOf =
  (groups: number, epsilon: number): Norm =>
  (layers, name, x, channels) =>
    layers.groupNorm(name, x, channels, groups, epsilon);

/** diffusers' ResnetBlock2D: x [B, from, H, W] -> [B, to, H, W] */
export const resnet = (layers: Layers, x: Value, options: ResnetOptions): Value =>
  resnetEnd(layers, resnetStart(layers, x, options), x, options);

/** A resnet up to before its second norm: x [B, from, H, W] -> [B, to, H, W] */
export function resnetStart(
  layers: Layers,
  x: Value,
  { from, to, norm, large = false, time }: ResnetOptions,
): Value {
  const { g } = layers;
  const h = layers.conv("conv1", silu(g, norm(layers, "norm1", x, from)), from, to, { large });
  if (time === undefined) return h;
  const shift = layers.linear("time_emb_proj", time.value, time.size, to); // [1, to]
  return add(g, h, reshape(g, shift, [1, to, 1, 1]));
}

/** The rest of a resnet: `h` of `resnetStart` [B, to, H, W] and its input x [B, from, H, W] -> [B, to, H, W] */
export function resnetEnd(
  layers: Layers,
  h: Value,
  x: Value,
  { from, to, norm, large = false }: ResnetOptions,
): Value {
  const { g } = layers;
  const change = layers.conv("conv2", silu(g, norm(layers, "norm2", h, to)), to, to, { large });
  const skip = from === to ? x : layers.conv("conv_shortcut", x, from, to, { kernel: 1 });
  return add(g, skip, change);
}
