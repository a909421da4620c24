import { cpSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AppEvents } from "../../src/core/events.js";
import { isKept, type Job } from "../../src/core/job.js";
import { DEFAULT_TEXT_OPTIONS, type TextOptions } from "../../src/core/options.js";
import { rewriterOptions } from "../../src/core/rewriters.js";
import type { NewItem } from "../../src/db/queue.js";
import { newJob } from "../db/contract/fixtures.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";

/** Rewriters with the real loop and workers: the miniatures, and one made of a miniature's weights. */

const MINIATURE = fileURLToPath(new URL("../../checkpoints/miniature", import.meta.url));
const USUAL: TextOptions = { ...DEFAULT_TEXT_OPTIONS, maxNewTokens: 8 };
let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;
let magic: string;
const started: AppEvents["phase.started"][0][] = [];

const start = async () => {
  app = await startApp(join(folder.path, "data"), {
    CHECKPOINTS_DIR: join(folder.path, "checkpoints"),
    REWRITER: "magicprompt-small",
  });
  app.events.on("phase.started", (event) => started.push(event));
};

beforeAll(async () => {
  folder = temporaryFolder();
  magic = join(folder.path, "checkpoints", "magicprompt-small");
  cpSync(join(MINIATURE, "promptist"), magic, { recursive: true });
  await start();
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

/** A stored rewriting, when it has ended. */
async function rewritten(text: TextOptions, items: readonly NewItem[]): Promise<Job> {
  const ended = new Promise<Job>((resolve) => {
    app.events.on("job.finished", async ({ jobId }) => {
      const job = await app.queue.get(jobId);
      if (job?.id === id) resolve(job);
    });
  });
  const { id } = await app.queue.enqueue({ ...newJob({ user: "ada", kind: "optimize" }), text, items });
  return ended;
}

test("rewriters take turns in one job, each asked in its own form and loaded alone", async () => {
  const own = (name: string) => ({
    prompt: "a red apple",
    rewrite: null,
    text: rewriterOptions(name, USUAL),
  });
  const job = await rewritten(USUAL, [
    own("promptist"),
    own("magicprompt-small"),
    own("magicprompt"),
    own("promptist"),
  ]);
  expect(job.state).toBe("done");
  const [first, second, small, last] = job.items.map(({ rewrite }) => rewrite);
  expect(second).toMatch(/^a red apple/);
  expect(job.items[1]?.candidates).toHaveLength(1);
  expect(small).toMatch(/^a red apple[ ,]/);
  expect(last).toBe(first);
  // The miniatures are held to the prompt; published weights write what they like.
  expect(job.items.map(isKept)).toEqual([true, false, true, true]);
  expect(started.map(({ checkpoint, replaced }) => [checkpoint, replaced])).toEqual([
    ["miniature", undefined],
    ["magicprompt-small", "miniature"],
    ["miniature", "magicprompt-small"],
  ]);
});

test("a command takes the rewriter of the configuration, and says so", async () => {
  const alice = app.local.member("alice");
  const handle = await alice.slash("optimize", { prompt: "a red apple" });
  const result = await handle.waitFor(
    ({ embeds }) => embeds[0]?.description?.includes("Rewritten by") === true,
    { timeoutMs: 60_000 },
  );
  expect(result.embeds[0]?.description).toContain("**Rewritten by MagicPrompt small**```\na red apple");
  const offered = await alice.autocomplete("optimize", { prompt: "a", rewriter: "magic" }, "rewriter");
  expect(offered).toEqual([
    { name: "MagicPrompt", value: "magicprompt" },
    { name: "MagicPrompt small", value: "magicprompt-small" },
  ]);
});

test("a job whose rewriter's files are gone fails at once and names it, also after a restart", async () => {
  renameSync(magic, `${magic}-away`);
  const items = [{ prompt: "a red apple", rewrite: null }];
  const job = await rewritten(rewriterOptions("magicprompt-small", USUAL), items);
  expect(job.failures).toMatchObject([
    { code: "MODEL_GONE", context: { model: "magicprompt-small", kind: "rewriter" } },
  ]);
  await app.stop();
  await start();
  const refused = await app.local.member("alice").slash("optimize", { prompt: "a red apple" });
  expect(refused.message?.content).toContain("`MagicPrompt small` is no longer on the bot's machine");
  const plain = await rewritten(rewriterOptions("promptist", USUAL), items);
  expect(plain.state).toBe("done");
});
