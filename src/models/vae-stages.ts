import { type Arithmetic, type Graph, GraphBuilder, type Value } from "../onnx/graph.js";
import { add, cast, mul, reshape, shapeOf, silu, sub, upsampleNearest } from "../onnx/ops.js";
import { Layers, type Norm, type ResnetOptions, resnetEnd, resnetStart } from "./layers.js";

/**
 * One convolution of an autoencoder with all that comes before it from the norm on. A row of its result depends on
 * a few rows of its input and on that norm's statistics, so it can be computed in stripes that give the whole's
 * numbers: what other programs lose at the edges of tiles are the statistics.
 */
export interface VaeStage {
  /** Where its weights are, such as `decoder.up_blocks.3.resnets.0`; with `part` the name of the stage. */
  readonly prefix: string;
  readonly part: string;
  /** Channels of its input and its result. */
  readonly from: number;
  readonly to: number;
  /** How many times as long the sides become: 2, 1 or 1/2. */
  readonly factor: number;
  /** Whether it begins with a norm. */
  readonly isNormed: boolean;
  /** Channels of the input of the stage before, which this one adds, as a resnet's second half does; null for none. */
  readonly added: number | null;
  readonly build: (use: StageUse) => Value;
}

interface StageUse {
  readonly layers: Layers;
  /** [B, from, H, W] */
  readonly x: Value;
  /** The input of the stage before; only read where something is added. */
  readonly before: Value;
  readonly norm: Norm;
}

/** Of all norms of AutoencoderKL. */
export const VAE_EPSILON = 1e-6;

/** The two stages of a resnet. */
export function resnetStages(
  prefix: string,
  { from, to, large }: Pick<ResnetOptions, "from" | "to"> & { readonly large: boolean },
): VaeStage[] {
  const shape = { prefix, to, factor: 1, isNormed: true };
  return [
    {
      ...shape,
      part: "conv1",
      from,
      added: null,
      build: ({ layers, x, norm }) => resnetStart(layers, x, { from, to, norm, large }),
    },
    {
      ...shape,
      part: "conv2",
      from: to,
      added: from,
      build: ({ layers, x, before, norm }) => resnetEnd(layers, x, before, { from, to, norm, large }),
    },
  ];
}

interface ConvStage {
  readonly from: number;
  readonly to: number;
  readonly large?: boolean;
}

/** A convolution alone. */
export const convStage = (
  prefix: string,
  part: string,
  { from, to, large = false }: ConvStage,
): VaeStage => ({
  prefix,
  part,
  from,
  to,
  factor: 1,
  isNormed: false,
  added: null,
  build: ({ layers, x }) => layers.conv(part, x, from, to, { large }),
});

/** Twice the sides, then a convolution. */
export const upsampleStage = (prefix: string, C: number, large: boolean): VaeStage => ({
  ...convStage(prefix, "conv", { from: C, to: C }),
  factor: 2,
  build: ({ layers, x }) => layers.conv("conv", upsampleNearest(layers.g, x), C, C, { large }),
});

/** A convolution to half the sides. Padded below and to the right only, so that each value covers the 2x2 square at twice its place. */
export const downsampleStage = (prefix: string, C: number): VaeStage => ({
  ...convStage(prefix, "conv", { from: C, to: C }),
  factor: 1 / 2,
  build: ({ layers, x }) => layers.conv("conv", x, C, C, { stride: 2, pads: [0, 0, 1, 1] }),
});

/** The last norm and convolution of both halves. */
export const outStage = (prefix: string, from: number, to: number): VaeStage => ({
  ...convStage(prefix, "conv_out", { from, to }),
  isNormed: true,
  build: ({ layers, x, norm }) =>
    layers.conv("conv_out", silu(layers.g, norm(layers, "conv_norm_out", x, from)), from, to),
});

