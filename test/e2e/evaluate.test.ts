import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/app.js";
import { ownText } from "../support/own-text.js";

/** The compiled program with the real miniature models. */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAM = join(ROOT, "bin", "promptist.js");
/** More than one group of prompts. */
const PROMPTS = Array.from(
  { length: 20 },
  (_, i) => `A ${["cat", "castle", "robot", "red heart"][i % 4]} ${i}`,
);
const LINES = PROMPTS.length * 2;

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
beforeAll(() => {
  folder = temporaryFolder();
  file = join(folder.path, "prompts.txt");
  writeFileSync(file, PROMPTS.join("\n"));
});
afterAll(() => folder.remove());

const options = () => ({
  cwd: folder.path,
  env: {
    ...process.env,
    CHECKPOINTS_DIR: join(ROOT, "checkpoints"),
    DATA_DIR: join(folder.path, "data"),
    DEVICE: "cpu",
  },
});
const line = (out: string) => ["evaluate", file, "--seeds", "1", "--steps", "2", "--out", out];
const promptist = (...args: string[]) => promisify(execFile)(process.execPath, [PROGRAM, ...args], options());

const linesOf = (path: string): number =>
  existsSync(path) ? readFileSync(path, "utf8").split("\n").length - 1 : 0;

/** Runs the program until a file of its folder has so many lines, and kills it there. */
async function killedAt(out: string, name: string, lines: number): Promise<void> {
  await mkdir(out, { recursive: true });
  const child = spawn(process.execPath, [PROGRAM, ...line(out)], { ...options(), stdio: "ignore" });
  const watcher = watch(out, () => {
    if (linesOf(join(out, name)) >= lines) child.kill("SIGKILL");
  });
  const end = await new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code)));
  watcher.close();
  expect(end).toBe("SIGKILL");
}

