/** Like torch.nn.functional.normalize: a vector of zeros stays zero. */
const LEAST_LENGTH = 1e-12;

const lengthOf = (vector: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! ** 2;
  return Math.max(Math.sqrt(sum), LEAST_LENGTH);
};

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Cosine of the angle between two vectors of one length, -1 to 1. */
export const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  dot(a, b) / (lengthOf(a) * lengthOf(b));

/** The same direction with length 1. */
export function normalized(vector: Float32Array): Float32Array {
  const length = lengthOf(vector);
  return vector.map((value) => value / length);
}