/** All stages in one graph: x [B, from of the first, H, W] -> [B, to of the last, ...] */
export function joinStages(g: GraphBuilder, stages: readonly VaeStage[], x: Value, norm: Norm): Value {
  let before = x;
  let result = x;
  for (const { prefix, build } of stages) {
    const y = build({ layers: new Layers(g, prefix), x: result, before, norm });
    before = result;
    result = y;
  }
  return result;
}

/**
 * One stage of a stripe: `x` float32 [1, from, h, W], rows of the stage's input with some beyond the stripe's own,
 * -> `y` float32 [1, to, rows, W*factor], the rows `start` to `end` (int64 [1] each) of what comes of x.
 * Where the stage adds, `before` float32 [1, added, h, W] are the same rows of the input of the stage before. Where it
 * has a norm, `mean` and `deviation` float32 [groups] are those of the whole input: its mean, and the root of its
 * variance with the norm's epsilon.
 */
export function stripeStage(stage: VaeStage, groups: number, arithmetic: Arithmetic): Graph {
  const { prefix, part, from, to, added, isNormed, factor } = stage;
  const g = new GraphBuilder(`${prefix}.${part}`, arithmetic);
  const read = (name: string, channels: number) =>
    g.input(name, "float32", ["one", channels, "rows", "columns"]);
  const given = read("x", from);
  const x = cast(g, given, g.float);
  const before = added === null ? x : cast(g, read("before", added), g.float);
  const statistics = isNormed
    ? (["mean", "deviation"] as const).map((name) =>
        reshape(g, g.input(name, "float32", [groups]), [1, groups, 1]),
      )
    : [];
  const norm: Norm = (layers, name, of, channels) => {
    const [mean, deviation] = statistics as [Value, Value];
    const wide = cast(g, reshape(g, of, [1, groups, -1]), "float32");
    const normal = cast(g, g.op("Div", [sub(g, wide, mean), deviation]), g.float);
    const scale = reshape(g, layers.weight(`${name}.weight`, [channels]), [channels, 1, 1]);
    const shift = reshape(g, layers.weight(`${name}.bias`, [channels]), [channels, 1, 1]);
    return add(g, mul(g, reshape(g, normal, shapeOf(g, of)), scale), shift);
  };
  const whole = cast(g, stage.build({ layers: new Layers(g, prefix), x, before, norm }), "float32");
  const [start, end] = ["start", "end"].map((name) => g.input(name, "int64", [1])) as [Value, Value];
  const y = g.op("Slice", [whole, start, end, g.ints(2)]);
  g.output("y", y, "float32", ["one", to, "own rows", factor === 1 ? "columns" : `${factor}*columns`]);
  return g.build();
}

/**
 * Rows of a stage's input that its rows `start` to `end` come from, of `height` in all, and which rows of what comes
 * of these are those. At the edges of the picture nothing is beyond, and the graph's own padding is right.
 */
export function rowsSeen({ factor }: Pick<VaeStage, "factor">, start: number, end: number, height: number) {
  // A convolution sees one row beyond; at half the sides the first one must stay even.
  const halo = factor < 1 ? 2 : 1;
  const from = Math.max(0, Math.floor(start / factor) - halo);
  const to = Math.min(height, Math.ceil(end / factor) + halo);
  return { from, to, start: start - from * factor, end: end - from * factor };
}

/** Values of the largest map of one stripe: 32 MiB in float32. */
export const STRIPE_VALUES = 2 ** 23;
/** Stripes begin at multiples of this many rows, so that what halves the sides has whole rows. */
const ROWS_MULTIPLE = 4;

/** Rows of a stripe of a stage's result, if its input is `width` wide. */
export function stripeRows(
  { from, to, factor, added }: VaeStage,
  width: number,
  values: number = STRIPE_VALUES,
): number {
  const perRow = Math.max((from * width) / factor, to * width * factor, (added ?? 0) * width);
  return Math.max(1, Math.floor(values / perRow / ROWS_MULTIPLE)) * ROWS_MULTIPLE;
}
