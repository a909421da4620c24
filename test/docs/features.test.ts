import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const ROOT = new URL("../../", import.meta.url);
const table = readFileSync(new URL("docs/features.md", ROOT), "utf8");
/** Rows end in "`file`: name of a test |". */
const proofs = [...table.matchAll(/\| `(test\/[^`]+\.test\.ts)`: (.+?) \|$/gm)].map(
  ([, file = "", name = ""]) => ({ file, name }),
);

test("the table has fifteen complaints and ten features, each with a proof", () => {
  expect(table.match(/^\| \d+ \|/gm)).toHaveLength(25);
  expect(proofs).toHaveLength(25);
});

test.each(proofs)("$file: $name", ({ file, name }) => {
  const source = readFileSync(new URL(file, ROOT), "utf8");
  // A title is the first argument of a call, on its line or on the next one.
  const starts = source.split(/\(\s*"/);
  expect(starts.some((rest) => rest.startsWith(`${name}",`))).toBe(true);
});
