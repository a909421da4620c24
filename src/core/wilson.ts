/** Standard normal quantile of a two-sided 95 % interval. */
const Z = 1.959964;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval (E. B. Wilson, 1927) of a share at 95 %: honest for few votes and for shares near 0 or 1,
 * where the usual p +- 1.96 sqrt(p(1-p)/n) claims to be sure. `n` 0 gives the whole range.
 */
export function wilson(successes: number, n: number): Interval {
  if (n === 0) return { low: 0, high: 1 };
  const p = successes / n;
  const spread = 1 + Z ** 2 / n;
  const center = (p + Z ** 2 / (2 * n)) / spread;
  const half = (Z / spread) * Math.sqrt((p * (1 - p)) / n + Z ** 2 / (4 * n ** 2));
  return { low: Math.max(0, center - half), high: Math.min(1, center + half) };
}
