import { type GraphBuilder, MICROSOFT, type Value } from "../onnx/graph.js";
import { concat, mul, reshape, shapeOf, sub } from "../onnx/ops.js";

/**
 * Products of activations and a weight matrix, for each form in which a decoder's weights are stored.
 *
 * | symbol | meaning |
 * |---|---|
 * | M | rows of activations |
 * | K, N | inputs and outputs of the matrix |
 */
export type ProductForm =
  /** fp32 weights. */
  | { readonly kind: "float" }
  /**
   * 8-bit weights with one scale for each `block` inputs of an output (com.microsoft.MatMulNBits), which
   * every device has. `accuracy` 0 leaves activations in float32; 4 rounds them to 8 bits, block by block,
   * where the device can.
   */
  | { readonly kind: "blocks"; readonly block: number; readonly accuracy: 0 | 4 }
  /**
   * 8-bit weights with one scale for each output, as in LLM.int8 (Dettmers et al., 2022). Activations are
   * split into two 7-bit halves with one scale for each row, which keeps 14 bits of them, and multiplied as
   * integers. CPU only.
   */
  | { readonly kind: "rows" };

export interface Matrix {
  /** The checkpoint's key. */
  readonly key: string;
  readonly K: number;
  readonly N: number;
  /** `NK` like torch.nn.Linear's and embeddings, `KN` like GPT-2's transposed ones. */
  readonly stored: "KN" | "NK";
}

/** x [M, K], bias [N] -> [M, N] */
export type Product = (x: Value, matrix: Matrix, bias: Value | null) => Value;

/** Makes products in one form; all of them have the same rows M. */
export function productMaker(g: GraphBuilder, form: ProductForm): Product {
  switch (form.kind) {
    case "float":
      return (x, { key, K, N, stored }, bias) =>
        stored === "KN"
          ? g.op("Gemm", [x, g.parameter(key, [K, N]), bias])
          : g.op("Gemm", [x, g.parameter(key, [N, K]), bias], { transB: 1 });
    case "blocks":
      return (x, matrix, bias) => blocksProduct(g, x, matrix, bias, form);
    case "rows":
      return rowsProduct(g);
  }
}

function blocksProduct(
  g: GraphBuilder,
  x: Value,
  { key, K, N, stored }: Matrix,
  bias: Value | null,
  { block, accuracy }: { block: number; accuracy: 0 | 4 },
): Value {
  if (g.avoided.has("MatMulNBits")) return unpackedProduct(g, x, { key, K, N, stored }, bias, block);
  const blocks = Math.ceil(K / block);
  const { matrix, scales } = g.derived({
    from: key,
    fromShape: stored === "KN" ? [K, N] : [N, K],
    recipe: `int8-blocks-${block}-${stored}`,
    outputs: {
      matrix: { type: "uint8", shape: [N, blocks, block] },
      scales: { type: "float32", shape: [N * blocks] },
    },
    compute: (values) => quantizeBlocks(stored === "KN" ? transposed(values, K, N) : values, K, block),
  });
  return matMulNBits(g, [x, matrix, scales], bias, { K, N, block, accuracy });
}

/** The same numbers, unpacked to float32 when the graph is compiled: four times the memory. */
function unpackedProduct(
  g: GraphBuilder,
  x: Value,
  { key, K, N, stored }: Matrix,
  bias: Value | null,
  block: number,
): Value {
  const { matrix } = g.derived({
    from: key,
    fromShape: stored === "KN" ? [K, N] : [N, K],
    recipe: `int8-blocks-${block}-${stored}-unpacked`,
    outputs: { matrix: { type: "float32", shape: [N, K] } },
    compute: (values) => {
      const packed = quantizeBlocks(stored === "KN" ? transposed(values, K, N) : values, K, block);
      return { matrix: unpackBlocks(packed, N, K, block) };
    },
  });
  return g.op("Gemm", [x, matrix, bias], { transB: 1 });
}

/**
 * Halves of an activation go from -64 to 64, plus 64. Processors without 8-bit dot products add two products
 * of a byte and a signed byte in 16 bits. That is exact for bytes up to 129 and silently saturates beyond.
 */
const HALF = 64;

/**
 * x = s (high + low / 128), both halves whole numbers from -64 to 64 and s = max |x| / 64 for each row. The
 * halves are rows of one integer product, so that the weights are read once. A small matrix [M, 2M] with s
 * and s / 128 on its diagonals combines them.
 */
function rowsProduct(g: GraphBuilder): Product {
  const zero = g.constant("uint8", [], [HALF]);
  const one = g.scalar(1);
  let perGraph: { zeros: Value; diagonals: Value } | undefined;

  return (x, { key, K, N, stored }, bias) => {
    perGraph ??= ofRows(g, shapeOf(g, x, 0, 1), zero);
    const { zeros, diagonals } = perGraph;
    const { matrix, scales } = g.derived({
      from: key,
      fromShape: stored === "KN" ? [K, N] : [N, K],
      recipe: `int8-rows-${stored}`,
      outputs: { matrix: { type: "int8", shape: [K, N] }, scales: { type: "float32", shape: [N] } },
      compute: (values) => quantizeColumns(stored === "NK" ? transposed(values, N, K) : values, N),
    });
    const largest = g.op("ReduceMax", [g.op("Abs", [x]), g.ints(1)], { keepdims: 1 }); // [M, 1]
    // A row of zeros must not divide by zero.
    const scale = g.op("Max", [mul(g, largest, g.scalar(1 / HALF)), g.scalar(1e-30)]); // [M, 1]
    const perRow = reshape(g, scale, [-1]); // [M]
    const high = g.op("QuantizeLinear", [x, perRow, zeros], { axis: 0 }); // [M, K]
    const rest = sub(g, x, g.op("DequantizeLinear", [high, perRow, zeros], { axis: 0 }));
    const low = g.op("QuantizeLinear", [rest, mul(g, perRow, g.scalar(1 / (2 * HALF))), zeros], { axis: 0 });
    const halves = concat(g, [high, low], 0); // [2M, K]
    const inputs = [halves, matrix, one, scales, zero];
    const whole = g.op("MatMulIntegerToFloat", inputs, {}, { domain: MICROSOFT }); // [2M, N]
    const together = mul(g, scale, diagonals); // [M, 2M]
    return g.op("Gemm", bias === null ? [together, whole] : [together, whole, bias]); // [M, N]
  };
}

