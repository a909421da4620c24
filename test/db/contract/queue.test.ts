import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { imageOf, type Phase } from "../../../src/core/job.js";
import { DEFAULT_TEXT_OPTIONS } from "../../../src/core/options.js";
import type { Deliveries } from "../../../src/db/deliveries.js";
import { type Claim, LEASE_MS, type Queue } from "../../../src/db/queue.js";
import type { Store } from "../../../src/db/store.js";
import { ENGINES, type Engine } from "./engines.js";
import { claimNext, drawn, type JobWish, newJob } from "./fixtures.js";

const START = Date.UTC(2026, 0, 1);

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let store: Store;
  let queue: Queue;
  let deliveries: Deliveries;
  let time: number;
  const now = () => time;

  beforeEach(async () => {
    time = START;
    engine = create();
    store = await engine.connect(now, { maxWaiting: 10 });
    ({ queue, deliveries } = store);
  });
  afterEach(() => engine.destroy());

  const enqueue = (wish: JobWish) => queue.enqueue(newJob(wish));
  const claim = (phase?: Phase, owner?: string) => claimNext(queue, phase, owner);
  const pairs = { prompts: ["A castle"], rewrites: ["A castle, trending"] };

  describe("enqueue", () => {
    test("stores what an evaluation compares, and answers it again", async () => {
      const evaluation = { rewriters: ["none", "promptist"], baseline: 0, seeds: 2 };
      const { id } = await queue.enqueue({ ...newJob({ user: "ada" }), kind: "evaluation", evaluation });
      expect(await queue.get(id)).toMatchObject({ kind: "evaluation", evaluation });
      expect((await claim()).job.evaluation).toEqual(evaluation);
    });

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

    test("an item keeps options of its own, and the work that is left counts its steps", async () => {
      const job = newJob({ user: "ada", prompts: ["a", "b"] });
      const own = { steps: 10, size: { width: 512, height: 768 }, negative: "ugly" };
      const items = [{ prompt: "a", rewrite: "a, fine", image: own }, job.items[1]!];
      const stored = await queue.enqueue({ ...job, items });
      expect(stored.items.map(({ image }) => image)).toEqual([own, undefined]);
      expect(imageOf(stored, stored.items[0])).toEqual({ ...job.image, ...own, seed: 42 });
      expect(imageOf(stored, stored.items[1])).toEqual({ ...job.image, seed: 43 });
      expect((await queue.work()).map(({ steps }) => steps)).toEqual([30]);
      expect((await queue.get(stored.id))?.items[0]?.image).toEqual(own);
    });

    test("a job keeps the id that its pictures are stored under, and what it goes on from", async () => {
      const wish = newJob({ user: "ada" });
      const source = { file: "source.png", sha256: "0123" };
      const from = { strength: 0.3, sources: { baseline: source, optimized: source }, accepts: [] };
      const job = await queue.enqueue({ ...wish, id: "23456789abcd", image: { ...wish.image, from } });
      expect(job.id).toBe("23456789abcd");
      expect((await queue.get(job.id))?.image.from).toEqual(from);
      // Of 50 steps these are taken.
      expect((await queue.work()).map(({ steps }) => steps)).toEqual([15]);
    });

    test("the same interaction twice is one job", async () => {
      const wish = newJob({ user: "ada" });
      const first = await queue.enqueue(wish);
      const [second, third] = await Promise.all([queue.enqueue(wish), queue.enqueue(wish)]);
      expect([second, third]).toEqual([first, first]);
      expect(await queue.depth()).toEqual({ queued: 1, running: 0, undelivered: 0 });
    });

    test("calls onStored for a new job, and not for one that is stored already", async () => {
      const wish = newJob({ user: "ada" });
      const stored: unknown[] = [];
      const onStored = (job: unknown) => stored.push(job);
      const first = await queue.enqueue(wish, onStored);
      expect(stored).toEqual([first]);
      await queue.enqueue(wish, onStored);
      await expect(queue.enqueue({ ...newJob({ user: "ada" }), items: [] }, onStored)).rejects.toMatchObject({
        code: "INTERNAL",
      });
      expect(stored).toEqual([first]);
    });

    test("a command is noted from its arrival until its job is stored or it is settled", async () => {
      const { origin } = newJob({ user: "ada" });
      const { origin: bobs, ...others } = newJob({ user: "bob" });
      const later = { ...others, origin: { ...bobs, locale: "de" } };
      const noted = ({
        applicationId,
        interactionId,
        interactionToken,
        tokenExpiresAt,
        locale,
      }: typeof origin) => ({ applicationId, interactionId, interactionToken, tokenExpiresAt, locale });
      for (const arrival of [origin, later.origin, origin]) await queue.arrive(arrival);
      const { queue: after } = await engine.connect(now);
      expect(new Set(await after.arrivals())).toEqual(new Set([origin, later.origin].map(noted)));
      await after.enqueue(later);
      expect(await after.arrivals()).toEqual([noted(origin)]);
      await after.settleArrival(origin.interactionId);
      await after.settleArrival("unknown");
      expect(await after.arrivals()).toEqual([]);
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

    test("a full queue refuses new jobs, answers repeated ones, and accepts again once one has left", async () => {
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

    test("caps of a person, a channel and a server count only open jobs", async () => {
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
  });

  describe("results", () => {
    const candidates = [{ text: "a cat, trending", tokens: 5, score: -0.5 }];

    test("each is kept at once, also one side of a pair, and notes add up", async () => {
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

    test("an index without an item throws", async () => {
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
        await queue.recover("all");
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

    test("a failure keeps the values of its sentence, and one without any has none", async () => {
      const { id } = await enqueue({ user: "ada" });
      const context = { option: "steps", limit: 999 };
      await queue.retry(await claim(), "INPUT_OPTION", "999 at most", 0, context);
      await queue.retry(await claim(), "WORKER_DIED", "death", 0);
      await queue.fail(await claim(), "INPUT_TOO_LONG", "too long", { limit: 12_000 });
      expect((await queue.get(id))?.failures).toEqual([
        { code: "INPUT_OPTION", context, detail: "999 at most", at: START },
        { code: "WORKER_DIED", detail: "death", at: START },
        { code: "INPUT_TOO_LONG", context: { limit: 12_000 }, detail: "too long", at: START },
      ]);
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
      expect(await next.recover("all")).toEqual([{ id: running.id, phase: "text", state: "queued" }]);
      expect(await next.recover("all")).toEqual([]);
      const job = await next.get(running.id);
      expect(job).toMatchObject({ state: "queued", attempt: 1, failures: [] });
      expect(job?.items.map((item) => item.rewrite)).toEqual(["a cat, trending", null]);
      expect((await next.get(waiting.id))?.state).toBe("queued");

      expect(await next.hasWork("text")).toBe(true);
      const users = [await next.claim("text", "second life"), await next.claim("text", "second life")];
      expect(users.map((claimed) => claimed?.job.id).sort()).toEqual([running.id, waiting.id].sort());
      expect(await queue.saveText(held, 1, { rewrite: "late", candidates: [], notes: [] })).toBe(false);
    });

    test("of one holder leaves what others hold", async () => {
      const lost = await enqueue({ user: "ada" });
      const kept = await enqueue({ user: "bob" });
      const claims = [await claim("text", "one loop"), await claim("text", "another loop")];
      expect(claims.map((it) => it.job.id)).toEqual([lost.id, kept.id]);

      expect(await queue.recover({ owner: "one loop" })).toEqual([
        { id: lost.id, phase: "text", state: "queued" },
      ]);
      expect((await queue.get(kept.id))?.state).toBe("running");
      expect(await queue.recover({ owner: "nobody" })).toEqual([]);
    });
  });

  describe("leases", () => {
    test("a claim lasts as long as it is extended, and then the job waits for another holder", async () => {
      const { id } = await enqueue({ user: "ada" });
      const first = await claim("text", "one host");
      for (let beat = 0; beat < 3; beat++) {
        time += LEASE_MS - 1;
        expect(await queue.extend(first)).toBe("held");
        expect(await queue.recover("lapsed")).toEqual([]);
      }
      time += LEASE_MS + 1;
      expect(await queue.recover("lapsed")).toEqual([{ id, phase: "text", state: "queued" }]);
      expect(await queue.extend(first)).toBe(false);

      const second = await claim("text", "another host");
      expect(second).toMatchObject({ job: { id, failures: [] }, attempt: 2 });
      expect(await queue.extend(first)).toBe(false);
      expect(await queue.saveText(first, 0, { rewrite: "late", candidates: [], notes: [] })).toBe(false);
      expect(await queue.complete(first)).toBe(false);
      expect(await queue.extend(second)).toBe("held");
      expect(await queue.recover("lapsed")).toEqual([]);
    });

    test("a holder that was late keeps its job while nobody has recovered it", async () => {
      await enqueue({ user: "ada" });
      const held = await claim();
      time += 2 * LEASE_MS;
      expect(await queue.extend(held)).toBe("held");
      expect(await queue.recover("lapsed")).toEqual([]);
      expect(await queue.saveText(held, 0, { rewrite: "kept", candidates: [], notes: [] })).toBe(true);
    });

    test("only what has lapsed is recovered, and what was asked to stop ends there", async () => {
      const [lost, stopped, kept] = [
        await enqueue({ user: "ada" }),
        await enqueue({ user: "bob" }),
        await enqueue({ user: "cyd" }),
      ];
      for (let i = 0; i < 2; i++) await claim("text", "one host");
      time += LEASE_MS;
      await claim("text", "another host");
      await queue.cancel(stopped.id);
      time += 1;
      expect(await queue.recover("lapsed")).toEqual([
        { id: lost.id, phase: "text", state: "queued" },
        { id: stopped.id, phase: "text", state: "cancelled" },
      ]);
      expect((await queue.get(kept.id))?.state).toBe("running");
    });

    test("the holder hears with its lease that it was asked to stop", async () => {
      const { id } = await enqueue({ user: "ada" });
      const held = await claim();
      await queue.cancel(id);
      expect(await queue.extend(held)).toBe("cancel");
      await queue.cancelled(held);
      expect(await queue.extend(held)).toBe(false);
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
        recover: () => queue.recover("all"),
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

    test("answers 'finished' or 'unknown' for a job that is over or not stored", async () => {
      const { id } = await enqueue({ user: "ada" });
      await queue.complete(await claim());
      expect(await queue.cancel(id)).toBe("finished");
      expect((await queue.get(id))?.state).toBe("done");
      expect(await queue.cancel("unknown")).toBe("unknown");
    });
  });

  test("everything is there after closing and opening again", async () => {
    const job = await enqueue({ user: "ada", prompts: ["A cat", "Fear"] });
    await enqueue({ user: "bob" });
    const text = { ...DEFAULT_TEXT_OPTIONS, rewriter: "magicprompt", temperature: 0.7 };
    const own = newJob({ user: "eve", kind: "optimize" });
    const { id } = await queue.enqueue({ ...own, items: [{ prompt: "A hen", rewrite: null, text }] });
    const held = await claim();
    await queue.saveText(held, 1, { rewrite: "fear, trending", candidates: [], notes: [] });
    await queue.retry(held, "WORKER_DIED", "death", 60_000);
    const before = await queue.open();
    await store.close();
    const { queue: again } = await engine.connect(now);
    expect(await again.open()).toEqual(before);
    expect((await again.get(job.id))?.items[1]?.rewrite).toBe("fear, trending");
    expect((await again.get(id))?.items[0]?.text).toEqual(text);
    expect(await again.nextDueAt()).toBe(START + 60_000);
  });
});
