import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { afterPowerCut, writeLog } from "./power-cut.js";

/** More of them: POWER_CUTS=500 npx vitest run --project cpu test/db/power-cut.test.ts */
const TRIALS = Number(process.env.POWER_CUTS ?? 40);
const SEED = 7;

test(`a log cut at ${TRIALS} random bytes: what it still holds is kept, and work goes on`, {
  timeout: 600_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "power-cut-"));
  try {
    const written = await writeLog(folder, 24);
    expect(written.walBytes).toBeGreaterThan(100_000);
    let state = SEED;
    const random = (below: number) => {
      // A linear congruential generator (Numerical Recipes), so that a failure can be repeated.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const found: string[] = [];
    for (let trial = 0; trial < TRIALS; trial += 1) {
      // Both ends of the log are among them; every third cut leaves a page half written.
      const bytes = trial === 0 ? 0 : trial === 1 ? written.walBytes : random(written.walBytes);
      const torn = trial % 3 === 2 ? random(4_120) : 0;
      const problems = await afterPowerCut(written, join(folder, `trial-${trial}`), bytes, torn);
      found.push(...problems.map((problem) => `${bytes}+${torn} bytes: ${problem}`));
      rmSync(join(folder, `trial-${trial}`), { recursive: true, force: true });
    }
    expect(found).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
