import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const HARNESS = fileURLToPath(new URL("../soak/nth.mjs", import.meta.url));
const NO_COMMIT = "e51ab1e";

/** Each commit tries other calls; without git always the same. */
function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: fileURLToPath(new URL(".", import.meta.url)) })
      .toString()
      .trim();
  } catch {
    return NO_COMMIT;
  }
}

/** A few of some two thousand trials; run test/soak/nth.mjs --all for the others. */
test.skipIf(process.platform !== "linux")(
  "a call of the bot that fails, whichever it is, loses and repeats no command",
  { timeout: 300_000 },
  () => {
    const slice = ["--slice", `${commit()}/199`, "--seconds", "35", "--at-least", "3"];
    const { status, stdout, stderr } = spawnSync(process.execPath, [HARNESS, ...slice], { encoding: "utf8" });
    expect(stdout, stderr).toMatch(/^([3-9]|1\d) trials in \d+ s, 0 problems$/m);
    expect(status).toBe(0);
  },
);
