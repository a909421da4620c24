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
