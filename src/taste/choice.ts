import { atOnce, factorize } from "../core/statistics/cholesky.js";
import type { Difference, Known } from "./posterior.js";

/** One of the rewrites to choose from. */
export interface Option {
  readonly difference: Difference;
  /** How much less likely it is than the first, in log-odds; 0 for the first. */
  readonly likelihood: number;
}

/** Which rewrite is taken, and how likely each was to be. */
export interface Chosen {
  readonly index: number;
  /** The one that is best by what is known. */
  readonly greedy: number;
  /** They sum to 1. */
  readonly propensities: readonly number[];
}

/** Share of the choices that explore: half of them follow the uncertainty, half take the model's own first. */
export const EXPLORED = 0.1;
/** Thompson's draws, from whose counts one is taken, so that its propensity is exact. */
const DRAWS = 500;

/**
 * Chooses a rewrite: the one whose likelihood and taste together are best; in EXPLORED / 2 of the cases one as likely
 * as it is the best by what is known (Thompson sampling: W. Thompson, 1933), in as many the first, so that both ways
 * can be compared by their propensities. `options` has the model's own first at 0, and at least one. `random`: from 0
 * to 1.
 */
export function choose(
  options: readonly Option[],
  posterior: Known,
  random: () => number = Math.random,
): Chosen {
  const scores = options.map(({ difference, likelihood }) => likelihood + posterior.logOdds(difference));
  const lower = lowerOf(options, posterior);
  const B = options.length;
  const counts = new Array<number>(B).fill(0);
  for (let draw = 0; draw < DRAWS; draw++) {
    const noise = scores.map(() => normal(random));
    const drawn = scores.map((score, i) =>
      noise.slice(0, i + 1).reduce((sum, part, j) => sum + lower[i * B + j]! * part, score),
    );
    counts[best(drawn)]!++;
  }
  const greedy = best(scores);
  const propensities = counts.map(
    (count, i) =>
      (i === greedy ? 1 - EXPLORED : 0) + (EXPLORED / 2) * (count / DRAWS) + (i === 0 ? EXPLORED / 2 : 0),
  );
  let left = random();
  const index = propensities.findIndex((propensity) => {
    left -= propensity;
    return left < 0;
  });
  return { index: index < 0 ? greedy : index, greedy, propensities };
}

/** The root of the options' covariance, [B, B]. */
function lowerOf(options: readonly Option[], posterior: Known): Float64Array {
  const B = options.length;
  const covariance = new Float64Array(B * B);
  for (let i = 0; i < B; i++) {
    for (let j = 0; j <= i; j++) {
      covariance[i * B + j] =
        posterior.covariance(options[i]!.difference, options[j]!.difference) + (i === j ? JITTER : 0);
    }
  }
  return atOnce(factorize(covariance, B));
}

/** Two options may have the same features. */
const JITTER = 1e-9;

const best = (scores: readonly number[]): number => scores.indexOf(Math.max(...scores));

/** A number of the standard normal distribution (G. Box and M. Muller, 1958). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
