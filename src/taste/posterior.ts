import { factorize, inverseOf } from "../core/statistics/cholesky.js";
import { sigmoid } from "../core/statistics/shares.js";

/**
 * Bayesian logistic regression, which for differences of two sides is the Bradley-Terry model: the log-odds that a
 * side wins are the sum of what distinguishes it. docs/taste.md has the model, its sources and its check.
 *
 * | symbol | meaning |
 * |---|---|
 * | R | rows: pairs that were voted on |
 * | D | features |
 * | K | features with a full covariance, at most DENSE_MAX |
 */

/** What one side has and the other lacks: the features' numbers and by how much. */
export interface Difference {
  readonly features: readonly number[];
  readonly values: readonly number[];
}

/** All votes on each of some pairs. */
export interface Rows {
  /** Where each row's features begin, and the end, [R + 1]. */
  readonly starts: Int32Array;
  readonly features: Int32Array;
  readonly values: Int32Array | Float64Array;
  /** How many votes these count for, [R]. */
  readonly weights: Float64Array;
  /** Of them, those for the side, [R]. */
  readonly won: Float64Array;
}

/** What is held of a feature before any vote: a normal distribution of its log-odds. */
export interface Prior {
  readonly mean: (feature: number) => number;
  readonly variance: (feature: number) => number;
}

/** Features whose covariance is kept; a rarer one has a variance alone. A vote's update takes time quadratic in it. */
export const DENSE_MAX = 512;
/** Newton's steps from no knowledge; six suffice, and each is checked. */
const NEWTON_MAX = 50;
/** Largest log-odds by which the last step may move a feature. */
const TOLERANCE = 1e-7;
/** Rows between two yields. */
const ROWS_AT_ONCE = 2_000;

/** The numbers of a distribution, by the features' places: those with the most votes first. */
export interface Found {
  readonly features: Int32Array; // [D]
  readonly means: Float64Array; // [D]
  /** Of the features behind the first K, [D - K]. */
  readonly variances: Float64Array;
  /** Of the first K, [K, K]. */
  readonly covariance: Float64Array;
}

/** What is known of sides. */
export interface Known {
  /** Log-odds that a side wins by what distinguishes it. */
  logOdds(side: Difference): number;
  /** Of two sides' log-odds. */
  covariance(a: Difference, b: Difference): number;
}

/**
 * The normal distribution of all features' log-odds given the votes, as `fit` has found it; `learn` moves it by one vote.
 */
export class Posterior implements Known {
  readonly #prior: Prior;
  /** The place of each feature. */
  readonly #places = new Map<number, number>();
  readonly #mean: number[];
  /** Of the features behind the first K. */
  readonly #variances: number[];
  /** Of the first K features, [K, K]. */
  readonly #covariance: Float64Array;
  readonly #dense: number;

  /** `found`: by `fit`, with the same prior; the prior itself where there is none. Its covariance is moved by `learn`. */
  constructor(prior: Prior, found: Found = NOTHING) {
    this.#prior = prior;
    for (const [place, feature] of found.features.entries()) this.#places.set(feature, place);
    this.#mean = Array.from(found.means);
    this.#variances = Array.from(found.variances);
    this.#covariance = found.covariance;
    this.#dense = found.means.length - found.variances.length;
  }

