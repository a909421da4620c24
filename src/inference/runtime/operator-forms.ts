import { packedProduct } from "../../models/products.js";
import type { FloatType, GraphBuilder, ReplaceableOperator, Value } from "../../onnx/graph.js";
import {
  add,
  attention,
  cast,
  concat,
  conv2d,
  gather,
  gelu,
  groupNorm,
  layerNorm,
  linear,
  matmul,
  mul,
  quickGelu,
  relu,
  silu,
  slice,
  softmax,
  split,
  splitEvenly,
  tanh,
  transpose,
  upsampleNearest,
} from "../../onnx/ops.js";

/**
 * Every way that our graphs use an operator, as a small graph of its own, to test a device's kernels
 * (device-check.ts). Sizes are on both sides of kernels' limits: four channels and more than a tile, rows
 * below and above a tile, widths that are and are not multiples of 4.
 */
export interface OperatorForm {
  /** Operators that are right or wrong together. */
  readonly operator: string;
  /** What is special about this use. */
  readonly form: string;
  /** Which graphs have it: Promptist's, Stable Diffusion's, or both. */
  readonly users: Users;
  /**
   * Set for sums as long as Stable Diffusion's own: their mean error decides whether a plan is exact enough.
   */
  readonly isLong?: boolean;
  /** The operator to avoid if this is wrong; null if the device is then unusable. */
  readonly replaceable: ReplaceableOperator | null;
  /** Fixed values for the graph, in its float type. */
  readonly build: (bench: Bench) => Value;
}

/** Context for building a form: a graph in one float type, with seeded values. */
export interface Bench {
  readonly g: GraphBuilder;
  /** An input of the graph, so that nothing is computed ahead, without the device. */
  input(...shape: readonly number[]): Value;
  /** Row numbers below `limit`, int64. */
  indices(limit: number, ...shape: readonly number[]): Value;
  /** A constant, like weights: a float16 number in every plan. */
  weight(...shape: readonly number[]): Value;
}

export type Users = "text" | "image" | "both";

/** One kind of attention that a graph uses. */
export interface AttentionSize {
  readonly heads: number;
  readonly headSize: number;
  readonly queries: number;
  readonly keys: number;
  readonly causal: boolean;
}

/**
 * Stable Diffusion 1.5's with fewer tokens, those of the judges' CLIP, and sizes at the limits of known
 * kernels.
 */
const ATTENTION_SIZES: readonly AttentionSize[] = [
  { heads: 2, headSize: 40, queries: 32, keys: 77, causal: false },
  { heads: 12, headSize: 64, queries: 77, keys: 77, causal: true },
  ...[40, 80, 160].flatMap((headSize) =>
    [64, 77].map((keys) => ({ heads: 8, headSize, queries: 64, keys, causal: false })),
  ),
  { heads: 2, headSize: 40, queries: 31, keys: 77, causal: false },
  { heads: 2, headSize: 64, queries: 256, keys: 256, causal: false },
  { heads: 1, headSize: 512, queries: 64, keys: 64, causal: false },
  // CLIP ViT-L/14: 256 patches, and the token for the whole picture.
  { heads: 2, headSize: 64, queries: 257, keys: 257, causal: false },
];

/** Lower than any score. */
const MASKED = -1e4;

export const attentionForm = (size: AttentionSize): OperatorForm => ({
  operator: "MultiHeadAttention",
  form: `${size.queries} queries, ${size.keys} keys, ${size.heads} x ${size.headSize}${size.causal ? ", causal" : ""}`,
  users: "image",
  replaceable: "MultiHeadAttention",
  build: ({ g, input }) => {
    const { heads, headSize, queries, keys, causal } = size;
    const width = heads * headSize;
    const mask = Array.from({ length: queries * keys }, (_, j) => (j % keys > j / keys ? MASKED : 0));
    const [q, k, v] = [input(1, queries, width), input(1, keys, width), input(1, keys, width)];
    return attention(g, q, k, v, {
      heads,
      headSize,
      ...(causal ? { bias: g.constant(g.float, [1, 1, queries, keys], mask) } : {}),
    });
  },
});

