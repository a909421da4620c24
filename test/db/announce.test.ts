import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createEvents, type Events } from "../../src/core/events.js";
import type { Phase } from "../../src/core/job.js";
import { announced } from "../../src/db/announce.js";
import { type Claim, MOST_DEATHS } from "../../src/db/queue.js";
import type { Store } from "../../src/db/store.js";
import { ENGINES, type Engine } from "./contract/engines.js";
import { drawn, type JobWish, newJob } from "./contract/fixtures.js";

const START = Date.UTC(2026, 0, 1);
const NO_TEXT = { rewrite: "x", candidates: [], notes: [] } as const;

describe.each(ENGINES)("$name, announced", ({ create }) => {
  let engine: Engine;
  let events: Events;
  let store: Store;
  let time: number;
  /** All that was told since `told` was last asked, as `[event, payload]`. */
  let heard: unknown[];

  beforeEach(async () => {
    engine = create();
    events = createEvents();
    heard = [];
    time = START;
    const emit = events.emit.bind(events) as (name: string, ...payload: unknown[]) => boolean;
    events.emit = ((name: string, ...payload: unknown[]) => {
      heard.push([name, ...payload]);
      return emit(name, ...payload);
    }) as Events["emit"];
    store = announced(await engine.connect(() => time, { maxWaiting: 5 }), events);
  });
  afterEach(() => engine.destroy());

  const told = () => heard.splice(0);
  const enqueue = (wish: JobWish) => store.queue.enqueue(newJob(wish));

  /** A claimed job of a user of its own; what led to it is not heard. */
  async function running(wish: Partial<JobWish> = {}, phase: Phase = "text"): Promise<Claim> {
    await enqueue({ user: "ada", ...wish });
    const claim = await store.queue.claim(phase, "loop");
    if (claim === undefined) throw new Error(`no ${phase} job waits`);
    told();
    return claim;
  }

  test("a new job is told once, however often its command comes", async () => {
    const wish = newJob({ user: "ada" });
    const [job] = await Promise.all([store.queue.enqueue(wish), store.queue.enqueue(wish)]);
    expect(await store.queue.enqueue(wish)).toEqual(job);
    expect(told()).toEqual([["job.enqueued", { jobId: job.id, job }]]);
  });

  test("a job that was refused is not told", async () => {
    for (let n = 0; n < 5; n += 1) await enqueue({ user: `user ${n}` });
    told();
    await expect(enqueue({ user: "eve" })).rejects.toMatchObject({ code: "QUEUE_FULL" });
    const fromDraft = { ...newJob({ user: "eve" }), draftId: "gone" };
    await store.queue.cancel((await store.queue.open())[0]!.id);
    told();
    await expect(store.queue.enqueue(fromDraft)).rejects.toMatchObject({ code: "DRAFT_GONE" });
    expect(told()).toEqual([]);
  });

  test("a claim is told with its attempt, and nothing where nothing waits", async () => {
    const { id: jobId } = await enqueue({ user: "ada" });
    told();
    await store.queue.claim("image", "loop");
    expect(told()).toEqual([]);
    await store.queue.release((await store.queue.claim("text", "loop"))!);
    told();
    await store.queue.claim("text", "loop");
    expect(told()).toEqual([["job.claimed", { jobId, phase: "text", attempt: 2, owner: "loop" }]]);
  });

  test("each result is told when it is stored", async () => {
    const claim = await running({ kind: "batch", prompts: ["a", "b"] });
    const jobId = claim.job.id;
    await store.queue.saveText(claim, 1, NO_TEXT);
    expect(told()).toEqual([["job.item", { jobId, item: 1, phase: "text" }]]);
    await store.queue.savePictures(claim, 1, { pictures: { baseline: drawn("b") } });
    expect(told()).toEqual([["job.picture", { jobId, item: 1, side: "baseline" }]]);
    await store.queue.savePictures(claim, 1, { pictures: { optimized: drawn("o") }, comparison: "c" });
    expect(told()).toEqual([
      ["job.picture", { jobId, item: 1, side: "optimized" }],
      ["job.item", { jobId, item: 1, phase: "image" }],
    ]);
    await store.queue.saveSheet(claim, { number: 1, file: "s", items: [0, 1] });
    expect(told()).toEqual([["job.sheet", { jobId, number: 1 }]]);
    await store.queue.savePictures(claim, 1, { notes: [{ code: "unchanged" }] });
    await store.queue.saveCheckpoint(claim, "text", "promptist");
    await store.deliveries.settleSheet(jobId, 1);
    expect(told()).toEqual([]);
  });

  test("one picture of a pair whose row refuses it is not told", async () => {
    const claim = await running();
    const wrong = store.queue.savePictures(claim, 7, { pictures: { baseline: drawn("b") } });
    await expect(wrong).rejects.toMatchObject({ code: "INTERNAL" });
    expect(told()).toEqual([]);
  });

  const code = "WORKER_DIED";
  const retry = (claim: Claim) => store.queue.retry(claim, code, "detail", 0);
  const ENDS: Record<string, [(claim: Claim) => Promise<unknown>, string, object]> = {
    advance: [
      (claim) => store.queue.advance(claim),
      "job.requeued",
      { phase: "image", reason: "next-phase" },
    ],
    release: [(claim) => store.queue.release(claim), "job.requeued", { phase: "text", reason: "yield" }],
    retry: [retry, "job.requeued", { phase: "text", reason: "retry", code }],
    complete: [(claim) => store.queue.complete(claim), "job.finished", { state: "done" }],
    fail: [(claim) => store.queue.fail(claim, code, "detail"), "job.finished", { state: "failed", code }],
    cancelled: [(claim) => store.queue.cancelled(claim), "job.finished", { state: "cancelled" }],
  };

  test.each(Object.entries(ENDS))("%s is told, and nothing when the claim is stale", async (_name, end) => {
    const [act, event, payload] = end;
    const claim = await running();
    await act(claim);
    expect(told()).toEqual([[event, { jobId: claim.job.id, ...payload }]]);
    await act(claim);
    expect(told()).toEqual([]);
  });

  test("the last retry is told as the job's failure", async () => {
    let claim = await running();
    for (const _ of [1, 2]) {
      await retry(claim);
      claim = (await store.queue.claim("text", "loop"))!;
    }
    told();
    await retry(claim);
    expect(told()).toEqual([["job.finished", { jobId: claim.job.id, state: "failed", code }]]);
  });

  test.each(["advance", "release", "retry"])("%s of a job that was to stop is its end", async (name) => {
    const claim = await running();
    await store.queue.cancel(claim.job.id);
    told();
    await ENDS[name]![0](claim);
    expect(told()).toEqual([["job.finished", { jobId: claim.job.id, state: "cancelled" }]]);
  });

  test("a result whose claim is stale is not told", async () => {
    const claim = await running({ kind: "batch", prompts: ["a", "b"] });
    await store.queue.release(claim);
    told();
    await store.queue.saveText(claim, 0, NO_TEXT);
    await store.queue.savePictures(claim, 0, { pictures: { baseline: drawn("b") }, comparison: "c" });
    await store.queue.saveSheet(claim, { number: 1, file: "s", items: [0] });
    expect(told()).toEqual([]);
  });

  test("cancel: the end of a waiting job, a request to a running one, nothing for all others", async () => {
    const { id: jobId } = await enqueue({ user: "ada" });
    told();
    await store.queue.cancel(jobId);
    expect(told()).toEqual([["job.finished", { jobId, state: "cancelled" }]]);
    await store.queue.cancel(jobId);
    await store.queue.cancel("unknown");
    expect(told()).toEqual([]);
    const claim = await running({ user: "bob" });
    await store.queue.cancel(claim.job.id);
    expect(told()).toEqual([["job.cancel-requested", { jobId: claim.job.id }]]);
  });

  test("recover: each job that lost its holder, once", async () => {
    const goesOn = await running({ user: "ada" });
    const wasToStop = await running({ user: "bob" });
    await store.queue.cancel(wasToStop.job.id);
    told();
    await store.queue.recover("all");
    expect(told()).toEqual([
      ["job.requeued", { jobId: goesOn.job.id, phase: "text", reason: "recovered" }],
      ["job.finished", { jobId: wasToStop.job.id, state: "cancelled" }],
    ]);
    await store.queue.recover("all");
    expect(told()).toEqual([]);
  });

  test("recover: a job that ended too many programs has failed", async () => {
    const {
      job: { id: jobId },
    } = await running({ user: "ada" });
    for (let death = 1; death < MOST_DEATHS; death++) {
      await store.queue.recover("all");
      time += 10_000;
      await store.queue.claim("text", "loop");
    }
    told();
    await store.queue.recover("all");
    expect(told()).toEqual([["job.finished", { jobId, state: "failed", code: "HOST_DIED" }]]);
  });

  test("requeue: a failed job is new work again; no other job is", async () => {
    const claim = await running();
    await store.queue.requeue(claim.job.id);
    await store.queue.requeue("unknown");
    expect(told()).toEqual([]);
    await store.queue.fail(claim, "DISK_FULL", "full");
    told();
    const job = await store.queue.requeue(claim.job.id);
    expect(told()).toEqual([["job.enqueued", { jobId: claim.job.id, job }]]);
  });

  test("setPaused: that work stops, and that it goes on", async () => {
    await store.queue.setPaused(true);
    expect(told()).toEqual([["queue.paused"]]);
    await store.queue.setPaused(false);
    expect(told()).toEqual([["queue.resumed"]]);
  });

  test("a delivery is told; an attempt, a surrender and a job that isn't over are not", async () => {
    const claim = await running();
    const jobId = claim.job.id;
    await expect(store.deliveries.delivered(jobId, "message")).rejects.toMatchObject({ code: "INTERNAL" });
    await expect(store.deliveries.delivered("unknown", null)).rejects.toMatchObject({ code: "INTERNAL" });
    await store.queue.complete(claim);
    told();
    await store.deliveries.deliveryFailed(jobId, "503");
    await store.deliveries.abandonDelivery(jobId, "gone");
    expect(told()).toEqual([]);
    await store.deliveries.delivered(jobId, "message");
    expect(told()).toEqual([["job.delivered", { jobId, messageId: "message" }]]);
  });

  test("erasing a person ends what waits and asks what runs to stop; what was over is not told", async () => {
    await store.queue.complete(await running());
    const runs = (await running()).job.id;
    const waits = (await enqueue({ user: "ada" })).id;
    await enqueue({ user: "bob" });
    told();
    await store.records.eraseUser("ada");
    expect(told()).toEqual([
      ["job.finished", { jobId: waits, state: "cancelled", erased: true }],
      ["job.cancel-requested", { jobId: runs }],
    ]);
    await store.records.eraseUser("nobody");
    expect(told()).toEqual([]);
    await store.records.eraseEnded();
    expect(told()).toEqual([]);
    await store.queue.recover("all");
    await store.records.eraseEnded();
    expect(told()).toEqual([
      ["job.finished", { jobId: runs, state: "cancelled" }],
      ["job.erased", { jobId: runs }],
    ]);
  });

  test("a listener finds the change already stored", async () => {
    const other = await engine.connect(() => START);
    const found: Promise<unknown>[] = [];
    events.on("job.enqueued", ({ jobId }) => found.push(other.queue.get(jobId)));
    events.on("job.claimed", ({ jobId }) => found.push(other.queue.get(jobId)));
    events.on("job.finished", ({ jobId }) => found.push(other.queue.get(jobId)));
    await store.queue.complete(await running());
    expect(await Promise.all(found)).toMatchObject([
      { state: "queued" },
      { state: "running" },
      { state: "done" },
    ]);
  });
});
