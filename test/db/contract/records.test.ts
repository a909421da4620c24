import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Phase } from "../../../src/core/job.js";
import type { Deliveries } from "../../../src/db/deliveries.js";
import type { Queue } from "../../../src/db/queue.js";
import type { Records } from "../../../src/db/records.js";
import { ENGINES, type Engine } from "./engines.js";
import { claimNext, drain, endThree, type JobWish, newJob } from "./fixtures.js";

const START = Date.UTC(2026, 0, 1);

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let queue: Queue;
  let deliveries: Deliveries;
  let records: Records;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    ({ queue, deliveries, records } = await engine.connect(() => time, { maxWaiting: 10 }));
  });
  afterEach(() => engine.destroy());

  const enqueue = (wish: JobWish) => queue.enqueue(newJob(wish));
  const claim = (phase?: Phase, owner?: string) => claimNext(queue, phase, owner);
  const pairs = { prompts: ["A castle"], rewrites: ["A castle, trending"] };

  const finished = () =>
    endThree(queue, (ms) => {
      time += ms;
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

  test("a person's jobs are listed, newest first, in every state and with the first prompt", async () => {
    const first = await enqueue({ user: "ada", prompts: ["A Cat", "A dog"] });
    time += 1;
    const second = await enqueue({ user: "ada", prompts: ["A bird"] });
    await enqueue({ user: "bob", prompts: ["A cat of bob's"] });
    const held = await claim();
    await queue.fail(held, "DISK_FULL", "full");
    await deliveries.delivered(held.job.id, "message");
    const all = await records.recentJobs("ada", "", 25);
    expect(all).toEqual([
      expect.objectContaining({ id: second.id, prompt: "A bird", state: "queued", createdAt: START + 1 }),
      expect.objectContaining({ id: first.id, prompt: "A Cat", state: "failed", messageId: "message" }),
    ]);
    const { kind, guildId, channelId } = { ...first, ...first.origin };
    expect(all[1]).toMatchObject({ kind, guildId, channelId });
    const ids = async (part: string, limit = 25) =>
      (await records.recentJobs("ada", part, limit)).map(({ id }) => id);
    expect(await ids("", 1)).toEqual([second.id]);
    expect(await ids("cAT")).toEqual([first.id]);
    expect(await ids(second.id.slice(0, 6))).toEqual([second.id]);
    expect(await ids(second.id.slice(1))).toEqual([]);
    expect(await ids("%")).toEqual([]);
  });

  test("the latest finished jobs are listed, whatever their end, and open ones are not", async () => {
    const { ada, bob, cyd } = await finished(); // ended after 1, 2 and 0 seconds
    await enqueue({ user: "ada" });
    expect((await records.latest(5)).map(({ id }) => id)).toEqual([bob, ada, cyd]);
    expect((await records.latest(2)).map(({ id }) => id)).toEqual([bob, ada]);
  });

  test("prune deletes old jobs whose delivery succeeded or was given up, and nothing else", async () => {
    const { ada, bob, cyd } = await finished(); // ended after 1, 2 and 0 seconds
    const waiting = await enqueue({ user: "ada" });
    await deliveries.delivered(ada, "message");
    await deliveries.abandonDelivery(bob, "gone");
    expect(await records.prune(START + 1_000)).toEqual([]); // ada ended at, not before, the time
    expect(await records.prune(START + 1_001)).toEqual([ada]);
    expect(await queue.get(ada)).toBeUndefined();
    expect(await records.prune(time + 1)).toEqual([bob]);
    expect((await queue.get(cyd))?.items).toHaveLength(1); // not told yet
    expect(await queue.position(waiting.id)).toBe(1);
    expect(await drain(queue)).toEqual(["ada"]);
  });

  test("prune leaves the turns of those who wait", async () => {
    for (const user of ["ada", "bob"]) await enqueue({ user });
    await queue.release(await claim());
    await records.prune(time);
    expect(await drain(queue)).toEqual(["bob", "ada"]);
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

  test("lists a person's recent prompts and jobs, and erases them", async () => {
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

  test("a job that ran when its user was erased goes with all its messages once it has ended", async () => {
    const { id } = await enqueue({ user: "ada" });
    const held = await claim();
    await deliveries.replied(id, "reply");
    expect(await deliveries.posted(id, "elsewhere", "sheet")).toBe(true);
    await records.eraseUser("ada", true);
    expect(await records.eraseEnded()).toEqual([]);
    await queue.complete(held);
    expect(await deliveries.undelivered()).toEqual([]);
    expect(await records.eraseEnded()).toEqual([id]);
    expect(await queue.get(id)).toBeUndefined();
    expect(await deliveries.posted(id, "elsewhere", "late")).toBe(false);
    const left = await records.erasedMessages(0, 10);
    expect(left.map(({ sourceId, messageId }) => [sourceId, messageId])).toEqual([
      [id, "reply"],
      [id, "sheet"],
    ]);
    expect(left[1]?.channelId).toBe("elsewhere");
    await records.messageSettled(left[0]!.seq);
    expect(await records.erasedMessages(0, 10)).toEqual([left[1]]);
  });

  test("a message is kept once for its deletion, whichever way its id is known", async () => {
    for (const replied of [true, false]) {
      const { id } = await enqueue({ user: "ada" });
      if (replied) await deliveries.replied(id, `${id}-result`);
      await queue.complete(await claim());
      await deliveries.posted(id, "direct", `${id}-result`);
      await deliveries.delivered(id, `${id}-result`);
    }
    const { deleted } = await records.eraseUser("ada", true);
    const left = await records.erasedMessages(0, 10);
    expect(left.map(({ messageId }) => messageId)).toEqual(deleted.map((id) => `${id}-result`));
  });
});
