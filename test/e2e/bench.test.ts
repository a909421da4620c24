import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { VERSION } from "../../src/core/version.js";
import { temporaryFolder } from "../support/app.js";

/** `promptist bench` as a shell runs it, with the miniature. */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

const lineOf = (...args: readonly string[]) => [
  join(ROOT, "bin", "promptist.js"),
  "bench",
  "--steps",
  "3",
  ...args,
];
const surroundings = () => ({
  cwd: folder.path,
  env: {
    ...process.env,
    CHECKPOINTS_DIR: join(ROOT, "checkpoints"),
    DATA_DIR: join(folder.path, "data"),
    DEVICE: "cpu",
  },
});
const bench = (...args: readonly string[]) =>
  promisify(execFile)(process.execPath, lineOf(...args), surroundings());

/** What is left of the pictures and weights that were measured with. */
const leftBehind = () => readdirSync(join(folder.path, "data")).filter((name) => name.startsWith("bench-"));

const MIB = 2 ** 20;

interface Figures {
  readonly peakBytes: number | null;
  readonly [name: string]: unknown;
}

/** Null where the worker took too long to end to tell. */
function expectPeak({ peakBytes }: Figures): void {
  if (peakBytes === null) return;
  expect(peakBytes).toBeGreaterThan(50 * MIB);
  expect(peakBytes).toBeLessThan(8192 * MIB);
}

test("--json has the machine, the plan, the check and the time and memory of each model", async () => {
  const { stdout } = await bench("--json");
  const result = JSON.parse(stdout);
  expect(Object.keys(result)).toEqual([
    "program",
    "node",
    "system",
    "cpu",
    "graphics",
    "device",
    "operators",
    "miniature",
    "note",
    "promptist",
    "diffusion",
  ]);
  expect(result).toMatchObject({
    program: `promptist ${VERSION}`,
    node: process.version,
    system: expect.stringContaining(process.platform),
    device: { asked: "cpu", name: "cpu", plan: "fp32", arithmetic: "fp32", reason: null },
    miniature: true,
    note: expect.stringContaining("miniature"),
    promptist: { checkpoint: "miniature", miniature: true, random: false, device: "cpu", beams: 8 },
    diffusion: { checkpoint: "miniature", miniature: true, random: false, steps: 3 },
  });
  expect(result.cpu.threads).toBeGreaterThan(0);
  expect(result.cpu.memoryBytes).toBeGreaterThan(MIB);
  const [report] = result.operators;
  expect(report.forms.map(({ verdict }: { verdict: string }) => verdict)).toContain("right");

  const { promptist, diffusion } = result;
  expect(promptist.loadSeconds).toBeGreaterThan(0);
  expect(promptist.seconds).toBeGreaterThan(0);
  expect(promptist.tokens).toBeGreaterThan(0);
  expect(promptist.tokens).toBeLessThanOrEqual(75);
  expect(promptist.tokensPerSecond).toBeCloseTo(promptist.tokens / promptist.seconds, 6);
  expectPeak(promptist);

  // The miniature's own side, and twice that.
  expect(diffusion.sizes.map(({ side }: Figures) => side)).toEqual([64, 128]);
  for (const size of diffusion.sizes) {
    expect(size).toMatchObject({ device: "cpu", weights: "fp32", notes: [], problem: null });
    expect(size.weightBytes).toBeGreaterThan(MIB);
    for (const name of ["loadSeconds", "firstStepSeconds", "stepSeconds"])
      expect(size[name], name).toBeGreaterThan(0);
    expect(size.fastestStepSeconds).toBeLessThanOrEqual(size.stepSeconds);
    expect(size.slowestStepSeconds).toBeGreaterThanOrEqual(size.stepSeconds);
    expect(size.decodeSeconds).toBeGreaterThanOrEqual(0);
    expect(size.countedBytes).toBeGreaterThan(size.weightBytes);
    expectPeak(size);
  }
  expect(leftBehind()).toEqual([]);
});

test("the text has a line for each figure, and says that it is the miniature's", async () => {
  const { stdout } = await bench();
  for (const line of [
    /^program +promptist \d+\.\d+\.\d+, Node v\d+\S* on \w+ \w+ \S+$/m,
    /^processor +.+, \d+ threads, \d+\.\d [GM]iB of memory$/m,
    /^graphics +\S+/m,
    /^device +cpu -> cpu, Stable Diffusion in fp32$/m,
    /^note +Some figures are the miniature's/m,
    /^Promptist +miniature, int8 on cpu, /m,
    /^ {2}rewrite +[\d.]+ s, 8 beams of \d+ tokens$/m,
    /^ {2}tokens +[\d.]+ a second$/m,
    /^Stable Diffusion +64x64, miniature, fp32 on cpu, /m,
    /^Stable Diffusion +128x128, miniature, fp32 on cpu, /m,
    /^ {2}step +\S+ s \(\S+ s to \S+ s\), two rows$/m,
    /^ {2}decode +\S+ s$/m,
    /^ {2}counted memory +\d+\.\d [GM]iB, parts all loaded, VAE whole$/m,
    /^ {2}peak memory +(\d+\.\d [GM]iB of the process|unknown)$/m,
    /^Operators on cpu in fp32: forms tried, largest error, verdict$/m,
    /^ {2}MultiHeadAttention +\d+ +\d\.\de-\d+ +right$/m,
  ])
    expect(stdout).toMatch(line);
  expect(leftBehind()).toEqual([]);
});

test("a checkpoint that is named and not there is a failure before random weights are written", async () => {
  const failed = bench("--random", "--diffusion", join(folder.path, "nowhere"));
  await expect(failed).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^promptist: .*nowhere.*\n$/),
  });
  expect(leftBehind()).toEqual([]);
});

test.skipIf(process.platform === "win32")("Ctrl+C ends it, and nothing is left behind", async () => {
  const child = spawn(process.execPath, lineOf("--json"), surroundings());
  const ended = once(child, "close");
  let stdout = "";
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  // The note on the miniature comes before anything is measured, and when the folder is there.
  await once(child.stderr, "data");
  expect(leftBehind()).toHaveLength(1);
  child.kill("SIGINT");
  expect(await ended).toEqual([1, null]);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "CANCELLED" } });
  expect(leftBehind()).toEqual([]);
});
