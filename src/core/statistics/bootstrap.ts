import { seededRandom } from "./random.js";
import type { Interval } from "./shares.js";

export interface Mean extends Interval {
  readonly mean: number;
  readonly n: number;
}

/** With this many, the noise of the percentiles is under a tenth of the interval's width. */
const RESAMPLES = 2_000;
/**
 * Limits the values drawn in total, so a large sample does not block the thread; its interval is stable
 * anyway.
 */
const MAX_DRAWS = 1_000_000;
const MIN_RESAMPLES = 200;
const TAIL = 0.025;

/**
 * The mean of a sample with the percentile bootstrap's 95 % interval (B. Efron, 1979): the middle 95 % of the
 * means of samples drawn from it with replacement. The draws are seeded, so the same values give the same
 * interval. Null for an empty sample. For one value the interval is that value, which says nothing, so
 * callers show n.
 * @param maxDraws values drawn in total, which takes about 10 ns each
 */
export function bootstrapMean(values: ArrayLike<number>, seed = 1, maxDraws = MAX_DRAWS): Mean | null {
  const n = values.length;
  if (n === 0) return null;
  const random = seededRandom(seed);
  const means = resampled(n, maxDraws, () => resampledMean(values, random));
  return { mean: meanOf(values), ...middle(means), n };
}

/**
 * The mean of `values` minus that of `others`, two samples of which nothing belongs together, with the percentile
 * bootstrap's 95 % interval: both are drawn anew each time. Null where one is empty; `n` counts `values`.
 */
export function bootstrapDifference(
  values: ArrayLike<number>,
  others: ArrayLike<number>,
  seed = 1,
  maxDraws = MAX_DRAWS,
): Mean | null {
  const n = values.length;
  if (n === 0 || others.length === 0) return null;
  const random = seededRandom(seed);
  const differences = resampled(
    n + others.length,
    maxDraws,
    () => resampledMean(values, random) - resampledMean(others, random),
  );
  return { mean: meanOf(values) - meanOf(others), ...middle(differences), n };
}

export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

function resampledMean(values: ArrayLike<number>, random: () => number): number {
  const n = values.length;
  let sum = 0;
  for (let draw = 0; draw < n; draw++) sum += values[Math.floor(random() * n)]!;
  return sum / n;
}

/** The statistic of each resample, ascending; `n` values are drawn for one. */
const resampled = (n: number, maxDraws: number, statistic: () => number): Float64Array =>
  Float64Array.from(
    { length: Math.max(MIN_RESAMPLES, Math.min(RESAMPLES, Math.floor(maxDraws / n))) },
    statistic,
  ).sort();

/** The middle 95 % of ascending values. */
const middle = (sorted: Float64Array): Interval => ({
  low: sorted[Math.floor(TAIL * (sorted.length - 1))]!,
  high: sorted[Math.ceil((1 - TAIL) * (sorted.length - 1))]!,
});
