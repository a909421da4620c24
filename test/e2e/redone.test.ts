import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { textOf } from "../support/message.js";
import { overflowingCheckpoint } from "../support/overflowing-checkpoint.js";

/** A checkpoint that overflows half precision, from the command to the result's message, with nothing replaced. */
const MINIATURE = fileURLToPath(new URL("../../checkpoints/miniature", import.meta.url));

let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;
beforeAll(async () => {
  folder = temporaryFolder();
  const checkpoints = join(folder.path, "checkpoints");
  const own = join(checkpoints, "miniature", "stable-diffusion");
  cpSync(MINIATURE, join(checkpoints, "miniature"), { recursive: true });
  rmSync(own, { recursive: true });
  overflowingCheckpoint(join(MINIATURE, "stable-diffusion"), own, "vae", 24);
  app = await startApp(folder.path, {
    CHECKPOINTS_DIR: checkpoints,
    DIFFUSION_PRECISION: "fp16",
    KEEP_PROMPT: "never",
  });
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

test("the picture that half precision lost is computed again, and its result says so", async () => {
  const handle = await app.local
    .member("alice")
    .slash("compare", { prompt: "a pizza", steps: 3, seed: 3 }, { channel: "general" });
  const message = await handle.waitFor((it) => it.embeds[0]?.color === 0x22c55e, { timeoutMs: 100_000 });
  expect(textOf(message)).toContain("Half precision was not enough for the picture of the prompt");
  const job = await app.queue.get(/Job `(\w+)`/.exec(textOf(message))?.[1] ?? "");
  // With so few tokens Promptist changes nothing, so the other side is a copy, which keeps the note.
  expect(job?.items[0]?.notes).toEqual([
    { code: "unchanged" },
    { code: "redone", side: "baseline" },
    { code: "redone", side: "optimized" },
  ]);
});
