import type { Derivation, GraphBuilder, Value } from "./graph.js";
import { add, concat, cropTo, matmul, mul, reshape, shapeOf, transpose } from "./ops.js";

/*
 * 3x3 convolutions after Winograd: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015
 * (arXiv 1509.09308), F(4x4, 3x3). Each tile of 4x4 results comes from 6x6 pixels d and the kernel k by
 *
 *     Y = A' [(G k G') . (B' d B)] A
 *
 * so that 36 products stand for 144. Both sides are written as products with one matrix for all rows and columns
 * of a tile at once: U = (G x G) k, V = (B x B)' d, Y = (A x A)' M, with x for Kronecker's product.
 */

/** Sides of a tile: of its results, and of the pixels that they depend on. */
const OUT = 4;
const IN = 6;

const INPUT = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
const KERNEL = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
const OUTPUT = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

/** Kronecker's product of a matrix with itself, row by row. */
const squared = (matrix: readonly (readonly number[])[]): number[][] =>
  matrix.flatMap((a) => matrix.map((b) => a.flatMap((x) => b.map((y) => x * y))));

/** The kernels of a convolution, [to, from, 3, 3], as the 36 matrices U: [36, to, from]. */
export function winogradKernels(from: string, [K, C]: readonly [number, number]): Derivation<"kernels"> {
  return {
    from,
    fromShape: [K, C, 3, 3],
    recipe: "winograd-4x4-1",
    outputs: { kernels: { type: "float32", shape: [IN * IN, K, C] } },
    compute: (values) => {
      const rows = squared(KERNEL);
      const kernels = new Float32Array(IN * IN * K * C);
      for (let i = 0; i < K * C; i++)
        for (const [row, weights] of rows.entries())
          kernels[row * K * C + i] = weights.reduce((sum, weight, j) => sum + weight * values[9 * i + j]!, 0);
      return { kernels };
    },
  };
}

/**
 * x float32 [B, C, H, W], kernels [36, K, C] of `winogradKernels`, bias [K] -> [B, K, H, W]: a 3x3 convolution with
 * stride 1 and a border of zeros.
 *
 * T = h*w tiles, h and w rounded up.
 */
export function winogradConv(
  g: GraphBuilder,
  x: Value,
  kernels: Value,
  bias: Value,
  { from: C, to: K }: { readonly from: number; readonly to: number },
): Value {
  const batch = shapeOf(g, x, 0, 1);
  const planes = reshape(g, x, concat(g, [g.ints(-1, 1), shapeOf(g, x, 2, 4)], 0)); // [B*C, 1, H, W]
  // One convolution over single planes cuts out all tiles and transforms them; zeros fill up the last ones.
  const matrix = g.constant("float32", [IN * IN, 1, IN, IN], squared(INPUT).flat());
  const pads = [1, 1, OUT, OUT];
  const tiles = g.op("Conv", [planes, matrix], { kernel_shape: [IN, IN], strides: [OUT, OUT], pads }); // [B*C, 36, h, w]
  const sides = shapeOf(g, tiles, 2, 4); // h, w
  const byRow = reshape(g, tiles, concat(g, [batch, g.ints(C, IN * IN, -1)], 0)); // [B, C, 36, T]
  const V = reshape(g, transpose(g, byRow, [2, 1, 0, 3]), [IN * IN, C, -1]); // [36, C, B*T]
  const M = reshape(g, matmul(g, kernels, V), [IN * IN, -1]); // [36, K*B*T]
  const back = g.constant("float32", [OUT * OUT, IN * IN], squared(OUTPUT).flat());
  const Y = reshape(g, matmul(g, back, M), concat(g, [g.ints(OUT, OUT, K), batch, sides], 0)); // [4, 4, K, B, h, w]
  const whole = concat(g, [batch, g.ints(K), mul(g, sides, g.ints(OUT, OUT))], 0);
  const y = cropTo(g, reshape(g, transpose(g, Y, [3, 2, 4, 0, 5, 1]), whole), x); // [B, K, H, W]
  return add(g, y, reshape(g, bias, [K, 1, 1]));
}
