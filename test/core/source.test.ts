import { expect, test } from "vitest";
import { stepsCost } from "../../src/core/source.js";

test("a step costs its share of the area, and half without guidance", () => {
  expect(stepsCost(20, 7.5)).toBe(20);
  expect(stepsCost(4, 1)).toBe(2);
  expect(stepsCost(20, 7.5, { strength: 0.5, enlarge: 2 })).toBe(40);
});
