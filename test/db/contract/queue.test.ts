import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Job, Phase } from "../../../src/core/job.js";
import type { Deliveries } from "../../../src/db/deliveries.js";
import type { Claim, Queue } from "../../../src/db/queue.js";
import type { Records } from "../../../src/db/records.js";
import type { Store } from "../../../src/db/store.js";
import { ENGINES, type Engine } from "./engines.js";
import { type JobWish, newJob } from "./fixtures.js";

const START = Date.UTC(2026, 0, 1);

const drawn = (file: string, ms: number | null = null) => ({ file, ms, judgement: null });

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let store: Store;
  let queue: Queue;
  let deliveries: Deliveries;
  let records: Records;
  let time: number;
  const now = () => time;

  beforeEach(async () => {
    time = START;
    engine = create();
    store = await engine.connect(now, { maxWaiting: 10 });
    ({ queue, deliveries, records } = store);
  });
  afterEach(() => engine.destroy());

  const enqueue = (wish: JobWish) => queue.enqueue(newJob(wish));
  const pairs = { prompts: ["A castle"], rewrites: ["A castle, trending"] };

  async function claim(phase: Phase = "text", owner = "loop"): Promise<Claim> {
    const claimed = await queue.claim(phase, owner);
    if (claimed === undefined) throw new Error(`no ${phase} job waits`);
    return claimed;
  }

  /** Claims until nothing waits, each job completed before the next claim; answers the users in order. */
  async function drain(phase: Phase = "text"): Promise<string[]> {
    const users: string[] = [];
    for (
      let next = await queue.claim(phase, "loop");
      next !== undefined;
      next = await queue.claim(phase, "loop")
    ) {
      users.push(next.job.origin.userId);
      expect(await queue.complete(next)).toBe(true);
    }
    return users;
  }

  /** The ids of all waiting jobs of a phase, in the order that `position` tells. */
  async function line(jobs: readonly Job[]): Promise<(number | null)[]> {
    return Promise.all(jobs.map((job) => queue.position(job.id)));
  }

  describe("enqueue", () => {
    test("stores all that it was given and waits for text", async () => {
      const wish = newJob({ user: "ada", kind: "batch", prompts: ["Fear", "A cat"], seed: 7 });
      const job = await queue.enqueue(wish);
      expect(job).toEqual({
        id: expect.stringMatching(/^[a-z0-9]{8,20}$/),
        kind: "batch",
        state: "queued",
        phase: "text",
        origin: wish.origin,
        text: wish.text,
        image: wish.image,
        items: ["Fear", "A cat"].map((prompt, index) => ({
          index,
          prompt,
          rewrite: null,
          candidates: [],
          seed: 7 + index,
          rewriteMs: null,
          pictures: { baseline: null, optimized: null },
          comparison: null,
          cancelled: false,
          notes: [],
        })),
        parentId: null,
        blind: false,
        attempt: 0,
        failures: [],
        cancelRequested: false,
        createdAt: START,
        startedAt: null,
        finishedAt: null,
        checkpoints: { promptist: null, diffusion: null },
        hashes: { promptist: null, diffusion: null },
        sheets: [],
        held: null,
        preview: false,
        picturesPrunedAt: null,
        delivery: { deliveredAt: null, messageId: null, attempts: 0, abandoned: null },
      });
      expect(await queue.get(job.id)).toEqual(job);
      expect(await queue.get("unknown")).toBeUndefined();
    });

    test("a job that a button made keeps its parent, its seeds and the rewrites to choose from", async () => {
      const candidates = [{ text: "A cat, sharp", tokens: 3, score: -1 }];
      const job = await queue.enqueue({
        ...newJob({ user: "ada", seed: 7 }),
        parentId: "the-parent",
        blind: true,
        items: [
          { prompt: "A cat", rewrite: "A cat, sharp", candidates, seed: 99 },
          { prompt: "A dog", rewrite: null },
        ],
      });
      expect(job).toMatchObject({ parentId: "the-parent", blind: true });
      expect(job.items).toMatchObject([
        { candidates, seed: 99 },
        { candidates: [], seed: 8 },
      ]);
      expect(await queue.get(job.id)).toEqual(job);
    });

    test("the same interaction twice is one job", async () => {
      const wish = newJob({ user: "ada" });
      const first = await queue.enqueue(wish);
      const [second, third] = await Promise.all([queue.enqueue(wish), queue.enqueue(wish)]);
      expect([second, third]).toEqual([first, first]);
      expect(await queue.depth()).toEqual({ queued: 1, running: 0, undelivered: 0 });
    });

    test("given rewrites go straight to the image phase, part of them does not", async () => {
      expect((await enqueue({ user: "ada", kind: "batch", ...pairs })).phase).toBe("image");
      const mixed = { prompts: ["a", "b"], rewrites: ["a, trending", null] };
      expect((await enqueue({ user: "ada", kind: "batch", ...mixed })).phase).toBe("text");
      expect((await enqueue({ user: "ada", kind: "optimize", ...pairs })).phase).toBe("text");
    });

    test("seeds stay whole numbers at the top of their range", async () => {
      const top = Number.MAX_SAFE_INTEGER;
      const { items } = await enqueue({ user: "ada", prompts: ["a", "b", "c"], seed: top - 1 });
      expect(items.map((item) => item.seed)).toEqual([top - 1, top, 0]);
    });

    test("a full queue refuses, yet knows the jobs that it has, and takes jobs when one has left", async () => {
      const wish = newJob({ user: "ada" });
      const first = await queue.enqueue(wish);
      for (let n = 1; n < 10; n += 1) await enqueue({ user: `user ${n}` });
      await expect(enqueue({ user: "eve" })).rejects.toMatchObject({ code: "QUEUE_FULL" });
      expect(await queue.enqueue(wish)).toEqual(first);
      await claim();
      await enqueue({ user: "eve" });
    });

    test("text of any script and length comes back unchanged", async () => {
      const prompts = [
        "\u{1F431} 猫 in the rain",
        "'; drop table jobs; --",
        "a\u0000b\ufffdc",
        "x".repeat(100_000),
      ];
      const { id } = await enqueue({ user: "ada", prompts });
      expect((await queue.get(id))?.items.map((item) => item.prompt)).toEqual(prompts);
    });
  });

  describe("order", () => {
    test("first come, first served among users with one job each", async () => {
      for (const user of ["ada", "bob", "cyd"]) await enqueue({ user });
      expect(await drain()).toEqual(["ada", "bob", "cyd"]);
    });

    test("users take turns", async () => {
      for (const user of ["ada", "ada", "ada", "bob", "cyd", "bob"]) await enqueue({ user });
      expect(await drain()).toEqual(["ada", "bob", "cyd", "ada", "bob", "ada"]);
    });

    test("users take turns also when many jobs are claimed before one ends", async () => {
      for (const user of ["ada", "ada", "ada", "bob", "bob"]) await enqueue({ user });
      const users = [];
      for (let n = 0; n < 5; n += 1) users.push((await claim()).job.origin.userId);
      expect(users).toEqual(["ada", "bob", "ada", "bob", "ada"]);
      expect(await queue.claim("text", "loop")).toBeUndefined();
    });

    test("who comes while another is served goes before his next job", async () => {
      await enqueue({ user: "ada" });
      const running = await claim();
      await enqueue({ user: "ada" });
      await enqueue({ user: "bob" });
      await queue.complete(running);
      expect(await drain()).toEqual(["bob", "ada"]);
    });

    test("a stream of newcomers does not starve who waits", async () => {
      await enqueue({ user: "ada" });
      await enqueue({ user: "ada" });
      await queue.complete(await claim());
      for (const user of ["bob", "cyd", "dan"]) await enqueue({ user });
      expect(await drain()).toEqual(["ada", "bob", "cyd", "dan"]);
    });

    test("a cancelled job leaves no hole in its user's turns", async () => {
      const first = await enqueue({ user: "ada" });
      for (const user of ["ada", "bob", "bob"]) await enqueue({ user });
      await queue.cancel(first.id);
      expect(await drain()).toEqual(["ada", "bob", "bob"]);
    });

    test("the phases are two lines", async () => {
      await enqueue({ user: "ada" });
      await enqueue({ user: "bob", ...pairs });
      expect((await claim("image")).job.origin.userId).toBe("bob");
      expect(await queue.claim("image", "loop")).toBeUndefined();
      expect((await claim("text")).job.origin.userId).toBe("ada");
    });

    test("the text phase hands on to the image phase in the order of arrival", async () => {
      for (const user of ["ada", "bob", "ada", "cyd"]) await enqueue({ user });
      const claims = [await claim(), await claim(), await claim(), await claim()];
      for (const held of claims) expect(await queue.advance(held)).toBe("queued");
      expect((await queue.get(claims[0]!.job.id))?.phase).toBe("image");
      expect(await drain("image")).toEqual(["ada", "bob", "cyd", "ada"]);
    });

    test("who enters the image line goes behind those who wait there, served before or not", async () => {
      await enqueue({ user: "ada", ...pairs });
      await queue.complete(await claim("image"));
      await enqueue({ user: "ada" });
      await enqueue({ user: "cyd", ...pairs });
      await queue.advance(await claim("text"));
      expect(await drain("image")).toEqual(["cyd", "ada"]);
    });

    test("a job in its back-off time takes no turn from its user's other jobs", async () => {
      for (const user of ["ada", "bob", "bob"]) await enqueue({ user });
      await queue.retry(await claim(), "OUT_OF_MEMORY", "no room", 30_000);
      await enqueue({ user: "ada" });
      expect(await drain()).toEqual(["bob", "ada", "bob"]);
    });

    test("a released job stands behind the others and before its own user's later ones", async () => {
      const batch = await enqueue({ user: "ada" });
      const later = await enqueue({ user: "ada" });
      const held = await claim();
      const bobs = [await enqueue({ user: "bob" }), await enqueue({ user: "bob" })];
      const cyds = await enqueue({ user: "cyd" });
      expect(await queue.release(held)).toBe("queued");
      expect(await line([bobs[0]!, cyds, batch, bobs[1]!, later])).toEqual([1, 2, 3, 4, 5]);
      expect(await queue.get(batch.id)).toMatchObject({
        state: "queued",
        phase: "text",
        attempt: 1,
        failures: [],
      });
    });

    test("batches that yield after each item share the time", async () => {
      for (const user of ["ada", "bob"]) await enqueue({ user, ...pairs });
      const users = [];
      for (let n = 0; n < 6; n += 1) {
        const held = await claim("image");
        users.push(held.job.origin.userId);
        await queue.release(held);
      }
      expect(users).toEqual(["ada", "bob", "ada", "bob", "ada", "bob"]);
    });
  });

  describe("what a community needs", () => {
    test("a paused queue hands out nothing, also to the next start, and goes on", async () => {
      await enqueue({ user: "ada" });
      expect(await queue.paused()).toBe(false);
      await queue.setPaused(true);
      const { queue: after } = await engine.connect(now);
      expect(await after.paused()).toBe(true);
      expect(await after.claim("text", "loop")).toBeUndefined();
      expect(await after.hasWork("text")).toBe(false);
      await after.setPaused(false);
      expect((await claim()).job.origin.userId).toBe("ada");
    });

    test("a failed job is listed, waits again with the results it has, or is dropped", async () => {
      const job = await enqueue({ user: "ada" });
      expect(await queue.requeue(job.id)).toBeUndefined();
      expect(await records.drop(job.id)).toBe(false);
      const held = await claim();
      await queue.saveText(held, 0, { rewrite: "x", candidates: [], notes: [] });
      await queue.fail(held, "DISK_FULL", "full");
      await deliveries.delivered(job.id, "message");
      expect((await records.setAside(5)).map(({ id }) => id)).toEqual([job.id]);
      expect(await queue.requeue(job.id)).toMatchObject({ id: job.id, state: "queued" });
      expect(await queue.get(job.id)).toMatchObject({
        state: "queued",
        phase: "image",
        failures: [],
        finishedAt: null,
        delivery: { deliveredAt: null, messageId: null },
      });
      await queue.fail(await claim("image"), "DISK_FULL", "full");
      expect(await records.drop(job.id)).toBe(true);
      expect(await queue.get(job.id)).toBeUndefined();
      expect(await records.setAside(5)).toEqual([]);
    });

    test("work: what each open job lacks, in the order of service", async () => {
      const batch = await enqueue({ user: "ada", kind: "batch", prompts: ["a", "b", "c"] });
      const rewrite = await enqueue({ user: "bob", kind: "optimize" });
      const pair = await enqueue({ user: "cyd", ...pairs });
      const held = await claim();
      await queue.saveText(held, 0, { rewrite: "x", candidates: [], notes: [] });
      await queue.savePictures(held, 0, { pictures: { baseline: drawn("b") } });
      await queue.cancelItem(batch.id, 2);
      expect(await queue.work()).toMatchObject([
        { id: batch.id, state: "running", texts: 1, pictures: 3, steps: 50, userId: "ada" },
        { id: rewrite.id, state: "queued", phase: "text", kind: "optimize", texts: 1, pictures: 0 },
        { id: pair.id, state: "queued", phase: "image", texts: 0, pictures: 2 },
      ]);
      expect((await queue.work()).map(({ id }) => id)).toEqual((await queue.open()).map(({ id }) => id));
    });

    test("caps of a person, a channel and a server count open jobs alone", async () => {
      const capped = (user: string, caps: object) => queue.enqueue({ ...newJob({ user }), caps });
      await capped("ada", { user: 1 });
      await expect(capped("ada", { user: 1 })).rejects.toMatchObject({
        code: "QUEUE_CAP",
        context: { scope: "user", limit: 1 },
      });
      await expect(capped("bob", { channel: 1 })).rejects.toMatchObject({ context: { scope: "channel" } });
      await expect(capped("bob", { server: 1 })).rejects.toMatchObject({ context: { scope: "server" } });
      await capped("bob", { user: 1, channel: 2, server: 2 });
      await queue.complete(await claim());
      await capped("ada", { user: 1 });
    });

    test("a draft that is gone becomes no job", async () => {
      const job = { ...newJob({ user: "ada" }), draftId: "no-such-draft" };
      await expect(queue.enqueue(job)).rejects.toMatchObject({ code: "DRAFT_GONE" });
      expect((await queue.depth()).queued).toBe(0);
    });

    test("over a limit a job is held outside the line until one that counts is over, the oldest first", async () => {
      const limited = (user: string, limits: object) => queue.enqueue({ ...newJob({ user }), limits });
      const first = await limited("ada", { user: 2 });
      await limited("ada", { user: 2 });
      const third = await limited("ada", { user: 2 });
      const fourth = await limited("ada", { user: 2 });
      const other = await limited("bob", { user: 2, channel: 2 });
      expect(third).toMatchObject({ state: "queued", held: "user" });
      expect(other.held).toBe("channel");
      expect(await queue.position(third.id)).toBeNull();
      const inLine = (await queue.open()).filter((job) => job.held === null);
      expect(await Promise.all(inLine.map(({ id }) => queue.position(id)))).toEqual([1, 2]);
      const work = await queue.work();
      expect(work.map(({ id }) => id)).toEqual((await queue.open()).map(({ id }) => id));
      expect(work.slice(2)).toMatchObject([
        { id: third.id, held: "user", limit: 2 },
        { id: fourth.id, held: "user", limit: 2 },
        { id: other.id, held: "channel", limit: 2 },
      ]);

      await queue.complete(await claim());
      expect((await queue.get(third.id))?.held).toBeNull();
      expect((await queue.get(fourth.id))?.held).toBe("user");
      expect(await queue.position(third.id)).toBe(2);
      await queue.cancel(third.id);
      expect((await queue.get(fourth.id))?.held).toBeNull();
      // A held job may be given up, and gives nobody its place.
      expect(await queue.cancel(other.id)).toBe("cancelled");
      expect((await queue.get(first.id))?.state).toBe("done");
      for (const _ of [1, 2]) await queue.complete(await claim());
      expect(await queue.claim("text", "nobody")).toBeUndefined();
      expect((await queue.depth()).queued).toBe(0);
    });

    test("pictures go before the texts, the oldest first, and nothing that is open or undelivered", async () => {
      const jobs = await Promise.all(["ada", "bob", "cyd"].map((user) => enqueue({ user, ...pairs })));
      for (const _ of [1, 2]) await queue.complete(await claim("image"));
      await deliveries.delivered(jobs[0]!.id, "message");
      expect((await records.withPictures()).map(({ id }) => id)).toEqual([jobs[0]!.id]);
      expect(await records.keepsPictures(jobs[0]!.id)).toBe(true);
      await records.picturesPruned(jobs[0]!.id);
      expect(await records.withPictures()).toEqual([]);
      expect(await records.keepsPictures(jobs[0]!.id)).toBe(false);
      expect(await records.keepsPictures(jobs[1]!.id)).toBe(true);
      expect(await records.keepsPictures("unknown")).toBeNull();
      expect((await queue.get(jobs[0]!.id))?.picturesPrunedAt).not.toBeNull();
      expect(await records.storedBytes()).toBeGreaterThan(1_000);
      expect(await records.pruneOldest(5)).toEqual([jobs[0]!.id]);
      expect(await queue.get(jobs[1]!.id)).toBeDefined();
    });

    test("a person's recent prompts, jobs, and the end of them", async () => {
      for (const prompt of ["A cat", "A dog", "A CAT again", "A cat"]) {
        const job = await enqueue({ user: "ada", kind: "optimize", prompts: [prompt] });
        if (prompt === "A dog") await queue.cancel(job.id);
      }
      await enqueue({ user: "bob", prompts: ["bob's cat"] });
      expect(await records.recentPrompts("ada", "cat", 5)).toEqual(["A cat", "A CAT again"]);
      expect(await records.recentPrompts("ada", "", 2)).toEqual(["A cat", "A CAT again"]);
      expect(await records.idsOfUser("ada")).toHaveLength(4);
      const held = await claim();
      const { deleted, waiting, stopping } = await records.eraseUser("ada");
      expect(stopping).toEqual([held.job.id]);
      expect(deleted).toHaveLength(3);
      expect(waiting).toHaveLength(2);
      expect((await queue.get(held.job.id))?.cancelRequested).toBe(true);
      expect(await records.idsOfUser("bob")).toHaveLength(1);
    });
  });

  describe("cancelItem", () => {
    test("takes an item out of a job that waits or runs, once, and never one that has its results", async () => {
      const job = await enqueue({ user: "ada", kind: "batch", prompts: ["a", "b", "c"] });
      expect(await queue.cancelItem(job.id, 1)).toBe(true);
      expect(await queue.cancelItem(job.id, 1)).toBe(false);
      expect(await queue.cancelItem(job.id, 3)).toBe(false);
      expect(await queue.cancelItem("unknown", 0)).toBe(false);
      const held = await claim();
      expect(held.job.items.map(({ cancelled }) => cancelled)).toEqual([false, true, false]);
      expect(await queue.cancelItem(job.id, 2)).toBe(true);
      for (const index of [0, 2]) {
        await queue.saveText(held, index, { rewrite: "x", candidates: [], notes: [], ms: 5 });
        await queue.savePictures(held, index, {
          pictures: { baseline: drawn("b"), optimized: drawn("d", 7) },
          comparison: "c",
        });
      }
      expect((await queue.get(job.id))?.items[0]).toMatchObject({
        rewriteMs: 5,
        pictures: { baseline: { ms: null }, optimized: { ms: 7 } },
      });
      expect(await queue.cancelItem(job.id, 0)).toBe(false);
      await queue.complete(held);
      expect(await queue.cancelItem(job.id, 2)).toBe(false);
    });
  });

  describe("position and open", () => {
    test("1 is next, 0 runs, null is over", async () => {
      const jobs = [];
      for (const user of ["ada", "ada", "bob"]) jobs.push(await enqueue({ user }));
      expect(await line(jobs)).toEqual([1, 3, 2]);
      const held = await claim();
      expect(await line(jobs)).toEqual([0, 2, 1]);
      await queue.complete(held);
      expect(await line(jobs)).toEqual([null, 2, 1]);
      expect(await queue.position("unknown")).toBeNull();
    });

    test("nobody falls back while others are served", async () => {
      const jobs: Job[] = [];
      for (const user of ["ada", "ada", "bob", "cyd", "bob", "ada"]) jobs.push(await enqueue({ user }));
      for (let before = await line(jobs); before.some((place) => place !== null); ) {
        const held = await claim();
        expect(before[jobs.findIndex((job) => job.id === held.job.id)]).toBe(1);
        const during = await line(jobs);
        await queue.complete(held);
        const after = await line(jobs);
        before.forEach((place, index) => {
          expect(during[index] ?? 0).toBeLessThanOrEqual(place ?? 0);
          expect(after[index] ?? 0).toBeLessThanOrEqual(during[index] ?? 0);
        });
        before = after;
      }
    });

    test("open lists the running, then text, then image, as they are served", async () => {
      const ids: string[] = [];
      for (const wish of [{ user: "ada" }, { user: "ada" }, { user: "bob" }, { user: "cyd", ...pairs }]) {
        ids.push((await enqueue(wish)).id);
      }
      await claim();
      expect((await queue.open()).map((job) => job.id)).toEqual([ids[0], ids[2], ids[1], ids[3]]);
      expect((await queue.open(2)).map((job) => job.id)).toEqual([ids[0], ids[2]]);
      expect(await Promise.all([2, 1, 3].map((i) => queue.position(ids[i]!)))).toEqual([1, 2, 1]);
    });

    test("the line of each phase: how many wait, and since when the first of them", async () => {
      expect(await queue.lines()).toEqual([]);
      const first = await enqueue({ user: "ada" });
      await enqueue({ user: "ada" });
      expect(await queue.lines()).toEqual([{ phase: "text", jobs: 2, oldestAt: first.createdAt }]);
      await claim();
      expect((await queue.lines()).map(({ jobs }) => jobs)).toEqual([1]);
    });

    test("hasWork sees a phase, and other users' work only when asked so", async () => {
      expect(await queue.hasWork("text")).toBe(false);
      await enqueue({ user: "ada" });
      expect(await queue.hasWork("text")).toBe(true);
      expect(await queue.hasWork("image")).toBe(false);
      expect(await queue.hasWork("text", "ada")).toBe(false);
      expect(await queue.hasWork("text", "bob")).toBe(true);
      await claim();
      expect(await queue.hasWork("text")).toBe(false);
    });
  });

  describe("results", () => {
    const candidates = [{ text: "a cat, trending", tokens: 5, score: -0.5 }];

    test("each is kept at once, halves of a pair too, and notes add up", async () => {
      await enqueue({ user: "ada", kind: "batch", prompts: ["A cat", "Fear"] });
      const text = await claim();
      expect(text.job).toMatchObject({ state: "running", attempt: 1, startedAt: START });
      const unchanged = { code: "unchanged" } as const;
      expect(
        await queue.saveText(text, 1, { rewrite: "a cat, trending", candidates, notes: [unchanged] }),
      ).toBe(true);
      expect(await queue.saveCheckpoint(text, "text", "promptist")).toBe(true);
      await queue.advance(text);

      const image = await claim("image");
      const cut = { code: "truncated", side: "optimized", words: "trending" } as const;
      expect(await queue.saveCheckpoint(image, "image", "miniature", "a1b2")).toBe(true);
      expect(
        await queue.savePictures(image, 1, { pictures: { baseline: drawn("1-a.png") }, notes: [cut] }),
      ).toBe(true);
      expect(
        await queue.savePictures(image, 1, {
          pictures: { optimized: drawn("1-b.png") },
          comparison: "1.png",
          notes: [cut],
        }),
      ).toBe(true);
      expect(await queue.saveSheet(image, { number: 1, file: "sheet.png", items: [0, 1] })).toBe(true);
      expect(await deliveries.unsettledSheets()).toEqual([{ jobId: image.job.id, number: 1 }]);
      await deliveries.settleSheet(image.job.id, 1);
      expect(await deliveries.unsettledSheets()).toEqual([]);

      const stored = await queue.get(image.job.id);
      expect(stored).toMatchObject({
        checkpoints: { promptist: "promptist", diffusion: "miniature" },
        hashes: { promptist: null, diffusion: "a1b2" },
        sheets: [{ number: 1, file: "sheet.png", items: [0, 1] }],
      });
      expect(stored?.items).toEqual([
        image.job.items[0],
        {
          ...image.job.items[1],
          rewrite: "a cat, trending",
          candidates,
          pictures: { baseline: drawn("1-a.png"), optimized: drawn("1-b.png") },
          comparison: "1.png",
          notes: [unchanged, cut],
        },
      ]);
    });

    test("an item that the job has not is a bug and is told so", async () => {
      await enqueue({ user: "ada" });
      const held = await claim();
      await expect(
        queue.savePictures(held, 1, { pictures: { baseline: drawn("a.png") } }),
      ).rejects.toMatchObject({
        code: "INTERNAL",
      });
      expect((await queue.get(held.job.id))?.items[0]).toEqual(held.job.items[0]);
    });

    test("complete ends the job", async () => {
      await enqueue({ user: "ada" });
      const held = await claim();
      time += 5_000;
      expect(await queue.complete(held)).toBe(true);
      const job = await queue.get(held.job.id);
      expect(job).toMatchObject({ state: "done", startedAt: START, finishedAt: START + 5_000 });
      expect(await queue.depth()).toEqual({ queued: 0, running: 0, undelivered: 1 });
    });
  });

  describe("fencing", () => {
    const stale = {
      "taken by another attempt": async (held: Claim) => {
        await queue.release(held);
        await claim("text", held.owner);
      },
      "taken by another owner": async (held: Claim) => {
        await queue.release(held);
        await claim("text", "other");
      },
      "waiting again": async () => {
        await queue.recover();
      },
      over: async (held: Claim) => {
        await queue.complete(held);
      },
    };

    test.each(Object.entries(stale))("no write of a holder whose job is %s is kept", async (_name, lose) => {
      await enqueue({ user: "ada", prompts: ["A cat", "Fear"] });
      const held = await claim();
      await lose(held);
      const before = await queue.get(held.job.id);
      const answers = [
        await queue.saveText(held, 0, { rewrite: "late", candidates: [], notes: [{ code: "unchanged" }] }),
        await queue.savePictures(held, 0, { pictures: { baseline: drawn("late.png") } }),
        await queue.saveSheet(held, { number: 1, file: "late.png", items: [] }),
        await queue.saveCheckpoint(held, "text", "late"),
        await queue.saveCheckpoint(held, "image", "late"),
        await queue.advance(held),
        await queue.release(held),
        await queue.complete(held),
        await queue.retry(held, "OUT_OF_MEMORY", "late", 0),
        await queue.fail(held, "INTERNAL", "late"),
        await queue.cancelled(held),
      ];
      expect(answers).toEqual(answers.map(() => false));
      expect(await queue.get(held.job.id)).toEqual(before);
    });

    test("a claim with the right attempt and a wrong owner is stale", async () => {
      await enqueue({ user: "ada" });
      const held = await claim();
      expect(await queue.complete({ ...held, owner: "other" })).toBe(false);
      expect(await queue.complete(held)).toBe(true);
    });

    test("two programs never hold one job", async () => {
      const { queue: second } = await engine.connect(now);
      for (let n = 0; n < 8; n += 1) await enqueue({ user: `user ${n % 3}` });
      const claims = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          (n % 2 === 0 ? queue : second).claim("text", `program ${n % 2}`),
        ),
      );
      const ids = claims.flatMap((held) => (held === undefined ? [] : [held.job.id]));
      expect(ids).toHaveLength(8);
      expect(new Set(ids).size).toBe(8);
    });
  });

  describe("retry and fail", () => {
    test("waits for the back-off time, passed over by others, then is served", async () => {
      const { id } = await enqueue({ user: "ada" });
      const failed = await claim();
      expect(await queue.retry(failed, "OUT_OF_MEMORY", "no room", 30_000)).toBe("queued");
      expect(await queue.get(id)).toMatchObject({
        state: "queued",
        failures: [{ code: "OUT_OF_MEMORY", detail: "no room", at: START }],
      });
      expect(await queue.hasWork("text")).toBe(false);
      expect(await queue.nextDueAt()).toBe(START + 30_000);
      expect(await queue.claim("text", "loop")).toBeUndefined();

      const other = await enqueue({ user: "ada" });
      expect(await queue.position(other.id)).toBe(1);
      expect(await queue.position(id)).toBe(2);
      time += 29_999;
      expect((await claim()).job.id).toBe(other.id);
      expect(await queue.claim("text", "loop")).toBeUndefined();
      time += 1;
      expect(await queue.nextDueAt()).toBeNull();
      expect(await queue.hasWork("text")).toBe(true);
      expect((await claim()).job).toMatchObject({ id, attempt: 2, startedAt: START });
    });

    test("the third failure sets the job aside with all its reasons", async () => {
      const { id } = await enqueue({ user: "ada" });
      for (const [n, answer] of ["queued", "queued", "failed"].entries()) {
        time += 1_000;
        expect(await queue.retry(await claim(), "WORKER_DIED", `death ${n}`, 0)).toBe(answer);
      }
      expect(await queue.get(id)).toMatchObject({
        state: "failed",
        attempt: 3,
        finishedAt: START + 3_000,
        failures: [0, 1, 2].map((n) => ({
          code: "WORKER_DIED",
          detail: `death ${n}`,
          at: START + 1_000 * (n + 1),
        })),
      });
      expect(await queue.claim("text", "loop")).toBeUndefined();
    });

    test("releases and phases are no failures, and do not use attempts up", async () => {
      const { id } = await enqueue({ user: "ada" });
      for (let n = 0; n < 5; n += 1) await queue.release(await claim());
      await queue.advance(await claim());
      expect(await queue.retry(await claim("image"), "WORKER_DIED", "death", 0)).toBe("queued");
      expect(await queue.get(id)).toMatchObject({ state: "queued", phase: "image", attempt: 7 });
    });

    test("fail ends the job at once, with its reason", async () => {
      const { id } = await enqueue({ user: "ada" });
      expect(await queue.fail(await claim(), "CHECKPOINT_CORRUPT", "cut off")).toBe(true);
      expect(await queue.get(id)).toMatchObject({
        state: "failed",
        finishedAt: START,
        failures: [{ code: "CHECKPOINT_CORRUPT", detail: "cut off", at: START }],
      });
    });
  });

  describe("recover", () => {
    test("what ran when the program died waits again with the results that it has", async () => {
      const running = await enqueue({ user: "ada", prompts: ["A cat", "Fear"] });
      const waiting = await enqueue({ user: "bob" });
      const held = await claim("text", "first life");
      await queue.saveText(held, 0, { rewrite: "a cat, trending", candidates: [], notes: [] });

      const { queue: next } = await engine.connect(now);
      expect(await next.recover()).toEqual([{ id: running.id, phase: "text", state: "queued" }]);
      expect(await next.recover()).toEqual([]);
      const job = await next.get(running.id);
      expect(job).toMatchObject({ state: "queued", attempt: 1, failures: [] });
      expect(job?.items.map((item) => item.rewrite)).toEqual(["a cat, trending", null]);
      expect((await next.get(waiting.id))?.state).toBe("queued");

      expect(await next.hasWork("text")).toBe(true);
      const users = [await next.claim("text", "second life"), await next.claim("text", "second life")];
      expect(users.map((claimed) => claimed?.job.id).sort()).toEqual([running.id, waiting.id].sort());
      expect(await queue.saveText(held, 1, { rewrite: "late", candidates: [], notes: [] })).toBe(false);
    });
  });

  describe("cancel", () => {
    test("a waiting job is over at once", async () => {
      const { id } = await enqueue({ user: "ada" });
      expect(await queue.cancel(id)).toBe("cancelled");
      expect(await queue.get(id)).toMatchObject({
        state: "cancelled",
        cancelRequested: true,
        finishedAt: START,
      });
      expect(await queue.claim("text", "loop")).toBeUndefined();
      expect(await queue.position(id)).toBeNull();
    });

    test("the holder of a running job is asked, and ends it", async () => {
      const { id } = await enqueue({ user: "ada" });
      const held = await claim();
      expect(await queue.cancel(id)).toBe("requested");
      expect(await queue.cancel(id)).toBe("requested");
      expect(await queue.get(id)).toMatchObject({ state: "running", cancelRequested: true });
      expect(await queue.cancelled(held)).toBe(true);
      expect(await queue.get(id)).toMatchObject({ state: "cancelled", finishedAt: START });
    });

    test("a job that ends before its holder sees the request keeps its result", async () => {
      const { id } = await enqueue({ user: "ada" });
      const held = await claim();
      await queue.cancel(id);
      expect(await queue.complete(held)).toBe(true);
      expect((await queue.get(id))?.state).toBe("done");
    });

    test("a job that was asked to stop never waits again", async () => {
      const ways = {
        advance: (held: Claim) => queue.advance(held),
        release: (held: Claim) => queue.release(held),
        retry: (held: Claim) => queue.retry(held, "WORKER_DIED", "death", 1_000),
        recover: () => queue.recover(),
      };
      const answers: Record<string, unknown> = {};
      for (const [name, end] of Object.entries(ways)) {
        const { id } = await enqueue({ user: "ada" });
        const held = await claim();
        await queue.cancel(id);
        answers[name] = await end(held);
        expect(await queue.get(id)).toMatchObject({ state: "cancelled", finishedAt: START });
      }
      const recover = [{ id: expect.any(String), phase: "text", state: "cancelled" }];
      expect(answers).toEqual({ advance: "cancelled", release: "cancelled", retry: "cancelled", recover });
      expect(await queue.depth()).toEqual({ queued: 0, running: 0, undelivered: 4 });
    });

    test("what is over or unknown is told so", async () => {
      const { id } = await enqueue({ user: "ada" });
      await queue.complete(await claim());
      expect(await queue.cancel(id)).toBe("finished");
      expect((await queue.get(id))?.state).toBe("done");
      expect(await queue.cancel("unknown")).toBe("unknown");
    });
  });

  describe("delivery", () => {
    /** Three jobs that ended in three ways, a second apart. */
    async function finished(): Promise<[string, string, string]> {
      for (const user of ["ada", "bob", "cyd"]) await enqueue({ user });
      const [ada, bob, cyd] = [await claim(), await claim(), await claim()];
      await queue.fail(cyd, "INTERNAL", "bug");
      time += 1_000;
      await queue.complete(ada);
      time += 1_000;
      await queue.cancelled(bob);
      return [ada.job.id, bob.job.id, cyd.job.id];
    }
    const undelivered = async () => deliveries.undelivered();

    test("whatever ended waits to be told, oldest first, until it is", async () => {
      await enqueue({ user: "zoe" });
      await queue.release(await claim());
      const waiting = (await queue.open())[0]!;
      await queue.cancel(waiting.id);
      await deliveries.delivered(waiting.id, null);
      expect((await queue.get(waiting.id))?.delivery).toMatchObject({ deliveredAt: START, messageId: null });

      const [ada, bob, cyd] = await finished();
      expect(await undelivered()).toEqual([cyd, ada, bob]);
      await deliveries.deliveryFailed(ada, "503");
      await deliveries.deliveryFailed(ada, "503");
      expect((await queue.get(ada))?.delivery).toEqual({
        deliveredAt: null,
        messageId: null,
        attempts: 2,
        abandoned: null,
      });
      await deliveries.delivered(ada, "message 1");
      expect((await queue.get(ada))?.delivery).toEqual({
        deliveredAt: time,
        messageId: "message 1",
        attempts: 2,
        abandoned: null,
      });
      await deliveries.abandonDelivery(bob, "channel deleted");
      expect((await queue.get(bob))?.delivery.abandoned).toBe("channel deleted");
      expect(await undelivered()).toEqual([cyd]);
      expect((await queue.depth()).undelivered).toBe(1);
    });

    test("the delivery of a job that is not over is a bug", async () => {
      const { id } = await enqueue({ user: "ada" });
      for (const wrong of [id, "unknown"]) {
        await expect(deliveries.delivered(wrong, "message")).rejects.toMatchObject({ code: "INTERNAL" });
        await expect(deliveries.deliveryFailed(wrong, "503")).rejects.toMatchObject({ code: "INTERNAL" });
        await expect(deliveries.abandonDelivery(wrong, "gone")).rejects.toMatchObject({ code: "INTERNAL" });
      }
      expect((await queue.get(id))?.delivery.deliveredAt).toBeNull();
    });

    test("prune deletes old jobs that were told or given up, and nothing else", async () => {
      const [ada, bob, cyd] = await finished(); // ended after 1, 2 and 0 seconds
      const waiting = await enqueue({ user: "ada" });
      await deliveries.delivered(ada, "message");
      await deliveries.abandonDelivery(bob, "gone");
      expect(await records.prune(START + 1_000)).toEqual([]); // ada ended at, not before, the time
      expect(await records.prune(START + 1_001)).toEqual([ada]);
      expect(await queue.get(ada)).toBeUndefined();
      expect(await records.prune(time + 1)).toEqual([bob]);
      expect((await queue.get(cyd))?.items).toHaveLength(1); // not told yet
      expect(await queue.position(waiting.id)).toBe(1);
      expect(await drain()).toEqual(["ada"]);
    });

    test("prune leaves the turns of those who wait", async () => {
      for (const user of ["ada", "bob"]) await enqueue({ user });
      await queue.release(await claim());
      await records.prune(time);
      expect(await drain()).toEqual(["bob", "ada"]);
    });
  });

  test("everything is there after closing and opening again", async () => {
    const job = await enqueue({ user: "ada", prompts: ["A cat", "Fear"] });
    await enqueue({ user: "bob" });
    const held = await claim();
    await queue.saveText(held, 1, { rewrite: "fear, trending", candidates: [], notes: [] });
    await queue.retry(held, "WORKER_DIED", "death", 60_000);
    const before = await queue.open();
    await store.close();
    const { queue: again } = await engine.connect(now);
    expect(await again.open()).toEqual(before);
    expect((await again.get(job.id))?.items[1]?.rewrite).toBe("fear, trending");
    expect(await again.nextDueAt()).toBe(START + 60_000);
  });
});
