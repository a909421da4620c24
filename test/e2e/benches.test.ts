import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

/** The benches that need only this repository, with little work: none may rot unseen between two measurements. */

const RUN = fileURLToPath(new URL("../../bench/run.mjs", import.meta.url));
const needsChromium = (bench: string) => bench === "local-discord";

describe.each([
  ["acknowledge", /^acknowledged, 10 interactions: /m],
  ["community", /^1 s of work: .* 0 times 429 in all$/m],
  ["hostile", /^stopped with code 0 /m],
  ["local-discord", /^message +median /m],
  ["queue", /^saveText, synchronous = NORMAL /m],
])("the bench %s", (bench, lastFigure) => {
  test.skipIf(needsChromium(bench) && !existsSync("/usr/bin/chromium"))("runs to its end", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [RUN, bench, "--smoke"]);
    expect(stdout).toMatch(lastFigure);
  });
});