  /**
   * Learns from one vote: the mode and the curvature along what the vote tells of, exactly, and the normal
   * distribution that they make is the prior of the next. `won`: 1 where the side won, 0 where it lost.
   */
  learn(vote: Difference, won: number, weight = 1): void {
    const gain = this.#spread(vote);
    const variance = this.#along(vote, gain);
    if (variance === 0 || weight === 0) return;
    const before = this.logOdds(vote);
    let step = 0;
    for (let i = 0; i < NEWTON_MAX; i++) {
      const p = sigmoid(before + step);
      const move = (step - variance * weight * (won - p)) / (1 + variance * weight * p * (1 - p));
      step -= move;
      if (Math.abs(move) < TOLERANCE) break;
    }
    const p = sigmoid(before + step);
    const curvature = weight * p * (1 - p);
    const shrink = curvature / (1 + curvature * variance);
    const [K, covariance] = [this.#dense, this.#covariance];
    const { dense, tail } = gain;
    for (let i = 0; i < K; i++) {
      const along = dense[i]!;
      if (along === 0) continue;
      this.#mean[i]! += along * (step / variance);
      const part = along * shrink;
      const at = i * K;
      for (let j = 0; j < K; j++) covariance[at + j]! -= part * dense[j]!;
    }
    for (const [place, along] of tail) {
      this.#mean[place]! += along * (step / variance);
      this.#variances[place - K]! -= along * along * shrink;
    }
  }

  logOdds({ features, values }: Difference): number {
    return features.reduce((sum, feature, i) => sum + values[i]! * this.meanOf(feature), 0);
  }

  /** Of a feature's log-odds. */
  meanOf(feature: number): number {
    const place = this.#places.get(feature);
    return place === undefined ? this.#prior.mean(feature) : this.#mean[place]!;
  }

  varianceOf(feature: number): number {
    const place = this.#places.get(feature);
    if (place === undefined) return this.#prior.variance(feature);
    return place < this.#dense
      ? this.#covariance[place * (this.#dense + 1)]!
      : this.#variances[place - this.#dense]!;
  }

  covariance(a: Difference, b: Difference): number {
    let sum = 0;
    for (const [i, one] of a.features.entries())
      for (const [j, other] of b.features.entries())
        sum += a.values[i]! * b.values[j]! * this.covarianceOf(one, other);
    return sum;
  }

  /** Of two features' log-odds. */
  covarianceOf(a: number, b: number): number {
    if (a === b) return this.varianceOf(a);
    const [i, j] = [this.#places.get(a) ?? Infinity, this.#places.get(b) ?? Infinity];
    return i < this.#dense && j < this.#dense ? this.#covariance[i * this.#dense + j]! : 0;
  }

  /** The covariance times what the vote tells of; a new feature gets its place. */
  #spread({ features, values }: Difference): Spread {
    const dense = new Float64Array(this.#dense); // [K]
    const tail = new Map<number, number>();
    for (const [i, feature] of features.entries()) {
      const place = this.#placeOf(feature);
      const value = values[i]!;
      if (place >= this.#dense) {
        tail.set(place, this.#variances[place - this.#dense]! * value);
        continue;
      }
      const at = place * this.#dense;
      for (let j = 0; j < this.#dense; j++) dense[j]! += value * this.#covariance[at + j]!;
    }
    return { dense, tail };
  }

  #along({ features, values }: Difference, { dense, tail }: Spread): number {
    return features.reduce((sum, feature, i) => {
      const place = this.#places.get(feature)!;
      return sum + values[i]! * (place < this.#dense ? dense[place]! : tail.get(place)!);
    }, 0);
  }

  #placeOf(feature: number): number {
    const known = this.#places.get(feature);
    if (known !== undefined) return known;
    const place = this.#mean.push(this.#prior.mean(feature)) - 1;
    this.#variances.push(this.#prior.variance(feature));
    this.#places.set(feature, place);
    return place;
  }
}

interface Spread {
  /** Of the first K features. */
  readonly dense: Float64Array;
  /** By place. */
  readonly tail: ReadonlyMap<number, number>;
}

const NOTHING: Found = {
  features: new Int32Array(0),
  means: new Float64Array(0),
  variances: new Float64Array(0),
  covariance: new Float64Array(0),
};

/**
 * Finds the distribution from all rows: the mode, and the curvature there (Laplace). Yields between pieces of work of
 * some milliseconds. `from`: where the mode is looked for first, which changes how long that takes and not what is
 * found.
 */
export function* fit(
  prior: Prior,
  rows: Rows,
  from: Prior["mean"] = prior.mean,
): Generator<void, Found, void> {
  const { weights } = rows;
  const R = weights.length;
  const counts = new Map<number, number>();
  for (let row = 0; row < R; row++) {
    for (let a = rows.starts[row]!; a < rows.starts[row + 1]!; a++) {
      const feature = rows.features[a]!;
      counts.set(feature, (counts.get(feature) ?? 0) + weights[row]!);
    }
    if (row % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) yield;
  }
  yield;
  const ordered = [...counts].sort(([a, n], [b, m]) => m - n || a - b).map(([feature]) => feature);
  const D = ordered.length;
  const placed = new Map(ordered.map((feature, place) => [feature, place]));
  const means = Float64Array.from(ordered, from);
  const centers = Float64Array.from(ordered, prior.mean);
  const precisions = Float64Array.from(ordered, (feature) => 1 / prior.variance(feature));
  const matrix = yield* compressed(rows, placed);
  const curvatures = yield* climb(matrix, means, centers, precisions);
  const K = Math.min(D, DENSE_MAX);
  const hessian = new Float64Array(K * K); // [K, K]
  const diagonal = Float64Array.from(precisions); // [D]
  for (let i = 0; i < K; i++) hessian[i * K + i] = precisions[i]!;
  for (let row = 0; row < R; row++) {
    const [first, end] = [matrix.starts[row]!, matrix.starts[row + 1]!];
    for (let a = first; a < end; a++) {
      const place = matrix.places[a]!;
      const part = curvatures[row]! * matrix.values[a]!;
      diagonal[place]! += part * matrix.values[a]!;
      if (place >= K) continue;
      for (let b = first; b < end; b++)
        if (matrix.places[b]! < K) hessian[place * K + matrix.places[b]!]! += part * matrix.values[b]!;
    }
    if (row % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) yield;
  }
  const covariance = yield* inverseOf(yield* factorize(hessian, K), K);
  const variances = diagonal.slice(K).map((precision) => 1 / precision);
  return { features: Int32Array.from(ordered), means, variances, covariance };
}

/** Rows with each feature by its place. */
interface Matrix extends Pick<Rows, "starts" | "weights" | "won"> {
  readonly places: Int32Array;
  readonly values: Float64Array;
}

function* compressed(
  { starts, features, values, weights, won }: Rows,
  placed: ReadonlyMap<number, number>,
): Generator<void, Matrix, void> {
  const places = new Int32Array(features.length);
  yield;
  for (let row = 0; row < weights.length; row++) {
    for (let a = starts[row]!; a < starts[row + 1]!; a++) places[a] = placed.get(features[a]!)!;
    if (row % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) yield;
  }
  return { starts, places, values: Float64Array.from(values), weights, won };
}

/**
 * Newton's method with conjugate gradients (Nocedal and Wright, Numerical Optimization, 7.1): moves `means` to the
 * mode. Answers each row's curvature there. The log-posterior is concave, so there is one mode; a step that would
 * overshoot is halved.
 */
function* climb(
  matrix: Matrix,
  means: Float64Array,
  centers: Float64Array,
  precisions: Float64Array,
): Generator<void, Float64Array, void> {
  const { weights, won } = matrix;
  const [R, D] = [weights.length, means.length];
  const curvatures = new Float64Array(R);
  const gradient = new Float64Array(D);
  const scale = new Float64Array(D);
  let height = -Infinity;
  let step = new Float64Array(D);
  for (let round = 0; round < NEWTON_MAX; round++) {
    let reached = 0;
    for (let i = 0; i < D; i++) {
      const off = means[i]! - centers[i]!;
      reached -= (precisions[i]! * off * off) / 2;
      gradient[i] = -precisions[i]! * off;
      scale[i] = precisions[i]!;
    }
    for (let row = 0; row < R; row++) {
      const [weight, wins] = [weights[row]!, won[row]!];
      let logOdds = 0;
      for (let a = matrix.starts[row]!; a < matrix.starts[row + 1]!; a++)
        logOdds += matrix.values[a]! * means[matrix.places[a]!]!;
      const p = sigmoid(logOdds);
      // log(1 + exp(x)) without overflow.
      reached += wins * logOdds - weight * (Math.max(0, logOdds) + Math.log1p(Math.exp(-Math.abs(logOdds))));
      curvatures[row] = weight * p * (1 - p);
      for (let a = matrix.starts[row]!; a < matrix.starts[row + 1]!; a++) {
        const [place, value] = [matrix.places[a]!, matrix.values[a]!];
        gradient[place]! += value * (wins - weight * p);
        scale[place]! += curvatures[row]! * value * value;
      }
      if (row % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) yield;
    }
    yield;
    if (reached < height - 1e-9 * Math.abs(height)) {
      step = step.map((part) => part / 2);
      for (let i = 0; i < D; i++) means[i]! -= step[i]!;
      continue;
    }
    height = reached;
    step = yield* solve(matrix, curvatures, precisions, scale, gradient);
    let largest = 0;
    for (let i = 0; i < D; i++) {
      means[i]! += step[i]!;
      largest = Math.max(largest, Math.abs(step[i]!));
    }
    if (largest < TOLERANCE) break;
  }
  return curvatures;
}

/** Solves (precisions + the sum of curvature x x') step = gradient by conjugate gradients, scaled by the diagonal. */
function* solve(
  { starts, places, values }: Matrix,
  curvatures: Float64Array,
  precisions: Float64Array,
  scale: Float64Array,
  gradient: Float64Array,
): Generator<void, Float64Array<ArrayBuffer>, void> {
  const D = gradient.length;
  const step = new Float64Array(D);
  const residual = Float64Array.from(gradient);
  const direction = residual.map((value, i) => value / scale[i]!);
  let size = dot(residual, direction);
  const enough = size * 1e-16;
  for (let round = 0; round < 2 * D + 10 && size > enough; round++) {
    const image = direction.map((value, i) => value * precisions[i]!);
    for (let row = 0; row < curvatures.length; row++) {
      let along = 0;
      for (let a = starts[row]!; a < starts[row + 1]!; a++) along += values[a]! * direction[places[a]!]!;
      along *= curvatures[row]!;
      for (let a = starts[row]!; a < starts[row + 1]!; a++) image[places[a]!]! += along * values[a]!;
      if (row % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) yield;
    }
    yield;
    const length = size / dot(direction, image);
    for (let i = 0; i < D; i++) {
      step[i]! += length * direction[i]!;
      residual[i]! -= length * image[i]!;
    }
    const scaled = residual.map((value, i) => value / scale[i]!);
    const next = dot(residual, scaled);
    for (let i = 0; i < D; i++) direction[i] = scaled[i]! + (next / size) * direction[i]!;
    size = next;
  }
  return step;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
