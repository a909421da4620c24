import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { diskUse } from "../../src/files/disk-use.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "disk-use-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("counts the files of all folders, follows no link, and tells what is free", async () => {
  mkdirSync(join(folder, "a", "b"), { recursive: true });
  writeFileSync(join(folder, "a", "one"), Buffer.alloc(1_000));
  writeFileSync(join(folder, "a", "b", "two"), Buffer.alloc(500));
  symlinkSync(tmpdir(), join(folder, "a", "elsewhere"));
  const use = await diskUse(folder)();
  expect(use).toMatchObject({ folder, bytes: 1_500 });
  const { blocks, bsize } = statfsSync(folder);
  expect(use.free).toBeGreaterThan(0);
  expect(use.free).toBeLessThanOrEqual(blocks * bsize);
});

test("counts anew only after a while", async () => {
  const [often, rarely] = [diskUse(folder, 0), diskUse(folder, 60_000)];
  expect([(await often()).bytes, (await rarely()).bytes]).toEqual([0, 0]);
  writeFileSync(join(folder, "one"), Buffer.alloc(10));
  expect([(await often()).bytes, (await rarely()).bytes]).toEqual([10, 0]);
});
