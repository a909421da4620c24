import { atOnce, factorize, inverseOf } from "./cholesky.js";
import { sigmoid, Z } from "./shares.js";

/** How often one of two won against the other; ties are none of these. */
export interface Duels {
  readonly one: string;
  readonly other: string;
  /** Times that `one` won, and that `other` did. */
  readonly won: number;
  readonly lost: number;
}

export interface Rating {
  readonly name: string;
  /** Share of the duels with the reference that it would win, 0 to 1, with a 95 % interval. */
  readonly share: number;
  readonly low: number;
  readonly high: number;
  /** Duels that it was in. */
  readonly n: number;
}

/** Standard deviation of the strengths before any duel, in log-odds: nine of ten win 16 to 84 % against the mean one. */
const PRIOR_DEVIATION = 1;
/** Newton's method doubles its correct digits a round; the prior keeps it from running away. */
const ROUNDS = 50;
const ENOUGH = 1e-10;

/**
 * Strengths by the model of Bradley and Terry (1952): the log-odds that one wins against another are the difference of
 * their strengths, each normal around 0 with deviation 1 before any duel, so that few duels say little. The mode by
 * Newton's method, intervals by the curvature there (Laplace). The strongest first; the reference, which need not have
 * duelled, has a share of one half.
 */
export function bradleyTerry(duels: readonly Duels[], reference: string): Rating[] {
  const names = [...new Set([reference, ...duels.flatMap(({ one, other }) => [one, other])])];
  const at = new Map(names.map((name, i) => [name, i]));
  const pairs = duels.map(({ one, other, won, lost }) => ({ i: at.get(one)!, j: at.get(other)!, won, lost }));
  const N = names.length;
  const strengths = new Float64Array(N);
  let covariance = new Float64Array(0);
  for (let round = 0; round < ROUNDS; round++) {
    const precision = PRIOR_DEVIATION ** -2;
    const gradient = Array.from(strengths, (strength) => -precision * strength);
    const curvature = new Float64Array(N * N); // [N, N]
    for (let i = 0; i < N; i++) curvature[i * N + i] = precision;
    for (const { i, j, won, lost } of pairs) {
      const share = sigmoid(strengths[i]! - strengths[j]!);
      const surplus = won - (won + lost) * share;
      gradient[i]! += surplus;
      gradient[j]! -= surplus;
      const weight = (won + lost) * share * (1 - share);
      curvature[i * N + i]! += weight;
      curvature[j * N + j]! += weight;
      curvature[i * N + j]! -= weight;
      curvature[j * N + i]! -= weight;
    }
    covariance = atOnce(inverseOf(atOnce(factorize(curvature, N)), N));
    const steps = names.map((_, i) =>
      gradient.reduce((sum, part, k) => sum + covariance[i * N + k]! * part, 0),
    );
    for (const [i, step] of steps.entries()) strengths[i]! += step;
    if (Math.max(...steps.map(Math.abs)) < ENOUGH) break;
  }
  const base = at.get(reference)!;
  return names
    .map((name, i): Rating => {
      const ahead = strengths[i]! - strengths[base]!;
      const variance = covariance[i * N + i]! + covariance[base * N + base]! - 2 * covariance[i * N + base]!;
      const half = Z * Math.sqrt(Math.max(0, variance));
      const n = pairs.reduce(
        (sum, pair) => sum + (pair.i === i || pair.j === i ? pair.won + pair.lost : 0),
        0,
      );
      return { name, share: sigmoid(ahead), low: sigmoid(ahead - half), high: sigmoid(ahead + half), n };
    })
    .sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1));
}