/** Whether every device is tried with attention of this size. */
export const isTried = (size: AttentionSize): boolean =>
  ATTENTION_SIZES.some((known) => JSON.stringify(known) === JSON.stringify(size));

function form(
  users: Users,
  operator: string,
  name: string,
  replaceable: ReplaceableOperator | null,
  build: OperatorForm["build"],
): OperatorForm {
  return { operator, form: name, users, replaceable, build };
}

const convolution = (
  name: string,
  from: number,
  to: number,
  kernel: number,
  stride = 1,
  [before, after] = [(kernel - 1) / 2, (kernel - 1) / 2],
) =>
  form("image", "Conv", name, null, ({ g, input, weight }) =>
    conv2d(g, input(2, from, 16, 12), weight(to, from, kernel, kernel), weight(to), {
      kernel,
      stride,
      pads: [before, before, after, after],
    }),
  );

const packed = (K: number, N: number, block: number, rows: number) =>
  form(
    "text",
    "MatMulNBits",
    `8 bits, blocks of ${block}, ${rows} x ${K} by ${N}`,
    "MatMulNBits",
    (bench) => {
      const matrix = sample(K * N, 5).map((value) => value / 8);
      return packedProduct(bench.g, bench.input(rows, K), { matrix, K, N, block }, bench.weight(N));
    },
  );

const long = (form: OperatorForm): OperatorForm => ({ ...form, isLong: true });

/**
 * A 3x3 convolution of a real number of channels, to a few channels: what counts is the length of the sums. The
 * weights are scaled to keep the size of the values.
 */
const longConvolution = (from: number, side: number) =>
  long(
    form("image", "Conv", `3x3 from ${from} channels`, null, ({ g, input, weight }) => {
      const scale = (from * 9) ** -0.5;
      const x = mul(g, input(1, from, side, side), g.scalar(scale));
      return conv2d(g, x, weight(16, from, 3, 3), weight(16), { kernel: 3, pads: [1, 1, 1, 1] });
    }),
  );

const longProduct = (K: number) =>
  long(
    form("image", "Gemm", `32 x ${K} by 64`, null, ({ g, input, weight }) =>
      linear(g, mul(g, input(32, K), g.scalar(K ** -0.5)), weight(64, K), weight(64)),
    ),
  );

/** A group norm of channels with an offset, as convolutions with a bias make them. */
const longNorm = (channels: number, height: number, width: number) =>
  long(
    form(
      "image",
      "InstanceNormalization",
      `2 groups of ${channels / 2} x ${height} x ${width}`,
      "InstanceNormalization",
      ({ g, input, weight }) =>
        groupNorm(
          g,
          add(g, input(1, channels, height, width), g.scalar(1.5)),
          weight(channels),
          weight(channels),
          { channels, groups: 2, epsilon: 1e-5 },
        ),
    ),
  );

/**
 * The longest sums of Stable Diffusion 1.5: convolutions of all its levels and of two levels joined, the wide
 * layers of its transformers, attention of 512x512 pixels with its three sizes of heads and the VAE's.
 */
const LONG_SUMS: readonly OperatorForm[] = [
  ...(
    [
      [320, 16],
      [640, 16],
      [1280, 8],
      [2560, 8],
    ] as const
  ).map(([channels, side]) => longConvolution(channels, side)),
  longProduct(1280),
  longProduct(5120),
  longNorm(20, 64, 64),
  longNorm(4, 256, 256),
  form("image", "LayerNormalization", "1280 wide", "LayerNormalization", ({ g, input, weight }) =>
    layerNorm(g, add(g, input(16, 1280), g.scalar(1)), weight(1280), weight(1280), 1e-5),
  ),
  ...(
    [
      [2, 40, 4096],
      [2, 80, 1024],
      [2, 160, 256],
      [1, 512, 4096],
    ] as const
  ).map(([heads, headSize, keys]) =>
    long(attentionForm({ heads, headSize, queries: 64, keys, causal: false })),
  ),
];

