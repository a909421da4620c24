import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const HARNESS = fileURLToPath(new URL("../soak/kill.mjs", import.meta.url));

/** A few kills; run test/soak/kill.mjs directly for more. */
test.skipIf(process.platform !== "linux")(
  "a bot killed twice during a stream of commands loses none and repeats none",
  { timeout: 300_000 },
  () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [HARNESS, "--kills", "2", "--seed", "5"], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({
      kills: 2,
      lost: 0,
      doubled: 0,
      integrity: "ok",
      problems: [],
    });
    expect(status).toBe(0);
  },
);
