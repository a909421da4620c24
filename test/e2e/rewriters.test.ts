import { cpSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ApiMessage } from "local-discord/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AppEvents } from "../../src/core/events.js";
import { isKept, type Job } from "../../src/core/job.js";
import { DEFAULT_TEXT_OPTIONS, type TextOptions } from "../../src/core/options.js";
import { rewriterOptions } from "../../src/core/rewriters.js";
import type { NewItem } from "../../src/db/queue.js";
import { newJob } from "../db/contract/fixtures.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { hasResult, jobOf, textOf } from "../support/message.js";
import { ownText } from "../support/own-text.js";

/** Rewriters with the real loop and workers: the miniatures, and one made of a miniature's weights. */

const MINIATURE = fileURLToPath(new URL("../../checkpoints/miniature", import.meta.url));
const WAIT = { timeoutMs: 120_000 };
const hasVote = (message: ApiMessage) => JSON.stringify(message.components).includes('"Both bad"');
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

test("two rewriters stand in one pair, are voted on without their names, and ranked", async () => {
  const alice = app.local.member("alice");
  const options = { prompt: "a red apple", rewriter: "promptist", against: "MagicPrompt", steps: 1, seed: 7 };
  const handle = await alice.slash("compare", { ...options, blind: true });
  const asked = await handle.waitFor(hasVote, WAIT);
  expect(textOf(asked)).toContain(
    "One was drawn from the text of MagicPrompt, the other from that of Promptist.",
  );
  const job = (await app.queue.get(jobOf(asked)))!;
  const [item] = job.items;
  expect(item).toMatchObject({
    prompt: "a red apple",
    rewriteMs: expect.any(Number),
    against: { ms: expect.any(Number) },
  });
  expect(item!.against!.rewrite).toMatch(/^a red apple/);
  expect(item!.against!.rewrite).not.toBe(item!.rewrite);
  const voted = await app.local.member("bob").press(asked, "A");
  const [, won] = /^Your vote counts: A, (Promptist|MagicPrompt)\. A was \1, B was /.exec(
    voted.message?.content ?? "",
  )!;
  const isPromptist = won === "Promptist";
  await alice.press(asked, "Reveal to all");
  const shown = await handle.waitFor((message) => textOf(message).includes("**Votes**"), WAIT);
  expect(textOf(shown)).toContain("**Left** rewritten by MagicPrompt:");
  expect(textOf(shown)).toContain("**Right** rewritten by Promptist:");
  expect(textOf(shown)).toContain(
    `**Votes** Promptist ${isPromptist ? 1 : 0} · MagicPrompt ${isPromptist ? 0 : 1} · tie 0 · both bad 0`,
  );

  const exporting = await app.local.member("bob").slash("stats export");
  const {
    attachments: [file],
  } = await exporting.waitFor(({ attachments }) => attachments.length > 0);
  expect(JSON.parse((await alice.download(file!)).toString())).toMatchObject({
    choice: isPromptist ? "optimized" : "baseline",
    baselineRewriter: "magicprompt",
    optimizedRewriter: "promptist",
    prompt: "a red apple",
    against: item!.against!.rewrite,
    optimized: item!.rewrite,
  });
  // A vote between two rewriters is none on the prompt as written.
  const overall = await alice.slash("stats show");
  expect(textOf(await overall.waitFor((message) => textOf(message) !== ""))).toMatch(/^No votes yet/);
  const stats = await alice.slash("stats show", { by: "rewriter" });
  const ranking = textOf(await stats.waitFor((message) => textOf(message) !== ""));
  expect(ranking).toMatch(
    new RegExp(`^\\*\\*1\\. ${won}\\*\\*: would win [56]\\d % .*n = 1\\.\\n\\*\\*2\\. (?!${won})`),
  );
  const drawn = ownText(join(app.config.picturesDir, job.id, item!.pictures.baseline!.file));
  expect(drawn).toMatchObject({
    prompt: item!.against!.rewrite,
    original: "a red apple",
    rewriter: "promptist",
    against: { rewriter: "magicprompt", rewrite: item!.against!.rewrite },
  });

  const again = await alice.press(shown, "New seed");
  const second = await again.waitFor((message) => hasResult(message) && jobOf(message) !== job.id, WAIT);
  const next = (await app.queue.get(jobOf(second)))!;
  expect(next.items[0]!.against).toMatchObject({ rewrite: item!.against!.rewrite });
  expect(next.items[0]!.rewrite).toBe(item!.rewrite);

  const same = await alice.slash("compare", { ...options, against: "promptist" });
  expect(same.message?.content).toBe("Both sides would be `Promptist`. Choose another one for `against`.");
}, 180_000);

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
