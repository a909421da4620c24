import { type Interval, sigmoid, Z } from "../core/statistics/shares.js";
import type { Taste } from "./tastes.js";

/** What is known of one phrase in a server. */
export interface KnownPhrase {
  readonly phrase: string;
  /** How often a rewrite with it would win against the same one without it, 0 to 1. */
  readonly share: number;
  /** Holds the share in 95 % of the cases. */
  readonly interval: Interval;
  /** The same in log-odds, and its standard deviation. */
  readonly effect: number;
  readonly deviation: number;
  /** Votes on pairs with the phrase. */
  readonly n: number;
}

/** What a server has taught, surest first. */
export interface Liking {
  readonly votes: number;
  readonly liked: readonly KnownPhrase[];
  readonly disliked: readonly KnownPhrase[];
}

/** A phrase of a single pair tells nothing yet, and may be a person's own words. */
const PAIRS_MIN = 2;

/** The phrases that a server voted on, the surest liked first and the surest disliked last, and how many votes. */
export function knownPhrases({ server, features }: Taste): {
  readonly votes: number;
  readonly phrases: readonly KnownPhrase[];
} {
  const phrases = [...server.effects()]
    .filter(({ pairs }) => pairs >= PAIRS_MIN)
    .sort((a, b) => b.mean / b.deviation - a.mean / a.deviation)
    .map(({ feature, mean, deviation, n }) => ({
      phrase: features.phrase(feature)!,
      share: sigmoid(mean),
      interval: { low: sigmoid(mean - Z * deviation), high: sigmoid(mean + Z * deviation) },
      effect: mean,
      deviation,
      n,
    }));
  return { votes: server.votes, phrases };
}

/** The same parted by whether they win or lose more often, the surest of each first. */
export function likingOf(taste: Taste): Liking {
  const { votes, phrases } = knownPhrases(taste);
  const liked = phrases.filter(({ share }) => share > 0.5);
  const disliked = phrases.filter(({ share }) => share < 0.5).reverse();
  return { votes, liked, disliked };
}
