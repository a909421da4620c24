import { operatorSnapshot } from "local-discord/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createEvents, type Events } from "../../src/core/events.js";
import type { Queue } from "../../src/db/queue.js";
import { watchForOperator } from "../../src/metrics/operator-view.js";
import { ENGINES, type Engine } from "../db/contract/engines.js";
import { newJob } from "../db/contract/fixtures.js";

let engine: Engine;
let queue: Queue;
let events: Events;

beforeEach(async () => {
  engine = ENGINES[0]!.create();
  ({ queue } = await engine.connect(() => Date.now()));
  events = createEvents();
});
afterEach(() => engine.destroy());

test("shows an idle program", async () => {
  const view = await watchForOperator(events, queue)();
  expect(view).toMatchObject({ queue: { waiting: 0, running: 0, undelivered: 0 }, phase: null, jobs: [] });
  expect(view.memory.map((it) => it.name)).toEqual(["Bot"]);
  expect(view.memory[0]!.bytes).toBeGreaterThan(10 * 2 ** 20);
  expect(operatorSnapshot.parse(view)).toEqual(view);
});

test("counts the pairs of one prompt", async () => {
  await queue.enqueue(newJob({ user: "1", prompts: ["A cat", "A cat", "A cat"] }));
  expect((await watchForOperator(events, queue)()).jobs[0]?.title).toBe("A cat, 3 pairs");
});

test("tells whether the queue is paused", async () => {
  const ask = watchForOperator(events, queue);
  expect((await ask()).queue.paused).toBe(false);
  await queue.setPaused(true);
  expect((await ask()).queue.paused).toBe(true);
});

test("shows a running job's phase and progress, then the worker's peak, and the finished job first", async () => {
  const ask = watchForOperator(events, queue, async () => ({ optimized: 2, baseline: 1, ties: 0 }));
  await queue.enqueue(newJob({ user: "1", prompts: ["A cat", "A dog"] }));
  const claim = (await queue.claim("text", "owner"))!;
  await queue.enqueue(newJob({ user: "2", prompts: ["Fear"] }));
  events.emit("phase.started", { phase: "text", pid: 1, checkpoint: "promptist", device: "cpu", loadMs: 12 });
  expect((await ask()).phase).not.toHaveProperty("progress");
  events.emit("job.progress", {
    jobId: claim.job.id,
    phase: "text",
    item: 1,
    items: 2,
    making: "rewrite",
    step: 3,
    steps: 75,
  });
  const during = await ask();
  expect(during.phase).toMatchObject({
    name: "Rewriting prompts",
    detail: "promptist on cpu",
    progress: { label: "rewrite", done: 3, total: 75, item: 1, items: 2 },
  });
  expect(during.jobs.map(({ state, title, user }) => [state, title, user])).toEqual([
    ["running", "A cat and 1 more", "1"],
    ["queued", "Fear", "2"],
  ]);
  expect(operatorSnapshot.parse(during)).toEqual(during);

  await queue.complete(claim);
  events.emit("job.finished", { jobId: claim.job.id, state: "done" });
  events.emit("phase.finished", { phase: "text", jobs: 1, items: 2, ms: 5, peakBytes: 123 });
  const after = await ask();
  expect(after.phase).toBeNull();
  expect(after.memory[1]).toEqual({ name: "Latest worker", bytes: 123, peak: true });
  expect(after.jobs.map((it) => it.state)).toEqual(["queued", "done"]);
  expect(after.votes).toEqual({ optimized: 2, baseline: 1, ties: 0 });
});

test("shows no phase after its worker died", async () => {
  const ask = watchForOperator(events, queue);
  events.emit("phase.started", { phase: "image", pid: 1, checkpoint: "sd", device: "cpu", loadMs: 1 });
  events.emit("worker.exited", { phase: "image", pid: 1, code: null, signal: "SIGKILL" });
  expect((await ask()).phase).toBeNull();
});
