import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { apiErrors } from "../src/protocol/errors.js";
import { startLocalDiscord } from "../src/testing/index.js";

/** README.md lists the features of the local Discord; these tests keep the lists and the program in step. */

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const text = readFileSync(at("README.md"), "utf8");

/** The first column of the table between `<!-- name -->` and `<!-- end -->`. */
function listed(name: string): string[] {
  const table = new RegExp(`<!-- ${name} -->\\n([\\s\\S]*?)<!-- end -->`).exec(text)?.[1];
  if (table === undefined) throw new Error(`The documentation has no table "${name}"`);
  return table
    .trim()
    .split("\n")
    .map((row) => /^\| `?([^`|]+?)`? \|/.exec(row)?.[1] ?? `not a row: ${row}`);
}

test("lists every route, and no other", async () => {
  const local = await startLocalDiscord({ spec: false });
  await local.close();
  expect(listed("routes").sort()).toEqual([...local.routes].sort());
});

test("lists every error, and no other", () => {
  const codes = Object.values(apiErrors).map((make) => String(make("GET", "/").code));
  expect(listed("errors")).toEqual([...new Set(codes)].sort((a, b) => Number(a) - Number(b)));
});

test("lists every event, and no other", () => {
  const files = readdirSync(at("src/gateway"));
  const gateway = files.map((name) => readFileSync(at(`src/gateway/${name}`), "utf8")).join("\n");
  const dispatched = [...gateway.matchAll(/"([A-Z]+(?:_[A-Z]+)+|READY|RESUMED)"/g)].map((it) => it[1]!);
  expect(listed("events").sort()).toEqual([...new Set(dispatched)].sort());
});

test("the example of an operator's snapshot is valid", async () => {
  const { operatorSnapshot } = await import("../src/page/operator.js");
  const example = JSON.parse(/```json\n([\s\S]*?)```/.exec(text)![1]!);
  expect(operatorSnapshot.parse(example)).toEqual(example);
});

test("the pictures and files that it names exist", () => {
  const pictures = [...text.matchAll(/\]\(([^)]+\.png)\)/g)].map((it) => it[1]!);
  const files = [...text.matchAll(/`((?:src|test)\/[\w./-]+)`/g)].map((it) => it[1]!);
  const commands = [...text.matchAll(/`node ([\w./-]+\.mjs)`/g)].map((it) => `../../${it[1]}`);
  for (const found of [pictures, files, commands]) expect(found).not.toEqual([]);
  for (const path of [...pictures, ...files, ...commands]) readFileSync(at(path));
});
