import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Job, Phase } from "../../../src/core/job.js";
import { modelKey } from "../../../src/core/model-set.js";
import type { Queue } from "../../../src/db/queue.js";
import { ENGINES, type Engine } from "./engines.js";
import { claimNext, drain, drawn, type JobWish, newJob } from "./fixtures.js";

const START = Date.UTC(2026, 0, 1);

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let queue: Queue;
  let time: number;
  const now = () => time;

  beforeEach(async () => {
    time = START;
    engine = create();
    ({ queue } = await engine.connect(now, { maxWaiting: 10 }));
  });
  afterEach(() => engine.destroy());

  const enqueue = (wish: JobWish) => queue.enqueue(newJob(wish));
  const claim = (phase?: Phase, owner?: string) => claimNext(queue, phase, owner);
  const pairs = { prompts: ["A castle"], rewrites: ["A castle, trending"] };

  async function line(jobs: readonly Job[]): Promise<(number | null)[]> {
    return Promise.all(jobs.map((job) => queue.position(job.id)));
  }

  describe("order", () => {
    describe("of several models", () => {
      const draw = (user: string, model?: string) =>
        enqueue({ user, ...pairs, ...(model === undefined ? {} : { model }) });
      const key = (model: string) => modelKey({ model, loras: [] });
      /** Claims and completes all jobs; answers who was served. */
      async function served(loaded: readonly string[]): Promise<string[]> {
        const all: string[] = [];
        for (;;) {
          const next = await queue.claim("image", "loop", { loaded });
          if (next === undefined) return all;
          all.push(`${next.job.origin.userId} ${next.job.image.model ?? "own"}`);
          await queue.complete(next);
        }
      }

      test("the jobs of a loaded model come first, its users in turn", async () => {
        for (const [user, model] of [
          ["ada", "photo"],
          ["bob", "anime"],
          ["bob", "photo"],
          ["bob", "photo"],
          ["cyd", undefined],
        ] as const)
          await draw(user, model);
        expect(await served([key("photo")])).toEqual([
          "ada photo",
          "bob photo",
          "bob photo",
          // Nothing of the loaded model is left, so the ring goes on: bob was served last.
          "cyd own",
          "bob anime",
        ]);
      });

      test("several loaded models are one turn, in the order of the ring", async () => {
        for (const [user, model] of [
          ["ada", "anime"],
          ["bob", "paint"],
          ["cyd", undefined],
          ["dan", "anime"],
        ] as const)
          await draw(user, model);
        const loaded = ["", key("anime")];
        expect(await served(loaded)).toEqual(["ada anime", "cyd own", "dan anime", "bob paint"]);
      });

      test("a job that is put back waits for the model of its next picture", async () => {
        const { image, ...wanted } = newJob({
          user: "ada",
          prompts: ["A castle", "A castle"],
          rewrites: ["A castle, bright", "A castle, bright"],
          model: "photo",
        });
        const items = wanted.items.map((item, index) =>
          index === 0 ? item : { ...item, image: { model: "anime" } },
        );
        const mixed = await queue.enqueue({ ...wanted, image, items });
        await draw("bob", "photo");
        const held = await claimNext(queue, "image", "loop", [key("photo")]);
        expect(held.job.id).toBe(mixed.id);
        const pictures = { baseline: drawn("1.png"), optimized: drawn("2.png") };
        await queue.savePictures(held, 0, { pictures, comparison: "3.png" });
        await queue.release(held);
        const next = await claimNext(queue, "image", "loop", [key("anime")]);
        expect(next.job.id).toBe(mixed.id);
      });

      test("a user for whom something runs waits behind others, also with the loaded model", async () => {
        await draw("ada", "photo");
        await draw("ada", "photo");
        await claimNext(queue, "image");
        await draw("bob", "anime");
        const next = await claimNext(queue, "image", "loop", [key("photo")]);
        expect(next.job.origin.userId).toBe("bob");
      });
    });

    describe("of models that other devices have loaded", () => {
      const photo = modelKey({ model: "photo", loras: [] });
      const draw = (user: string, model: string) => enqueue({ user, ...pairs, model });
      /** Who is served by a device without a model, while another one has loaded `photo`. */
      async function next(loaded?: readonly string[]): Promise<string | undefined> {
        const found = await queue.claim("image", "loop", { loaded, elsewhere: [photo] });
        return found && `${found.job.origin.userId} ${found.job.image.model}`;
      }

      test("they are left to these as long as others are due, and none waits in vain", async () => {
        await draw("ada", "photo");
        await draw("bob", "anime");
        await draw("cyd", "photo");
        expect(await next()).toBe("bob anime");
        expect([await next(), await next(), await next()]).toEqual(["ada photo", "cyd photo", undefined]);
      });

      test("a model that has its turn here counts more", async () => {
        await draw("ada", "anime");
        await draw("bob", "photo");
        expect(await next([photo])).toBe("bob photo");
      });

      test("a person for whom something runs has another model drawn beside it, once nobody else waits", async () => {
        await draw("ada", "photo");
        await claimNext(queue, "image");
        await draw("ada", "photo");
        await draw("ada", "anime");
        await draw("bob", "photo");
        expect([await next(), await next(), await next()]).toEqual(["bob photo", "ada anime", "ada photo"]);
      });
    });

    test("first come, first served among users with one job each", async () => {
      for (const user of ["ada", "bob", "cyd"]) await enqueue({ user });
      expect(await drain(queue)).toEqual(["ada", "bob", "cyd"]);
    });

    test("users take turns", async () => {
      for (const user of ["ada", "ada", "ada", "bob", "cyd", "bob"]) await enqueue({ user });
      expect(await drain(queue)).toEqual(["ada", "bob", "cyd", "ada", "bob", "ada"]);
    });

    test("users take turns also when many jobs are claimed before one ends", async () => {
      for (const user of ["ada", "ada", "ada", "bob", "bob"]) await enqueue({ user });
      const users = [];
      for (let n = 0; n < 5; n += 1) users.push((await claim()).job.origin.userId);
      expect(users).toEqual(["ada", "bob", "ada", "bob", "ada"]);
      expect(await queue.claim("text", "loop")).toBeUndefined();
    });

    test("a user who comes while another is served goes before that one's next job", async () => {
      await enqueue({ user: "ada" });
      const running = await claim();
      await enqueue({ user: "ada" });
      await enqueue({ user: "bob" });
      await queue.complete(running);
      expect(await drain(queue)).toEqual(["bob", "ada"]);
    });

    test("a stream of newcomers does not starve a waiting user", async () => {
      await enqueue({ user: "ada" });
      await enqueue({ user: "ada" });
      await queue.complete(await claim());
      for (const user of ["bob", "cyd", "dan"]) await enqueue({ user });
      expect(await drain(queue)).toEqual(["ada", "bob", "cyd", "dan"]);
    });

    test("a cancelled job leaves no hole in its user's turns", async () => {
      const first = await enqueue({ user: "ada" });
      for (const user of ["ada", "bob", "bob"]) await enqueue({ user });
      await queue.cancel(first.id);
      expect(await drain(queue)).toEqual(["ada", "bob", "bob"]);
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
      expect(await drain(queue, "image")).toEqual(["ada", "bob", "cyd", "ada"]);
    });

    test("a user who enters the image line goes behind those who wait there, served before or not", async () => {
      await enqueue({ user: "ada", ...pairs });
      await queue.complete(await claim("image"));
      await enqueue({ user: "ada" });
      await enqueue({ user: "cyd", ...pairs });
      await queue.advance(await claim("text"));
      expect(await drain(queue, "image")).toEqual(["cyd", "ada"]);
    });

    test("a job in its back-off time takes no turn from its user's other jobs", async () => {
      for (const user of ["ada", "bob", "bob"]) await enqueue({ user });
      await queue.retry(await claim(), "OUT_OF_MEMORY", "no room", 30_000);
      await enqueue({ user: "ada" });
      expect(await drain(queue)).toEqual(["bob", "ada", "bob"]);
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

  describe("limits and the pause", () => {
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
  });

  describe("position, open, work and lines", () => {
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

    test("work counts one picture of an item that has one, and its text only where it is drawn", async () => {
      const base = newJob({ user: "ada", kind: "grid", prompts: ["A cat", "A cat", "A cat"] });
      const grid = { x: { name: "steps", values: ["10", "20", "30"] }, y: null };
      const cells = (only: "baseline" | "optimized") =>
        base.items.map((item, i) => ({ ...item, only, seed: 7, image: { steps: 10 * (i + 1) } }));
      const plain = await queue.enqueue({ ...base, grid, items: cells("baseline") });
      const rewritten = await queue.enqueue({
        ...newJob({ user: "bob", kind: "grid" }),
        grid,
        items: cells("optimized"),
      });
      expect(await queue.get(plain.id)).toMatchObject({ kind: "grid", phase: "image", grid });
      expect((await queue.get(plain.id))?.items[1]).toMatchObject({
        only: "baseline",
        rewrite: null,
        seed: 7,
      });
      expect(await queue.work()).toMatchObject([
        { id: rewritten.id, phase: "text", texts: 3, pictures: 3, steps: 20 },
        { id: plain.id, phase: "image", texts: 0, pictures: 3, steps: 20 },
      ]);
      const held = await claim("image");
      await queue.savePictures(held, 0, { pictures: { baseline: drawn("1") } });
      await queue.cancelItem(plain.id, 1);
      expect((await queue.work()).find(({ id }) => id === plain.id)).toMatchObject({
        pictures: 1,
        steps: 30,
      });
      // What is drawn already can't be taken out.
      expect(await queue.cancelItem(plain.id, 0)).toBe(false);
      const text = await claim("text");
      expect(text.job.id).toBe(rewritten.id);
      for (const i of [0, 1, 2]) await queue.saveText(text, i, { rewrite: "x", candidates: [], notes: [] });
      expect(await queue.advance(text)).toBe("queued");
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
});
