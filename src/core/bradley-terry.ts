import { sigmoid, Z } from "./statistics.js";

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
  const strengths = new Float64Array(names.length);
  let covariance: number[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const precision = PRIOR_DEVIATION ** -2;
    const gradient = Array.from(strengths, (strength) => -precision * strength);
    const curvature = names.map((_, i) => names.map((_, j) => (i === j ? precision : 0)));
    for (const { i, j, won, lost } of pairs) {
      const share = sigmoid(strengths[i]! - strengths[j]!);
      const surplus = won - (won + lost) * share;
      gradient[i]! += surplus;
      gradient[j]! -= surplus;
      const weight = (won + lost) * share * (1 - share);
      curvature[i]![i]! += weight;
      curvature[j]![j]! += weight;
      curvature[i]![j]! -= weight;
      curvature[j]![i]! -= weight;
    }
    covariance = inverse(curvature);
    const steps = covariance.map((row) => row.reduce((sum, value, k) => sum + value * gradient[k]!, 0));
    for (const [i, step] of steps.entries()) strengths[i]! += step;
    if (Math.max(...steps.map(Math.abs)) < ENOUGH) break;
  }
  const base = at.get(reference)!;
  return names
    .map((name, i): Rating => {
      const ahead = strengths[i]! - strengths[base]!;
      const variance = covariance[i]![i]! + covariance[base]![base]! - 2 * covariance[i]![base]!;
      const half = Z * Math.sqrt(Math.max(0, variance));
      const n = pairs.reduce(
        (sum, pair) => sum + (pair.i === i || pair.j === i ? pair.won + pair.lost : 0),
        0,
      );
      return { name, share: sigmoid(ahead), low: sigmoid(ahead - half), high: sigmoid(ahead + half), n };
    })
    .sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1));
}

/** The inverse of a symmetric positive definite matrix, by Gauss and Jordan, which need no pivots for one. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < n; k++) {
    const pivot = rows[k]![k]!;
    rows[k] = rows[k]!.map((value) => value / pivot);
    for (let i = 0; i < n; i++) {
      const factor = rows[i]![k]!;
      if (i !== k && factor !== 0) rows[i] = rows[i]!.map((value, j) => value - factor * rows[k]![j]!);
    }
  }
  return rows.map((row) => row.slice(n));
}
