/** Side of the square of `up` that is held in registers while going through a run of columns. */
const SIDE = 4;
/** Columns per run: SIDE rows of `down` and SIDE rows of sums fit in the first-level cache. */
const STRETCH = 256;

/** values [rows, n] += factor * up [rows, r] . down [r, n], row-major, summed in float64 */
export function addProduct(
  values: Float32Array,
  up: Float32Array,
  down: Float32Array,
  rank: number,
  factor: number,
): void {
  const columns = down.length / rank;
  const rows = up.length / rank;
  const depth = Math.ceil(rank / SIDE) * SIDE;
  const A = new Float32Array(depth * columns); // [r rounded up, n]
  A.set(down);
  const B = new Float32Array(Math.ceil(rows / SIDE) * SIDE * depth); // [rows rounded up, r rounded up]
  for (let row = 0; row < rows; row++) B.set(up.subarray(row * rank, (row + 1) * rank), row * depth);

  const sums = new Float64Array(SIDE * STRETCH); // [SIDE, STRETCH]
  for (let column = 0; column < columns; column += STRETCH) {
    const width = Math.min(STRETCH, columns - column);
    for (let row = 0; row < rows; row += SIDE) {
      sums.fill(0);
      for (let k = 0; k < depth; k += SIDE)
        addSquare(sums, A.subarray(k * columns + column), columns, width, B.subarray(row * depth + k), depth);
      for (let i = 0; i < Math.min(SIDE, rows - row); i++)
        for (let j = 0; j < width; j++)
          values[(row + i) * columns + column + j]! += factor * sums[i * STRETCH + j]!;
    }
  }
}

/** sums [4, width] += B [4, 4] . A [4, width]; a row of A is `columns` long, one of B `depth`. */
function addSquare(
  sums: Float64Array,
  A: Float32Array,
  columns: number,
  width: number,
  B: Float32Array,
  depth: number,
): void {
  // Named one by one: an array or an inner loop costs more than the sums themselves.
  const b00 = B[0]!;
  const b01 = B[1]!;
  const b02 = B[2]!;
  const b03 = B[3]!;
  const b10 = B[depth]!;
  const b11 = B[depth + 1]!;
  const b12 = B[depth + 2]!;
  const b13 = B[depth + 3]!;
  const b20 = B[2 * depth]!;
  const b21 = B[2 * depth + 1]!;
  const b22 = B[2 * depth + 2]!;
  const b23 = B[2 * depth + 3]!;
  const b30 = B[3 * depth]!;
  const b31 = B[3 * depth + 1]!;
  const b32 = B[3 * depth + 2]!;
  const b33 = B[3 * depth + 3]!;
  const A1 = A.subarray(columns);
  const A2 = A.subarray(2 * columns);
  const A3 = A.subarray(3 * columns);
  for (let j = 0; j < width; j++) {
    const a0 = A[j]!;
    const a1 = A1[j]!;
    const a2 = A2[j]!;
    const a3 = A3[j]!;
    sums[j]! += b00 * a0 + b01 * a1 + b02 * a2 + b03 * a3;
    sums[STRETCH + j]! += b10 * a0 + b11 * a1 + b12 * a2 + b13 * a3;
    sums[2 * STRETCH + j]! += b20 * a0 + b21 * a1 + b22 * a2 + b23 * a3;
    sums[3 * STRETCH + j]! += b30 * a0 + b31 * a1 + b32 * a2 + b33 * a3;
  }
}