describe("promptist evaluate", () => {
  test("goes on where it was killed, and reports what it reports without", async () => {
    const whole = join(folder.path, "whole");
    const { stdout } = await promptist(...line(whole), "--json");
    const result = JSON.parse(stdout);

    const out = join(folder.path, "killed");
    await killedAt(out, "rewrites-promptist.jsonl", 1);
    expect(linesOf(join(out, "pictures.jsonl"))).toBe(0);
    await killedAt(out, "pictures.jsonl", 7);
    const drawn = linesOf(join(out, "pictures.jsonl"));
    expect(drawn).toBeLessThan(LINES);
    await killedAt(out, "scores.jsonl", 5);
    expect(linesOf(join(out, "scores.jsonl"))).toBeLessThan(LINES);
    expect(existsSync(join(out, "report.html"))).toBe(false);
    const again = await promptist(...line(out), "--json");
    expect(again.stderr).not.toContain("pictures are there already");

    // Nothing was done twice.
    expect(linesOf(join(out, "pictures.jsonl"))).toBe(LINES);
    expect(linesOf(join(out, "scores.jsonl"))).toBe(LINES);
    const { rewriters, sample, duels } = JSON.parse(again.stdout);
    expect({ rewriters, sample, duels }).toEqual({
      rewriters: result.rewriters,
      sample: result.sample,
      duels: result.duels,
    });
    for (const name of ["report.html", "report.json", "pictures.csv"])
      expect(readFileSync(join(out, name), "utf8"), name).toBe(readFileSync(join(whole, name), "utf8"));
  }, 480_000);

  test("draws each rewriter's pictures from the same seeds, and judges them all", () => {
    const out = join(folder.path, "whole");
    const rows = parse<Record<string, string>>(readFileSync(join(out, "pictures.csv")), { columns: true });
    expect(rows).toHaveLength(LINES);
    const seeds = (name: string) => rows.filter(({ rewriter }) => rewriter === name).map(({ seed }) => seed);
    expect(seeds("promptist")).toEqual(PROMPTS.map((_, i) => String(i)));
    expect(seeds("none")).toEqual(seeds("promptist"));
    for (const { relevance, beauty, reward, safety } of rows) {
      for (const score of [relevance, beauty, reward]) expect(score).toMatch(/^-?\d+(\.\d+)?$/);
      expect(safety).toBe("harmless");
    }
    expect(readdirSync(join(out, "pictures"))).toHaveLength(LINES);
    const { text, file } = rows.find(({ number, rewriter }) => number === "3" && rewriter === "promptist")!;
    expect(ownText(join(out, file!))).toMatchObject({
      prompt: text,
      original: PROMPTS[2],
      side: "optimized",
      scheduler: "dpm++2m",
      steps: 2,
      seed: 2,
    });
    const plain = rows.find(({ number, rewriter }) => number === "3" && rewriter === "none")!;
    expect(plain.text).toBe(PROMPTS[2]);
    expect(plain.reward).toBe(plain.relevance_term);
  });

  test("takes styles as rewriters, with the negative words that belong to them", async () => {
    const out = join(folder.path, "styled");
    const two = join(folder.path, "two.csv");
    writeFileSync(two, "prompt,seed,optimized\nA cat,99,A cat indeed\nA castle,,\n");
    const { stdout, stderr } = await promptist(
      "evaluate",
      two,
      "--rewriters",
      "none, style:clay model",
      "--baseline",
      "style:clay model",
      "--seeds",
      "1",
      "--steps",
      "2",
      "--out",
      out,
      "--json",
    );
    expect(stderr).toContain("Rewrites, seeds and options of the file's own rows are not used");
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      baseline: "style:clay model",
      prompts: 2,
    });
    expect(result.sample[0].rewrites.none).toBe("A cat");
    expect(result.sample[0].rewrites["style:clay model"]).toMatch(/^A cat as a clay model/);
    expect(Object.keys(result.hashes)).toEqual(["diffusion"]);
    expect(existsSync(join(out, "rewrites-promptist.jsonl"))).toBe(false);
    expect(ownText(join(out, "pictures", "00001-1-style-clay-model.png"))).toMatchObject({
      prompt: expect.stringContaining("A cat as a clay model"),
      negative: expect.stringContaining("metal"),
      seed: 0,
    });
  }, 120_000);

  test("compares two models, each searching as it does by itself, and samples alike each time", async () => {
    const checkpoints = join(folder.path, "with-magicprompt");
    cpSync(join(ROOT, "checkpoints", "miniature", "promptist"), join(checkpoints, "magicprompt"), {
      recursive: true,
    });
    const few = join(folder.path, "few.txt");
    writeFileSync(few, "A cat\nA castle\n");
    const env = { ...options().env, CHECKPOINTS_DIR: checkpoints };
    const run = async (out: string, ...rewriters: string[]) => {
      const args = ["--rewriters", rewriters.join(), "--seeds", "1", "--steps", "1", "--max-new-tokens", "8"];
      const line = [PROGRAM, "evaluate", few, ...args, "--out", join(folder.path, out), "--json"];
      const { stdout } = await promisify(execFile)(process.execPath, line, { ...options(), env });
      return JSON.parse(stdout);
    };
    const { plan, rewriters, duels } = await run("models", "promptist", "magicprompt", "none");
    expect(plan.text).toMatchObject({
      promptist: { mode: "beam", maxNewTokens: 8 },
      magicprompt: { mode: "sample", temperature: 0.7, maxNewTokens: 8 },
    });
    expect(rewriters.map(({ name }: { name: string }) => name)).toEqual(["promptist", "magicprompt", "none"]);
    expect(duels).toMatchObject([{ first: "promptist", second: "magicprompt" }]);
    await run("again", "magicprompt", "none");
    const [first, second] = ["models", "again"].map((out) =>
      readFileSync(join(folder.path, out, "rewrites-magicprompt.jsonl"), "utf8"),
    );
    expect(second).toBe(first);
    await expect(run("lacking", "magicprompt-small", "none")).rejects.toMatchObject({
      stdout: expect.stringContaining("promptist checkpoints pull magicprompt-small"),
    });
    expect(existsSync(join(folder.path, "lacking"))).toBe(false);
  }, 120_000);

  test.each([
    [
      "another evaluation's folder",
      () => [...line(join(folder.path, "whole")), "--guidance", "3"],
      "how pictures are drawn",
    ],
    [
      "an unknown rewriter",
      () => [...line("no"), "--rewriters", "promptist,dreams"],
      "There is no rewriter dreams. Choose one of: none, promptist, magicprompt",
    ],
    ["a single rewriter", () => [...line("no"), "--rewriters", "none"], "takes two or more different ones"],
    [
      "a style that is not there",
      () => [...line("no"), "--rewriters", "none,style:x"],
      "There is no style x",
    ],
    ["a strange baseline", () => [...line("no"), "--baseline", "x"], "x is none of the rewriters"],
  ])("refuses %s and makes nothing", async (_, args, sentence) => {
    await expect(promptist(...args())).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(sentence),
    });
    expect(existsSync(join(folder.path, "no"))).toBe(false);
  });
});
