import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Item, Job, Phase, Picture } from "../../../src/core/job.js";
import { DEFAULT_TEXT_OPTIONS } from "../../../src/core/options.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";
import type { Store } from "../../../src/db/store.js";
import { drawn } from "../contract/fixtures.js";

/**
 * Written by commit 0384bb2 (database-0384bb2.mjs says what is in it); a user has one job, but for `given`.
 */
const OLD = fileURLToPath(new URL("../../golden/database-0384bb2.sqlite", import.meta.url));
/** When it was written. */
const THEN = Date.UTC(2025, 0, 1);

let folder: string;
let store: Store;
let time: number;

beforeEach(() => {
  time = THEN + 3_600_000;
  folder = mkdtempSync(join(tmpdir(), "update-"));
  const file = join(folder, "promptist.sqlite");
  copyFileSync(OLD, file);
  store = sqliteStore(openDatabase(file), { now: () => time });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function jobsOf(user: string): Promise<Job[]> {
  const ids = await store.records.idsOfUser(user);
  return Promise.all(ids.map(async (id) => (await store.queue.get(id))!));
}
async function jobOf(user: string): Promise<Job> {
  const [job, ...more] = await jobsOf(user);
  expect(more).toEqual([]);
  return job!;
}

const safety = (flagged: boolean) => ({ flagged, concepts: flagged ? [3] : [] });
const picture = (file: string, ms: number, flagged = false): Picture => ({
  file,
  ms,
  judgement: { relevance: 0.25, beauty: 5.5, safety: safety(flagged), judge: "clip-vit-large-patch14" },
});
const untouched = (index: number, prompt: string): Item => ({
  index,
  prompt,
  rewrite: null,
  rewriteMs: null,
  candidates: [],
  seed: 7 + index,
  pictures: { baseline: null, optimized: null },
  comparison: null,
  cancelled: false,
  notes: [],
});
const rewritten = (index: number, prompt: string): Item => ({
  ...untouched(index, prompt),
  rewrite: `${prompt}, sharp focus`,
  rewriteMs: 1_200 + index,
  candidates: [
    { text: `${prompt}, sharp focus`, tokens: 4, score: -1.5 },
    { text: `${prompt}, artstation`, tokens: 3, score: -2 },
  ],
  notes: [{ code: "truncated", side: "optimized", words: "focus" }],
});
const finished = (index: number, prompt: string): Item => ({
  ...rewritten(index, prompt),
  pictures: {
    baseline: picture(`${index + 1}-baseline.png`, 20_000 + index),
    optimized: picture(`${index + 1}-optimized.png`, 30_000 + index, index === 1),
  },
  comparison: `${index + 1}-comparison.png`,
});

test("finished jobs keep their rewrites, pictures, judgements, options and deliveries", async () => {
  const optimized = await jobOf("optimized");
  expect(optimized).toMatchObject({
    kind: "optimize",
    state: "done",
    text: { ...DEFAULT_TEXT_OPTIONS, beams: 2, maxNewTokens: 8 },
    image: { seed: 7, steps: 2, guidance: 7.5, negative: "blurry", size: null, scheduler: "ddim" },
    origin: { userId: "optimized", guildId: "guild", channelId: "channel", locale: "de" },
    items: [rewritten(0, "A lighthouse")],
    checkpoints: { promptist: "promptist", diffusion: null },
    hashes: { promptist: "aa11", diffusion: null },
    delivery: { messageId: "message-1", attempts: 0, abandoned: null },
  });
  expect(await jobOf("voted")).toMatchObject({
    state: "done",
    blind: true,
    preview: true,
    parentId: optimized.id,
    items: [finished(0, "A castle")],
    checkpoints: { promptist: "promptist", diffusion: "stable-diffusion-v1-5" },
    hashes: { promptist: "aa11", diffusion: "bb22" },
    delivery: { messageId: "message-2" },
  });
  expect(await jobOf("drawn")).toMatchObject({
    kind: "batch",
    state: "done",
    items: [finished(0, "A cat"), finished(1, "A dog"), { ...untouched(2, "A crow"), cancelled: true }],
    sheets: [
      { number: 1, file: "contact-sheet-1.png", items: [0] },
      { number: 2, file: "contact-sheet-2.png", items: [1] },
    ],
    delivery: { deliveredAt: null, messageId: null, attempts: 1, abandoned: "the channel is gone" },
  });
  const pruned = await jobOf("pruned");
  expect(pruned).toMatchObject({ state: "done", items: [finished(0, "A ship")] });
  expect(await store.records.keepsPictures(pruned.id)).toBe(false);
  const failed = await jobOf("failed");
  expect(failed).toMatchObject({ state: "failed", failures: [{ code: "CHECKPOINT_CORRUPT" }] });
  const cancelled = await jobOf("cancelled");
  expect(cancelled).toMatchObject({ state: "cancelled", items: [untouched(0, "A pond")] });
  expect(await store.deliveries.undelivered()).toEqual([failed.id, cancelled.id]);
});

test("votes, settings, drafts, arrivals and the pause are there", async () => {
  const { votes, settings, drafts, queue } = store;
  const voted = await jobOf("voted");
  expect(await votes.ballot(voted.id)).toMatchObject({ guildId: "guild", closedAt: null });
  expect(await votes.tally(voted.id)).toEqual({ optimized: 1, baseline: 1, tie: 0, bad: 1 });
  expect(await votes.vote(voted.id, "voter-3", "tie")).toEqual({ counted: "bad", isFirst: false });
  const revealed = await jobOf("revealed");
  expect(await votes.vote(revealed.id, "voter-1", "bad")).toBe("closed");
  expect(await votes.total({ guildId: "guild" })).toEqual({ optimized: 1, baseline: 1, tie: 1, bad: 1 });
  expect(await votes.exported({ jobId: voted.id, userId: "voter-1" })).toMatchObject({
    choice: "optimized",
    prompt: "A castle",
    optimized: "A castle, sharp focus",
    mode: "beam",
    checkpoint: "stable-diffusion-v1-5",
  });

  const size = { width: 512, height: 768 };
  expect(await settings.of("server", "guild")).toEqual({ steps: 30, size });
  const where = { guildId: "guild", channelId: "channel" };
  expect(await settings.resolve(where)).toEqual({ steps: 30, size, blind: true });
  expect(await settings.of("user", "voter-1")).toEqual({ ping: true });

  const [draftId] = await drafts.idsOfUser("drafting");
  const draft = (await drafts.get(draftId!))!;
  expect(draft.request).toMatchObject({ kind: "batch", preview: true, image: { steps: 2 } });
  expect(draft.request.items).toEqual([
    { prompt: "A red door", rewrite: "A red door, detailed", seed: 99 },
    { prompt: "A green door", rewrite: null },
  ]);
  expect((await queue.arrivals()).map(({ applicationId }) => applicationId)).toEqual(["application"]);

  expect(await queue.paused()).toBe(true);
  expect(await queue.claim("text", "loop")).toBeUndefined();
});

test("open jobs wait with what they have, and all of them are served", async () => {
  const { queue } = store;
  const running = await jobOf("running");
  expect(running).toMatchObject({ state: "running", attempt: 1 });
  expect(running.items).toEqual([rewritten(0, "A fox"), untouched(1, "A wolf")]);
  expect(await jobOf("retried")).toMatchObject({ failures: [{ code: "OUT_OF_MEMORY" }] });
  const [given, held] = await jobsOf("given");
  expect(given).toMatchObject({ phase: "image", blind: true, held: null });
  expect(given!.items).toEqual([
    { ...untouched(0, "A red door"), rewrite: "A red door, detailed", seed: 99 },
  ]);
  expect(held).toMatchObject({ phase: "text", held: "user" });
  const work = await queue.work();
  expect(work.find(({ id }) => id === running.id)).toMatchObject({ texts: 1, pictures: 4, steps: 2 });
  expect(work.find(({ id }) => id === held!.id)).toMatchObject({ held: "user", limit: 1 });

  expect(await queue.recover("all")).toEqual([{ id: running.id, phase: "text", state: "queued" }]);
  await queue.setPaused(false);
  const served = new Set<string>();
  const serve = async (phase: Phase) => {
    for (let claim = await queue.claim(phase, "new"); claim; claim = await queue.claim(phase, "new")) {
      const { job } = claim;
      for (const { index, rewrite } of job.items) {
        if (phase === "text") {
          if (rewrite === null)
            await queue.saveText(claim, index, { rewrite: "new", candidates: [], notes: [] });
          continue;
        }
        const pictures = { baseline: drawn("b.png", 5), optimized: drawn("o.png") };
        expect(await queue.savePictures(claim, index, { pictures, comparison: "c.png" })).toBe(true);
      }
      if (phase === "text" && job.kind !== "optimize") await queue.advance(claim);
      else {
        expect(await queue.complete(claim)).toBe(true);
        served.add(job.origin.userId);
      }
    }
  };
  // A held job enters the line when the other job of its user is done.
  for (let round = 0; round < 2; round += 1) {
    await serve("text");
    await serve("image");
  }
  expect(served).toEqual(new Set(["running", "retried", "waiting", "given"]));
  expect(await queue.depth()).toEqual({ queued: 0, running: 0, undelivered: 7 });
  const after = await jobOf("running");
  expect(after.items.map(({ rewrite }) => rewrite)).toEqual(["A fox, sharp focus", "new"]);
  expect(after.items[0]).toMatchObject({
    rewriteMs: 1_200,
    pictures: { baseline: { file: "b.png", ms: 5 }, optimized: { file: "o.png", ms: null } },
  });
});
