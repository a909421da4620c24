import { type ElementType, type FloatType, type GraphBuilder, MICROSOFT, type Value } from "./graph.js";
import { DATA_TYPE } from "./proto.js";

/** Short names for operators, with the layouts of published PyTorch weights. Shapes are row-major. */

export const add = (g: GraphBuilder, a: Value, b: Value): Value => g.op("Add", [a, b]);
export const sub = (g: GraphBuilder, a: Value, b: Value): Value => g.op("Sub", [a, b]);
export const mul = (g: GraphBuilder, a: Value, b: Value): Value => g.op("Mul", [a, b]);
export const matmul = (g: GraphBuilder, a: Value, b: Value): Value => g.op("MatMul", [a, b]);

export const cast = (g: GraphBuilder, x: Value, to: ElementType): Value =>
  g.op("Cast", [x], { to: DATA_TYPE[to] });

/** 0 keeps a dimension of `x`, -1 is inferred; a Value is a shape computed in the graph. */
export const reshape = (g: GraphBuilder, x: Value, shape: readonly number[] | Value): Value =>
  g.op("Reshape", [x, "length" in shape ? g.ints(...shape) : shape]);

export const transpose = (g: GraphBuilder, x: Value, perm: readonly number[]): Value =>
  g.op("Transpose", [x], { perm });

export const concat = (g: GraphBuilder, parts: readonly Value[], axis: number): Value =>
  g.op("Concat", parts, { axis });

/** Splits into parts of the given sizes along an axis. */
export const split = (g: GraphBuilder, x: Value, sizes: readonly number[], axis: number): Value[] =>
  g.op("Split", [x, g.ints(...sizes)], { axis }, { outputs: sizes.length });

/**
 * WebGPU binds one buffer per part of a Split or Concat and guarantees only 8; the result and the parameters
 * take some of them.
 */
const MOST_PARTS = 4;

/**
 * Splits into `count` parts, a power of 4, along an axis of any size, known or not. The last part of four is
 * smaller if they can't be equal. The size must exceed 9 * count / 4, or a part would be empty.
 */
export function splitEvenly(g: GraphBuilder, x: Value, count: number, axis: number): Value[] {
  if (count === 1) return [x];
  const parts = g.op("Split", [x], { axis, num_outputs: MOST_PARTS }, { outputs: MOST_PARTS });
  return parts.flatMap((part) => splitEvenly(g, part, count / MOST_PARTS, axis));
}

/** Reverses `splitEvenly`. */
export function joinEvenly(g: GraphBuilder, parts: readonly Value[], axis: number): Value {
  if (parts.length === 1) return parts[0] as Value;
  const size = parts.length / MOST_PARTS;
  const quarters = Array.from({ length: MOST_PARTS }, (_, i) => parts.slice(i * size, (i + 1) * size));
  return concat(
    g,
    quarters.map((quarter) => joinEvenly(g, quarter, axis)),
    axis,
  );
}

/** `x[start:end]` along one axis. */
export const slice = (g: GraphBuilder, x: Value, axis: number, start: number, end: number): Value =>
  g.op("Slice", [x, g.ints(start), g.ints(end), g.ints(axis)]);

/** Crops x [B, C, H, W] at the upper left to the height and width of `like` -> [B, C, height, width] */
export const cropTo = (g: GraphBuilder, x: Value, like: Value): Value =>
  g.op("Slice", [x, g.ints(0, 0), shapeOf(g, like, 2, 4), g.ints(2, 3)]);

/** Sizes of the dimensions from `start` up to but excluding `end` (to the last without it), as int64. */
export const shapeOf = (g: GraphBuilder, x: Value, start = 0, end?: number): Value =>
  g.op("Shape", [x], end === undefined ? { start } : { start, end });

export const gather = (g: GraphBuilder, data: Value, indices: Value, axis = 0): Value =>
  g.op("Gather", [data, indices], { axis });

export function softmax(g: GraphBuilder, x: Value, axis = -1): Value {
  if (!g.avoided.has("Softmax")) return g.op("Softmax", [x], { axis });
  const largest = g.op("ReduceMax", [x, g.ints(axis)], { keepdims: 1 });
  const powers = g.op("Exp", [sub(g, x, largest)]);
  return g.op("Div", [powers, g.op("ReduceSum", [powers, g.ints(axis)], { keepdims: 1 })]);
}

