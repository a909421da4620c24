import { describe, expect, it } from "vitest";
import { bar, fractionDone } from "../../../src/bot/messages/status-message.js";

describe("progress", () => {
  it.each([
    [0, "▱▱▱▱▱▱▱▱▱▱ 0 %"],
    [0.31, "▰▰▰▱▱▱▱▱▱▱ 31 %"],
    [0.999, "▰▰▰▰▰▰▰▰▰▱ 99 %"],
    [1, "▰▰▰▰▰▰▰▰▰▰ 100 %"],
  ])("%d as a bar", (fraction, expected) => expect(bar(fraction)).toBe(expected));

  it.each([
    ["rewrite", 31, 62, 0, 1, 0.5],
    ["rewrite", 10, 20, 1, 2, 0.75],
    ["baseline", 51, 51, 0, 1, 0.5],
    ["optimized", 0, 51, 0, 1, 0.5],
    ["optimized", 51, 51, 6, 7, 1],
    ["baseline", 0, 0, 0, 0, 0],
  ] as const)("of %s, step %d of %d, item %d of %d: %d", (output, step, steps, item, items, expected) => {
    const phase = output === "rewrite" ? "text" : "image";
    expect(fractionDone({ jobId: "a", phase, output, step, steps, item, items })).toBeCloseTo(expected);
  });
});
