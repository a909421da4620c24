import { expect, it } from "vitest";
import { RECOMMENDED_NODE, unsupportedNode } from "../../src/core/version.js";

const AUTUMN_2026 = Date.parse("2026-11-28");

it("an unsupported version of Node is named, with the one to install", () => {
  expect(unsupportedNode("20.20.2", AUTUMN_2026)).toBe(
    "Node 20.20.2 has had no security fixes since 2026-04-30; install Node 24",
  );
  expect(unsupportedNode("20.20.2", Date.parse("2026-04-29"))).toBeNull();
});

it("supported and future versions give no warning, nor does the recommended one", () => {
  for (const version of [`${RECOMMENDED_NODE}.0.0`, "22.12.0", "26.1.0", "99.0.0"])
    expect(unsupportedNode(version, AUTUMN_2026), version).toBeNull();
});