/** All forms, or one user's; in float16 with weights and arithmetic in float16. */
export function operatorForms(float: FloatType, user?: "text" | "image"): readonly OperatorForm[] {
  const ofFloat = [...IN_BOTH_FLOATS, ...LONG_SUMS, ...(float === "float16" ? FLOAT16_ONLY : FLOAT32_ONLY)];
  return ofFloat.filter(({ users }) => user === undefined || users === user || users === "both");
}

const IN_BOTH_FLOATS: readonly OperatorForm[] = [
  convolution("3x3", 32, 40, 3),
  convolution("3x3 from 4 channels", 4, 32, 3),
  convolution("3x3 to 3 channels", 32, 3, 3),
  convolution("3x3, stride 2", 32, 32, 3, 2),
  convolution("3x3, stride 2, zeros after", 32, 32, 3, 2, [0, 1]),
  convolution("1x1", 48, 32, 1),
  form("image", "Conv", "14x14 patches, no bias", null, ({ g, input, weight }) =>
    conv2d(g, input(1, 3, 56, 56), weight(48, 3, 14, 14), null, { kernel: 14, stride: 14 }),
  ),
  form("both", "MatMul", "4 dimensions", null, ({ g, input }) =>
    matmul(g, input(2, 4, 33, 40), input(2, 4, 40, 77)),
  ),
  form("both", "MatMul", "odd sizes", null, ({ g, input }) =>
    matmul(g, input(1, 3, 5, 7), input(1, 3, 7, 9)),
  ),
  form("both", "Gemm", "77 x 320 by 320, transposed weight", null, ({ g, input, weight }) =>
    linear(g, input(77, 320), weight(320, 320), weight(320)),
  ),
  form("both", "Gemm", "one row, no bias", null, ({ g, input, weight }) =>
    linear(g, input(1, 320), weight(64, 320), null),
  ),
  form("text", "Gemm", "5 x 30 by 42, weight as stored", null, ({ g, input, weight }) =>
    g.op("Gemm", [input(5, 30), weight(30, 42), weight(42)]),
  ),
  form("both", "Softmax", "rows of 77", "Softmax", ({ g, input }) => softmax(g, input(2, 3, 31, 77))),
  form("both", "LayerNormalization", "320 wide", "LayerNormalization", ({ g, input, weight }) =>
    layerNorm(g, input(9, 320), weight(320), weight(320), 1e-5),
  ),
  form(
    "image",
    "InstanceNormalization",
    "a group norm of 32 groups",
    "InstanceNormalization",
    ({ g, input, weight }) =>
      groupNorm(g, input(2, 64, 8, 6), weight(64), weight(64), { channels: 64, groups: 32, epsilon: 1e-5 }),
  ),
  form("image", "QuickGelu", "CLIP's", "QuickGelu", ({ g, input }) => quickGelu(g, input(7, 33))),
  form("image", "QuickGelu", "as SiLU", "QuickGelu", ({ g, input }) => silu(g, input(2, 8, 5, 5))),
  form("image", "Relu", "of a picture", null, ({ g, input }) => relu(g, input(2, 8, 5, 6))),
  form("image", "Tanh", "of latents", null, ({ g, input }) => tanh(g, input(2, 4, 5, 6))),
  form("both", "Gelu", "erf", "Gelu", ({ g, input }) => gelu(g, input(7, 33), "erf")),
  form("image", "Resize", "nearest, twice the size", "Resize", ({ g, input }) =>
    upsampleNearest(g, input(2, 8, 5, 6)),
  ),
  form("both", "Gather", "rows of a table", null, ({ g, indices, weight }) =>
    gather(g, weight(50, 24), indices(50, 2, 7)),
  ),
  form("image", "Concat", "channels", null, ({ g, input }) =>
    concat(g, [input(2, 8, 4, 5), input(2, 12, 4, 5)], 1),
  ),
  form("image", "Split", "halves, multiplied", null, ({ g, input }) => {
    const [a, b] = split(g, input(6, 40), [20, 20], 1) as [Value, Value];
    return mul(g, a, b);
  }),
  form("image", "Split", "four parts, joined in reverse", null, ({ g, input }) =>
    concat(g, splitEvenly(g, input(1, 2, 64, 5), 4, 2).reverse(), 2),
  ),
  form("image", "Concat", "one row before others", null, ({ g, input, weight }) =>
    concat(g, [weight(1, 1, 24), input(1, 16, 24)], 1),
  ),
  form("image", "Slice", "the first row", null, ({ g, input }) => slice(g, input(257, 24), 0, 0, 1)),
  form("image", "Gather", "rows of states", null, ({ g, input, indices }) =>
    gather(g, input(77, 24), indices(77, 2)),
  ),
  form("both", "Slice", "inner columns", null, ({ g, input }) => slice(g, input(4, 3, 20), 2, 5, 17)),
  form("image", "Transpose", "pixels and channels", null, ({ g, input }) =>
    transpose(g, input(2, 20, 30), [0, 2, 1]),
  ),
  form("both", "Transpose", "heads", null, ({ g, input }) => transpose(g, input(2, 9, 4, 10), [0, 2, 1, 3])),
  form("both", "Add", "one vector for all rows", null, ({ g, input, weight }) =>
    add(g, input(2, 6, 4, 4), weight(6, 1, 1)),
  ),
  ...ATTENTION_SIZES.map(attentionForm),
];

