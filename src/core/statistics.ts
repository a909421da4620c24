/** Standard normal quantile for a two-sided 95 % interval. */
export const Z = 1.959964;

/** The probability that has these log-odds. */
export const sigmoid = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds));

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval (E. B. Wilson, 1927) of a share at 95 %. Stays valid for few votes and for shares
 * near 0 or 1, where the usual p +- 1.96 sqrt(p(1-p)/n) is far too narrow. `n` 0 gives the whole range.
 */
export function wilson(successes: number, n: number): Interval {
  if (n === 0) return { low: 0, high: 1 };
  const p = successes / n;
  const spread = 1 + Z ** 2 / n;
  const center = (p + Z ** 2 / (2 * n)) / spread;
  const half = (Z / spread) * Math.sqrt((p * (1 - p)) / n + Z ** 2 / (4 * n ** 2));
  return { low: Math.max(0, center - half), high: Math.min(1, center + half) };
}

/** A share that was counted or weighed. */
export interface Share extends Interval {
  readonly share: number;
  readonly n: number;
}

/** Votes on one pair. */
export interface PairVotes {
  /** One over the probability with which the pair was shown; 1 where it was not left to chance. */
  readonly weight: number;
  readonly won: number;
  readonly n: number;
}

/**
 * The share of won votes, each pair weighed by the inverse of its probability (J. Hajek, 1971), with Wilson's interval
 * for as many observations as the pairs are worth (L. Kish, 1965): votes on one pair tell of one pair. Null for none.
 */
export function weightedShare(pairs: readonly PairVotes[]): Share | null {
  const sum = (part: (pair: PairVotes) => number) => pairs.reduce((all, pair) => all + part(pair), 0);
  const n = sum((pair) => pair.n);
  if (n === 0) return null;
  const total = sum(({ weight, n }) => weight * n);
  const share = sum(({ weight, won }) => weight * won) / total;
  const worth = total ** 2 / sum(({ weight, n }) => (weight * n) ** 2);
  return { share, n, ...wilson(share * worth, worth) };
}

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

/**
 * Numbers from 0 to 1 (T. Ettinger's mulberry32, public domain): 32 bits of state are enough for resampling.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
