/** Multiplications between two yields: some milliseconds. */
const AT_ONCE = 4_000_000;

/**
 * The lower triangle L of a positive definite matrix, [n, n], with L L' = matrix (Cholesky). Only the matrix's
 * lower triangle is read. Yields between pieces of work of some milliseconds.
 */
export function* factorize(matrix: Float64Array, n: number): Generator<void, Float64Array, void> {
  const lower = Float64Array.from(matrix);
  let work = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = lower[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * n + k]! * lower[j * n + k]!;
      lower[i * n + j] = i === j ? Math.sqrt(sum) : sum / lower[j * n + j]!;
    }
    lower.fill(0, i * n + i + 1, (i + 1) * n);
    work += (i * i) / 2;
    if (work < AT_ONCE) continue;
    work = 0;
    yield;
  }
  return lower;
}

/** The inverse of L L', [n, n]. */
export function* inverseOf(lower: Float64Array, n: number): Generator<void, Float64Array<ArrayBuffer>, void> {
  // Row i of `turned` is column i of L's inverse.
  const turned = new Float64Array(n * n);
  let work = 0;
  for (let i = 0; i < n; i++) {
    turned[i * n + i] = 1 / lower[i * n + i]!;
    for (let j = i + 1; j < n; j++) {
      let sum = 0;
      for (let k = i; k < j; k++) sum -= lower[j * n + k]! * turned[i * n + k]!;
      turned[i * n + j] = sum / lower[j * n + j]!;
    }
    work += (n - i) ** 2 / 2;
    if (work < AT_ONCE) continue;
    work = 0;
    yield;
  }
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += turned[i * n + k]! * turned[j * n + k]!;
      inverse[i * n + j] = sum;
      inverse[j * n + i] = sum;
    }
    work += i * (n - i);
    if (work < AT_ONCE) continue;
    work = 0;
    yield;
  }
  return inverse;
}

/** The result of work that is small enough to be done without a pause. */
export function atOnce<Result>(work: Generator<void, Result, void>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
