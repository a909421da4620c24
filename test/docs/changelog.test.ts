import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("the changelog has a place for what follows, and below it this version", () => {
  const [next, current] = [...read("CHANGELOG.md").matchAll(/^## (.+)$/gm)].map(([, title]) => title!);
  const { version } = JSON.parse(read("package.json"));
  expect(next).toBe("Unreleased");
  expect(current).toMatch(/^\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)$/);
  expect(current!.split(" ")[0]).toBe(version);
  expect(read("README.md")).toContain(`promptist-${version}.tgz`);
  const { packages } = JSON.parse(read("package-lock.json"));
  expect(packages[""].version).toBe(version);
});
