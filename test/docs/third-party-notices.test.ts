import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/app.js";

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const notices = readFileSync(at("THIRD_PARTY_NOTICES"), "utf8");

interface Locked {
  readonly version: string;
  readonly name?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}

test("THIRD_PARTY_NOTICES names every package that the program runs with, and its licence", () => {
  const { packages } = JSON.parse(readFileSync(at("package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const production = Object.entries(packages).filter(
    ([path, { dev, link }]) => path.includes("node_modules/") && dev !== true && link !== true,
  );
  expect(production.length).toBeGreaterThan(100);
  const lines = new Set(notices.split("\n"));
  const absent = production
    .map(([path, { name, version, license }]) => {
      expect(license, path).toBeTruthy();
      return `${name ?? path.split("node_modules/").at(-1)} ${version}: ${license}`;
    })
    .filter((line) => !lines.has(line));
  expect(absent).toEqual([]);
});

test("THIRD_PARTY_NOTICES is what npm run notices writes, and the texts it names are there", () => {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  const written = join(folder.path, "notices");
  execFileSync(process.execPath, [at("scripts/third-party-notices.mjs"), written]);
  expect(notices).toBe(readFileSync(written, "utf8"));
  const texts = notices.match(/(?<=^ {2})node_modules\/.+$/gm) ?? [];
  expect(texts.length).toBeGreaterThan(100);
  for (const text of texts) expect(existsSync(at(text)), text).toBe(true);
});
