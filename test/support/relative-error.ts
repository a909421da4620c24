/** Length of the difference divided by the length of the expected vector; NaN if anything is NaN. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Number.NaN;
  let difference = 0;
  let length = 0;
  for (const [i, value] of expected.entries()) {
    difference += ((actual[i] as number) - value) ** 2;
    length += value ** 2;
  }
  return Math.sqrt(difference / length);
}
