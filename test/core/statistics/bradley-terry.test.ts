import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { bradleyTerry, type Duels, type Rating } from "../../../src/core/statistics/bradley-terry.js";

/** Ratings from choix and scikit-learn; see test/golden/bradley_terry.py. */
const expected = JSON.parse(
  readFileSync(new URL("../../golden/bradley-terry/expected.json", import.meta.url), "utf8"),
) as {
  cases: readonly { name: string; duels: readonly Duels[]; ratings: readonly Rating[] }[];
};

it.each(expected.cases)("rates as choix and scikit-learn do: $name", ({ duels, ratings }) => {
  const own = bradleyTerry(duels, "none");
  expect(own.map(({ name }) => name).sort()).toEqual(ratings.map(({ name }) => name).sort());
  for (const { name, share, low, high, n } of ratings) {
    const found = own.find((rating) => rating.name === name)!;
    expect(found.n).toBe(n);
    for (const [value, reference] of [
      [found.share, share],
      [found.low, low],
      [found.high, high],
    ] as const)
      expect(Math.abs(value - reference)).toBeLessThan(1e-6);
  }
  expect(own).toEqual([...own].sort((a, b) => b.share - a.share));
});

it("says nothing of who never duelled, and keeps few duels near one half", () => {
  expect(bradleyTerry([], "none")).toEqual([{ name: "none", share: 0.5, low: 0.5, high: 0.5, n: 0 }]);
  const [first] = bradleyTerry([{ one: "a", other: "none", won: 1, lost: 0 }], "none");
  expect(first!.share).toBeLessThan(0.7);
  expect(first!.low).toBeLessThan(0.5);
});
