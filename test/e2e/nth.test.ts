import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/app.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BIN = join(ROOT, "bin", "promptist.js");
const HARNESS = fileURLToPath(new URL("../soak/nth.mjs", import.meta.url));
const PRELOAD = new URL("../soak/fail-at.mjs", import.meta.url).href;
const NO_COMMIT = "e51ab1e";

/** Each commit tries other calls; without git always the same. */
function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: ROOT }).toString().trim();
  } catch {
    return NO_COMMIT;
  }
}

/** A few of some two thousand trials; run test/soak/nth.mjs --all for the others. */
test.skipIf(process.platform !== "linux")(
  "a call of the bot that fails, whichever it is, loses and repeats no command",
  { timeout: 600_000 },
  () => {
    const slice = ["--slice", `${commit()}/199`, "--seconds", "30", "--at-least", "3"];
    const { status, stdout, stderr } = spawnSync(process.execPath, [HARNESS, ...slice], { encoding: "utf8" });
    expect(stdout, stderr).toMatch(/^([3-9]|1\d) trials in \d+ s, 0 problems$/m);
    expect(status).toBe(0);
  },
);

/** What a start prints, and its exit code, when its n-th call of this kind fails. */
function failedStart(kind: string, mode: string, n: number) {
  const folder = temporaryFolder();
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, "start"], {
      encoding: "utf8",
      env: {
        ...process.env,
        DISCORD_TOKEN: "",
        LOCAL_DISCORD_PORT: "0",
        DATA_DIR: join(folder.path, "data"),
        CHECKPOINTS_DIR: join(ROOT, "checkpoints"),
        NODE_OPTIONS: `--import ${PRELOAD}`,
        FAIL_AT: JSON.stringify({ trace: join(folder.path, "calls"), kind, mode, n }),
      },
    });
    return { status, said: stdout + stderr };
  } finally {
    folder.remove();
  }
}

test.for([
  ["bot file", "ENOSPC", 1, "is full"],
  ["bot file", "EIO", 2, "could not be read or written"],
  ["sql", "SQLITE_FULL", 3, "is full"],
  ["sql", "SQLITE_IOERR", 3, "could not be read or written"],
] as const)(
  "a start whose disk fails (%s, %s, call %i) ends with a sentence",
  ([kind, mode, n, sentence]) => {
    const { status, said } = failedStart(kind, mode, n);
    expect(said).toContain(sentence);
    expect(said).not.toMatch(/\n\s+at /);
    expect(status).toBe(1);
  },
);