/**
 * Tensors that depend only on M [1], the number of rows: a zero point per row, [M], and a matrix [M, 2M] with
 * ones on one diagonal and 1/128 on another.
 */
function ofRows(g: GraphBuilder, M: Value, zero: Value): { zeros: Value; diagonals: Value } {
  const identity = g.op("EyeLike", [g.op("ConstantOfShape", [concat(g, [M, M], 0)])]); // [M, M]
  return {
    zeros: g.op("Expand", [zero, M]),
    diagonals: concat(g, [identity, mul(g, identity, g.scalar(1 / (2 * HALF)))], 1),
  };
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  // In tiles, so that both sides stay in the processor's cache.
  const TILE = 64;
  for (let top = 0; top < rows; top += TILE) {
    for (let left = 0; left < columns; left += TILE) {
      const bottom = Math.min(top + TILE, rows);
      const right = Math.min(left + TILE, columns);
      for (let r = top; r < bottom; r++) {
        for (let c = left; c < right; c++) result[c * rows + r] = values[r * columns + c]!;
      }
    }
  }
  return result;
}

/**
 * Rounds each run of `block` values of a row to multiples of its largest magnitude / 127; a row's last block
 * is padded.
 */
function quantizeBlocks(values: Float32Array, columns: number, block: number) {
  const rows = values.length / columns;
  const blocks = Math.ceil(columns / block);
  // MatMulNBits represents zero as 128.
  const matrix = new Uint8Array(rows * blocks * block).fill(128);
  const scales = new Float32Array(rows * blocks);
  for (let b = 0; b < scales.length; b++) {
    const row = Math.floor(b / blocks);
    const first = row * columns + (b % blocks) * block;
    const end = Math.min(first + block, (row + 1) * columns);
    let largest = 0;
    for (let i = first; i < end; i++) largest = Math.max(largest, Math.abs(values[i]!));
    const scale = Math.fround(largest / 127);
    scales[b] = scale;
    if (scale === 0) continue;
    for (let i = first; i < end; i++) matrix[b * block + i - first] = Math.round(values[i]! / scale) + 128;
  }
  return { matrix, scales };
}

/** x [M, K] by 8-bit blocks of a given matrix [N, K], float activations: what the form "blocks" runs. */
export function packedProduct(
  g: GraphBuilder,
  x: Value,
  { matrix: values, K, N, block }: { matrix: Float32Array; K: number; N: number; block: number },
  bias: Value,
): Value {
  const packed = quantizeBlocks(values, K, block);
  if (g.avoided.has("MatMulNBits"))
    return g.op("Gemm", [x, g.constant("float32", [N, K], unpackBlocks(packed, N, K, block)), bias], {
      transB: 1,
    });
  const matrix = g.constant("uint8", [N, Math.ceil(K / block), block], packed.matrix);
  const scales = g.constant("float32", [packed.scales.length], packed.scales);
  return matMulNBits(g, [x, matrix, scales], bias, { K, N, block, accuracy: 0 });
}

function matMulNBits(
  g: GraphBuilder,
  inputs: readonly [x: Value, matrix: Value, scales: Value],
  bias: Value | null,
  { K, N, block, accuracy }: { K: number; N: number; block: number; accuracy: 0 | 4 },
): Value {
  return g.op(
    "MatMulNBits",
    bias === null ? inputs : [...inputs, null, null, bias],
    { K, N, bits: 8, block_size: block, accuracy_level: accuracy },
    { domain: MICROSOFT },
  );
}

/** Unpacks the result of `quantizeBlocks` to float32 [N, K]. */
function unpackBlocks(
  { matrix, scales }: ReturnType<typeof quantizeBlocks>,
  N: number,
  K: number,
  block: number,
): Float32Array {
  const blocks = Math.ceil(K / block);
  return Float32Array.from({ length: N * K }, (_, i) => {
    const [row, column] = [Math.floor(i / K), i % K];
    const b = row * blocks + Math.floor(column / block);
    return (matrix[b * block + (column % block)]! - 128) * scales[b]!;
  });
}

/** Rounds each column to multiples of its largest magnitude / 127. */
function quantizeColumns(values: Float32Array, columns: number) {
  const scales = new Float32Array(columns);
  for (let i = 0; i < values.length; i++) {
    const column = i % columns;
    const magnitude = Math.abs(values[i]!);
    if (magnitude > scales[column]!) scales[column] = magnitude;
  }
  for (let column = 0; column < columns; column++) scales[column] = scales[column]! / 127 || 1;
  const matrix = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) matrix[i] = Math.round(values[i]! / scales[i % columns]!);
  return { matrix, scales };
}
