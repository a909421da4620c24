// Runs the properties of test/hostile with many more cases and a fresh seed; prints one line of figures for
// each. Files get all the cases, slower tests a fraction. A failure names the seed and the smallest failing
// case.
//
// The figures of the last run are in docs/reliability.md.
// With --smoke it runs the quickest of them, with the cases and the seed of CI.
// Run: npm run build && npm run bench -- fuzz [--cases 100000] [--smoke]
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { args, SMOKE } from "./support/arguments.mjs";

const { values } = parseArgs({
  args,
  options: { cases: { type: "string", default: "100000" } },
});
const cases = Number(values.cases);
if (!Number.isSafeInteger(cases) || cases < 1) throw new Error("--cases takes a whole number from 1");

/** A file of test/hostile, its fraction of the cases, and its tests that count cases. */
const RUNS = [
  ["files", 1, "any file"],
  ["presses", 1, "a custom id"],
  ["messages", 1 / 20, "whatever a prompt"],
  ["checkpoints", 1 / 10, "refused"],
  ["event-loop", 1 / 50, "."],
];
const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bench-fuzz-"));
try {
  for (const [name, part, tests] of RUNS.filter(([name]) => !SMOKE || name === "presses")) {
    const reportFile = join(folder, `${name}.jsonl`);
    const count = Math.max(1, Math.round(cases * part));
    const started = performance.now();
    const { status, stdout } = spawnSync(
      process.execPath,
      [vitest, "run", "--project", "cpu", `test/hostile/${name}.test.ts`, "-t", tests],
      {
        cwd: root,
        env: {
          ...process.env,
          FUZZ_REPORT: reportFile,
          // With few cases and a fresh seed, the tests may miss what they have to have seen.
          ...(SMOKE ? {} : { FUZZ_CASES: String(count) }),
        },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
        maxBuffer: 2 ** 28,
      },
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    // A test that has another name by now is left out in silence, and reports nothing.
    const isReported = existsSync(reportFile);
    const holds = status === 0 && isReported;
    console.log(`${name}: ${SMOKE ? "few" : count} cases, ${seconds} s: ${holds ? "held" : "BROKEN"}`);
    if (isReported) process.stdout.write(readFileSync(reportFile, "utf8"));
    if (!holds) {
      console.log(stdout);
      process.exitCode = 1;
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