/** x [rows, in], weight [out, in] as in torch.nn.Linear, bias [out] or null -> [rows, out]. */
export const linear = (g: GraphBuilder, x: Value, weight: Value, bias: Value | null): Value =>
  g.op("Gemm", [x, weight, bias], { transB: 1 });

/** Normalizes over the last axis; weight and bias [C]. */
export const layerNorm = (g: GraphBuilder, x: Value, weight: Value, bias: Value, epsilon: number): Value =>
  g.avoided.has("LayerNormalization")
    ? add(g, mul(g, standardize(g, x, epsilon), weight), bias)
    : g.op("LayerNormalization", [x, weight, bias], { axis: -1, epsilon: { float: epsilon } });

/** (x - mean) / sqrt(variance + epsilon) over the last axis, in float32. */
function standardize(g: GraphBuilder, x: Value, epsilon: number): Value {
  const wide = cast(g, x, "float32");
  const mean = (of: Value) => g.op("ReduceMean", [of, g.ints(-1)], { keepdims: 1 });
  const centered = sub(g, wide, mean(wide));
  const variance = mean(mul(g, centered, centered));
  const deviation = g.op("Sqrt", [add(g, variance, g.scalar(epsilon, "float32"))]);
  return cast(g, g.op("Div", [centered, deviation]), g.float);
}

export interface GroupNormOptions {
  readonly channels: number;
  readonly groups: number;
  readonly epsilon: number;
}

/**
 * x [B, C, H, W]; weight and bias [C]. Built from InstanceNormalization over groups: no runtime but CUDA's
 * has a kernel for GroupNormalization, and its function body is slower.
 */
export function groupNorm(
  g: GraphBuilder,
  x: Value,
  weight: Value,
  bias: Value,
  { channels, groups, epsilon }: GroupNormOptions,
): Value {
  const grouped = reshape(g, x, [0, groups, -1]); // [B, G, C/G*H*W]
  const normal = g.avoided.has("InstanceNormalization")
    ? standardize(g, grouped, epsilon)
    : instanceNorm(g, grouped, groups, epsilon);
  const back = reshape(g, normal, shapeOf(g, x)); // [B, C, H, W]
  const scaled = mul(g, back, reshape(g, weight, [channels, 1, 1]));
  return add(g, scaled, reshape(g, bias, [channels, 1, 1]));
}

/** Normalizes each channel of x [B, C, N] to mean 0 and variance 1. */
function instanceNorm(g: GraphBuilder, x: Value, channels: number, epsilon: number): Value {
  const ones = g.constant(g.float, [channels], Array(channels).fill(1));
  const zeros = g.constant(g.float, [channels], Array(channels).fill(0));
  return g.op("InstanceNormalization", [x, ones, zeros], { epsilon: { float: epsilon } });
}

/** x * sigmoid(alpha * x): CLIP's activation. */
export const quickGelu = (g: GraphBuilder, x: Value, alpha = 1.702): Value =>
  g.avoided.has("QuickGelu")
    ? mul(g, x, g.op("Sigmoid", [alpha === 1 ? x : mul(g, x, g.scalar(alpha))]))
    : g.op("QuickGelu", [x], { alpha: { float: alpha } }, { domain: MICROSOFT });

/** x * sigmoid(x), in one operator. */
export const silu = (g: GraphBuilder, x: Value): Value => quickGelu(g, x, 1);

/** The exact form (erf), or GPT-2's approximation with tanh. */
export function gelu(g: GraphBuilder, x: Value, form: "erf" | "tanh" = "erf"): Value {
  if (!g.avoided.has("Gelu")) return g.op("Gelu", [x], { approximate: form === "tanh" ? "tanh" : "none" });
  const half = mul(g, x, g.scalar(0.5));
  if (form === "erf") {
    const erf = g.op("Erf", [mul(g, x, g.scalar(Math.SQRT1_2))]);
    return mul(g, half, add(g, erf, g.scalar(1)));
  }
  // 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))): Hendrycks and Gimpel, 2016.
  const cube = mul(g, mul(g, x, mul(g, x, x)), g.scalar(0.044715));
  const bent = tanh(g, mul(g, add(g, x, cube), g.scalar(Math.sqrt(2 / Math.PI))));
  return mul(g, half, add(g, bent, g.scalar(1)));
}

