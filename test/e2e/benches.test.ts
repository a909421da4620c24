import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

/** Every bench with little work, on small models: none may rot unseen between two measurements. */

const RUN = fileURLToPath(new URL("../../bench/run.mjs", import.meta.url));
const needsChromium = (bench: string) => ["first-status", "local-discord"].includes(bench);

/** What the last line of figures begins with, or says. */
const BENCHES = [
  ["acknowledge", /^acknowledged, 10 interactions: /m],
  ["community", /^1 s of work: .* 0 times 429 in all$/m],
  // It fails where something holds the event loop, by processor time and the least of several tries.
  ["evaluate", /^6 pictures in \d+ s$/m],
  ["event-loop", /^goal: nothing holds the event loop for 50 ms$/m],
  ["fleet", /^database: \d+ statements of hosts a second/m],
  ["first-status", /^\/compare .*: acknowledged \d+, first status \d+, result \d+$/m],
  ["fuzz", /^presses: few cases, \d+ s: held$/m],
  ["hostile", /^stopped with code 0 /m],
  ["judge", /^ {2}vision shared true, text shared /m],
  ["local-discord", /^message +median /m],
  ["model-turns", /^miniatures, 3 jobs in turns: \d loads, /m],
  ["promptist", /^ours fp32 /m],
  ["promptist-fidelity", /^blocks of 128, head same /m],
  ["queue", /^saveText, synchronous = NORMAL /m],
  ["shards", /^4 servers: 2 connections, ready after /m],
  ["soak", /^ {2}"stop": /m],
  ["stable-diffusion", /^VAE decoder, 64x64: .* relative error /m],
  ["standby", /^cut off from the database: ready after /m],
  ["taste", /^a vote's update with 500 votes and 200 phrases: median /m],
  ["turbo", /^full: a pair in 50 steps, computed from these: /m],
  ["text-device", /^TEXT_DEVICE=cpu: \d+ s in all, \d+ models loaded$/m],
] as const;

test("each bench is run here", () => {
  const files = readdirSync(new URL("../../bench/", import.meta.url));
  const names = files.filter((name) => name.endsWith(".mjs") && name !== "run.mjs");
  expect(BENCHES.map(([name]) => `${name}.mjs`).sort()).toEqual(names.sort());
});

describe.each(BENCHES)("the bench %s", (bench, lastFigure) => {
  const isLeftOut = needsChromium(bench) && !existsSync("/usr/bin/chromium");
  // On a busy machine a bench measures again.
  test.skipIf(isLeftOut)("runs to its end", { timeout: 300_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [RUN, bench, "--smoke"]);
    expect(stdout).toMatch(lastFigure);
  });
});
