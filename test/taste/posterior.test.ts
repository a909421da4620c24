import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { atOnce } from "../../src/core/statistics/cholesky.js";
import { DENSE_MAX, type Difference, fit, Posterior, type Prior } from "../../src/taste/posterior.js";

/** All votes on one pair, and those of them for the side. */
interface Row extends Difference {
  readonly weight: number;
  readonly won: number;
}

/** By scikit-learn and statsmodels: test/golden/taste.py. */
interface Golden {
  readonly x: readonly (readonly number[])[];
  readonly weight: readonly number[];
  readonly won: readonly number[];
  readonly deviation: readonly number[];
  readonly mean: readonly number[];
  readonly centred: Moments;
  readonly shifted: Moments;
}
interface Moments {
  readonly mode: readonly number[];
  readonly covariance: readonly (readonly number[])[];
}
const golden = JSON.parse(readFileSync(new URL("../golden/taste.json", import.meta.url), "utf8")) as Golden;

const difference = (values: readonly number[]) => ({ features: values.map((_, i) => i), values });
/** Features that are 0 are left out, as in votes. */
const rows: Row[] = golden.x.map((all, i) => {
  const features = all.map((_, feature) => feature).filter((feature) => all[feature] !== 0);
  const values = features.map((feature) => all[feature]!);
  return { features, values, weight: golden.weight[i]!, won: golden.won[i]! };
});
const prior = (mean: readonly number[]): Prior => ({
  mean: (feature) => mean[feature] ?? 0,
  variance: (feature) => (golden.deviation[feature] ?? 1) ** 2,
});
function fitted(mean: readonly number[], votes: readonly Row[]): Posterior {
  const starts = [0];
  for (const { features } of votes) starts.push(starts.at(-1)! + features.length);
  const found = fit(prior(mean), {
    starts: Int32Array.from(starts),
    features: Int32Array.from(votes.flatMap(({ features }) => features)),
    values: Float64Array.from(votes.flatMap(({ values }) => values)),
    weights: Float64Array.from(votes, ({ weight }) => weight),
    won: Float64Array.from(votes, ({ won }) => won),
  });
  return new Posterior(prior(mean), atOnce(found));
}
const only = (feature: number) => ({ features: [feature], values: [1] });
const covarianceOf = (posterior: Posterior, a: number, b: number) => posterior.covariance(only(a), only(b));
const features = golden.deviation.map((_, i) => i);

describe("the posterior", () => {
  test.each([
    ["scikit-learn's", "centred", []],
    ["statsmodels', with a mean before any vote", "shifted", golden.mean],
  ] as const)("is %s", (_, name, mean) => {
    const posterior = fitted(mean, rows);
    for (const i of features) {
      expect(posterior.meanOf(i)).toBeCloseTo(golden[name].mode[i]!, 6);
      for (const j of features)
        expect(covarianceOf(posterior, i, j)).toBeCloseTo(golden[name].covariance[i]![j]!, 7);
    }
  });

  test("moves by one vote as a fit of that vote does", () => {
    const vote = difference([1, 0.5, 0, -1]);
    // What is known of two features together counts too, so the first vote is of a fit.
    const learned = fitted(golden.mean, rows.slice(0, 30));
    const before = features.map((i) => features.map((j) => covarianceOf(learned, i, j)));
    const mean = features.map((i) => learned.meanOf(i));
    learned.learn(vote, 1);
    // The mode m' of one vote: m' - m = covariance x (1 - p(m')).
    const p = 1 / (1 + Math.exp(-learned.logOdds(vote)));
    const along = features.map((i) =>
      vote.features.reduce((sum, j, k) => sum + before[i]![j]! * vote.values[k]!, 0),
    );
    const variance = vote.features.reduce((sum, j, k) => sum + along[j]! * vote.values[k]!, 0);
    for (const i of features) {
      expect(learned.meanOf(i) - mean[i]!).toBeCloseTo(along[i]! * (1 - p), 8);
      for (const j of features) {
        const shrink = (p * (1 - p)) / (1 + p * (1 - p) * variance);
        expect(covarianceOf(learned, i, j)).toBeCloseTo(before[i]![j]! - shrink * along[i]! * along[j]!, 8);
      }
    }
  });

  test("is about the same vote by vote as at once", () => {
    const learned = new Posterior(prior([]));
    for (const { features, values, weight, won } of rows)
      for (let vote = 0; vote < weight; vote++)
        learned.learn({ features, values }, Math.min(1, Math.max(0, won - vote)));
    // What is learned without a fit is of each feature alone; a fit knows what goes together.
    for (const i of features) {
      const off = Math.abs(learned.meanOf(i) - golden.centred.mode[i]!);
      expect(off).toBeLessThan(2 * Math.sqrt(golden.centred.covariance[i]![i]!));
    }
  });

  test("of a feature without votes is its prior", () => {
    const posterior = fitted(golden.mean, rows);
    expect(posterior.meanOf(99)).toBe(0);
    expect(posterior.varianceOf(99)).toBe(1);
    expect(covarianceOf(posterior, 0, 99)).toBe(0);
  });

  test("has the mode of all features also where there are more than have a covariance", () => {
    const many = Array.from({ length: DENSE_MAX + 40 }, (_, feature): Row => {
      return { features: [feature], values: [1], weight: 3, won: feature % 4 };
    });
    const posterior = fitted([], many);
    // Alone, each solves (won - 3 p) = m / variance.
    for (const {
      features: [feature],
      won,
    } of many) {
      const m = posterior.meanOf(feature!);
      const p = 1 / (1 + Math.exp(-m));
      const spread = (golden.deviation[feature!] ?? 1) ** 2;
      expect(won - 3 * p).toBeCloseTo(m / spread, 6);
      expect(posterior.varianceOf(feature!)).toBeCloseTo(1 / (1 / spread + 3 * p * (1 - p)), 6);
    }
    const [last] = many.at(-1)!.features;
    const before = posterior.varianceOf(last!);
    posterior.learn({ features: [last!], values: [1] }, 1);
    expect(posterior.varianceOf(last!)).toBeLessThan(before);
  });
});