export const relu = (g: GraphBuilder, x: Value): Value => g.op("Relu", [x]);
export const tanh = (g: GraphBuilder, x: Value): Value => g.op("Tanh", [x]);

export interface ConvOptions {
  readonly kernel: number;
  readonly stride?: number;
  /** Zeros above, to the left, below and to the right. */
  readonly pads?: readonly [number, number, number, number];
}

/** x [B, Cin, H, W], weight [Cout, Cin, k, k], bias [Cout] -> [B, Cout, H', W'] */
export function conv2d(
  g: GraphBuilder,
  x: Value,
  weight: Value,
  bias: Value | null,
  { kernel, stride = 1, pads = [0, 0, 0, 0] }: ConvOptions,
): Value {
  return g.op("Conv", [x, weight, bias], {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [...pads],
  });
}

/** x [B, C, H, W] -> [B, C, 2H, 2W]; each value fills a 2x2 square. */
export function upsampleNearest(g: GraphBuilder, x: Value): Value {
  if (!g.avoided.has("Resize"))
    return g.op("Resize", [x, null, g.constant("float32", [4], [1, 1, 2, 2])], {
      mode: "nearest",
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    });
  const sides = g.op("Mul", [shapeOf(g, x, 2, 4), g.ints(2)]); // 2H, 2W
  const twice = (y: Value, axis: number) => concat(g, [y, y], axis);
  const cells = reshape(g, x, [0, 0, 0, 1, -1, 1]); // [B, C, H, 1, W, 1]
  return reshape(g, twice(twice(cells, 5), 3), concat(g, [shapeOf(g, x, 0, 2), sides], 0)); // [B, C, 2H, 2W]
}

export interface AttentionOptions {
  readonly heads: number;
  readonly headSize: number;
  /**
   * Only when spelled out: the number of parts, a power of 4, that the queries are processed in, so that the
   * scores are never all in memory; see `splitEvenly`.
   */
  readonly queryChunks?: number;
  /** Added to the scores: [1 or B, 1 or heads, N, M]. */
  readonly bias?: Value;
  /** Type of q, k and v, if not the graph's. */
  readonly type?: FloatType;
}

/**
 * softmax(q k' / sqrt(headSize) + bias) v; q [B, N, heads*headSize], k and v [B, M, heads*headSize] -> as q.
 * One operator, or MatMul, Softmax, MatMul if the device computes that operator wrongly.
 */
export function attention(g: GraphBuilder, q: Value, k: Value, v: Value, options: AttentionOptions): Value {
  const { heads, headSize, bias } = options;
  const scale = 1 / Math.sqrt(headSize);
  if (!g.avoided.has("MultiHeadAttention"))
    return g.op(
      "MultiHeadAttention",
      bias === undefined ? [q, k, v] : [q, k, v, null, null, bias],
      { num_heads: heads, scale: { float: scale } },
      { domain: MICROSOFT },
    );

  const byHead = (x: Value, perm: readonly number[]) =>
    transpose(g, reshape(g, x, [0, 0, heads, headSize]), perm);
  const queries = mul(g, byHead(q, [0, 2, 1, 3]), g.scalar(scale, options.type)); // [B, heads, N, headSize]
  const keys = byHead(k, [0, 2, 3, 1]); // [B, heads, headSize, M]
  const values = byHead(v, [0, 2, 1, 3]); // [B, heads, M, headSize]
  const chunks = bias === undefined ? (options.queryChunks ?? 1) : 1;
  const parts = splitEvenly(g, queries, chunks, 2).map((part) => {
    const scores = matmul(g, part, keys); // [B, heads, N/chunks, M]
    return matmul(g, softmax(g, bias === undefined ? scores : add(g, scores, bias)), values);
  });
  const result = joinEvenly(g, parts, 2); // [B, heads, N, headSize]
  return reshape(g, transpose(g, result, [0, 2, 1, 3]), [0, 0, heads * headSize]); // [B, N, heads*headSize]
}
