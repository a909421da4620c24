import { expect, it } from "vitest";
import { roundHalfToEven } from "../../../src/inference/numbers/round.js";

it("rounds halves to even", () => {
  expect([0.5, 1.5, 2.5, 2.4999, 499.5, -0.5, 3].map(roundHalfToEven)).toEqual([0, 2, 2, 2, 500, 0, 3]);
});