const FLOAT16_ONLY: readonly OperatorForm[] = [
  form("image", "Cast", "to float16 and back", null, ({ g, input }) => {
    const half = cast(g, cast(g, input(5, 11), "float32"), "float16");
    return cast(g, half, g.float);
  }),
];

/** Forms that only Promptist and the time embedding use, which are float32 in every graph. */
const FLOAT32_ONLY: readonly OperatorForm[] = [
  form("text", "Gelu", "tanh", "Gelu", ({ g, input }) => gelu(g, input(7, 36), "tanh")),
  packed(768, 96, 32, 8),
  packed(64, 40, 32, 1),
  form("text", "Split", "three parts of unnamed size", null, ({ g, input }) => {
    const [q, k, v] = g.op("Split", [input(2, 12, 3, 8)], { axis: 1, num_outputs: 3 }, { outputs: 3 });
    return add(g, mul(g, q!, k!), v!);
  }),
  form("text", "Concat", "keys, cached and new", null, ({ g, input }) =>
    concat(g, [input(2, 4, 8, 16), input(2, 4, 8, 3)], 3),
  ),
  form("image", "Sin, Cos, Round", "the time embedding", null, ({ g, input }) => {
    const angles = mul(g, input(1, 40), g.scalar(2));
    const turns = g.op("Round", [mul(g, angles, g.scalar(0.7))]);
    return add(g, concat(g, [g.op("Cos", [angles]), g.op("Sin", [angles])], 1), concat(g, [turns, turns], 1));
  }),
  form("text", "LogSoftmax", "rows of 500", null, ({ g, input }) =>
    g.op("LogSoftmax", [input(3, 500)], { axis: -1 }),
  ),
  form("text", "TopK", "16 of 500", null, ({ g, input }) => {
    const [values] = g.op("TopK", [input(3, 500), g.ints(16)], { axis: 1 }, { outputs: 2 });
    return values!;
  }),
  form(
    "text",
    "GatherElements, ScatterElements, Where",
    "the repetition penalty",
    null,
    ({ g, input, indices }) => {
      const [scores, seen] = [input(3, 60), indices(60, 3, 1)];
      const old = g.op("GatherElements", [scores, seen], { axis: 1 });
      const negative = g.op("Less", [old, g.scalar(0)]);
      const changed = g.op("Where", [
        negative,
        mul(g, old, g.scalar(1.3)),
        g.op("Div", [old, g.scalar(1.3)]),
      ]);
      return g.op("ScatterElements", [scores, seen, changed], { axis: 1 });
    },
  ),
];

/** `count` fixed values between -1.5 and 1.5 with no pattern that a kernel's tiles could repeat. */
export function sample(count: number, seed: number): Float32Array {
  // Numerical Recipes' linear congruential generator.
  let state = (seed * 2654435761 + 1) >>> 0;
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = (state / 2 ** 32 - 0.5) * 3;
  }
  return values;
}
