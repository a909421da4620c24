import { operatorSnapshot } from "local-discord/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createEvents, type Events } from "../../src/core/events.js";
import type { Queue } from "../../src/db/queue.js";
import type { Store } from "../../src/db/store.js";
import { type OperatorSources, watchForOperator } from "../../src/metrics/operator-view.js";
import { ENGINES, type Engine } from "../db/contract/engines.js";
import { newJob } from "../db/contract/fixtures.js";
import { device, host } from "../support/hosts.js";

let engine: Engine;
let store: Store;
let queue: Queue;
let events: Events;

beforeEach(async () => {
  engine = ENGINES[0]!.create();
  store = await engine.connect(() => Date.now());
  ({ queue } = store);
  events = createEvents();
});
afterEach(() => engine.destroy());

const watch = (extra: Partial<OperatorSources> = {}) =>
  watchForOperator({
    events,
    jobs: queue,
    latest: (limit) => store.records.latest(limit),
    checkpoints: { text: "promptist", image: "stable-diffusion" },
    redact: (text) => text.replaceAll("hush", "[token]"),
    ...extra,
  });

test("shows an idle program", async () => {
  const view = await watch()();
  expect(view).toMatchObject({ queue: { waiting: 0, running: 0, undelivered: 0 }, phase: null, jobs: [] });
  expect(view.memory.map((it) => it.name)).toEqual(["Bot"]);
  expect(view.memory[0]!.bytes).toBeGreaterThan(10 * 2 ** 20);
  expect(operatorSnapshot.parse(view)).toEqual(view);
});

test("counts the pairs of one prompt", async () => {
  await queue.enqueue(newJob({ user: "1", prompts: ["A cat", "A cat", "A cat"] }));
  expect((await watch()()).jobs[0]?.title).toBe("A cat, 3 pairs");
});

test("lists hosts with what their devices do, and what differs from this one", async () => {
  const own = host([], { name: "bot", role: "bot", version: "2", isSelf: true });
  const at = device(undefined, {
    opened: "RTX",
    phase: "image",
    jobId: "abc",
    models: ["sd"],
    loadedBytes: 5,
  });
  const card = host([at, device(undefined, { name: "cuda:1", setAside: "lost" })], {
    name: "card",
    version: "1",
    agoMs: 3_000.4,
  });
  const { hosts, ...rest } = await watch({ hosts: async () => [own, card] })();
  expect(hosts).toMatchObject([
    { name: "bot", role: "bot", condition: "running", differs: false, devices: [] },
    {
      name: "card",
      condition: "running",
      differs: true,
      otherPictures: false,
      agoMs: 3_000,
      devices: [
        { name: "cuda:0 (RTX)", doing: "Drawing pictures", job: "abc", models: ["sd"], bytes: 5 },
        { name: "cuda:1", doing: "waits for work", setAside: "lost" },
      ],
    },
  ]);
  expect(operatorSnapshot.parse({ ...rest, hosts })).toEqual({ ...rest, hosts });
});

test("tells whether the queue is paused", async () => {
  const ask = watch();
  expect((await ask()).queue.paused).toBe(false);
  await queue.setPaused(true);
  expect((await ask()).queue.paused).toBe(true);
});

test("shows a running job's phase and progress, then the worker's peak, and the finished job first", async () => {
  const ask = watch({ votes: async () => ({ optimized: 2, baseline: 1, summary: "2 of 3 votes" }) });
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
    output: "rewrite",
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
  events.emit("phase.finished", { phase: "text", device: "cpu", jobs: 1, items: 2, ms: 5, peakBytes: 123 });
  const after = await ask();
  expect(after.phase).toBeNull();
  expect(after.memory[1]).toEqual({ name: "Latest worker", bytes: 123, peak: true });
  expect(after.jobs.map((it) => it.state)).toEqual(["queued", "done"]);
  expect(after.votes).toEqual({ optimized: 2, baseline: 1, summary: "2 of 3 votes" });
});

test("shows no phase after its worker died", async () => {
  const ask = watch();
  events.emit("phase.started", { phase: "image", pid: 1, checkpoint: "sd", device: "cpu", loadMs: 1 });
  events.emit("worker.exited", { phase: "image", device: "cpu", pid: 1, code: null, signal: "SIGKILL" });
  expect((await ask()).phase).toBeNull();
});

test("shows the memory of the worker that runs, not of the one before", async () => {
  const ask = watch();
  const started = { phase: "text", pid: process.pid, checkpoint: "promptist", device: "cpu" } as const;
  events.emit("phase.started", { ...started, loadMs: 1 });
  events.emit("phase.finished", { phase: "text", device: "cpu", jobs: 1, items: 1, ms: 1, peakBytes: 123 });
  events.emit("phase.started", { ...started, phase: "image", loadMs: 1 });
  const { memory, models } = await ask();
  expect(memory.filter((it) => it.peak)).toEqual([]);
  if (process.platform === "linux")
    expect(memory[1]).toEqual({ name: "Worker", bytes: expect.toSatisfy((it) => it > 10 * 2 ** 20) });
  expect(models).toEqual([
    { use: "Rewriting prompts", name: "promptist", device: "cpu", loaded: false },
    { use: "Drawing pictures", name: "stable-diffusion", device: "cpu", loaded: true },
  ]);
});

test("shows no memory of a worker that has just gone", async () => {
  const ask = watch();
  // Linux gives no process this id.
  events.emit("phase.started", {
    phase: "text",
    pid: 2 ** 22 + 1,
    checkpoint: "x",
    device: "cpu",
    loadMs: 1,
  });
  expect((await ask()).memory.map((it) => it.name)).toEqual(["Bot"]);
});

test("shows why a job failed, without secrets, and a link to its message, also those of earlier runs", async () => {
  const job = await queue.enqueue(newJob({ user: "1", prompts: ["A cat"] }));
  const claim = (await queue.claim("text", "owner"))!;
  await queue.fail(claim, "WORKER_DIED", `ended with hush ${"x".repeat(1_000)}`);
  await store.deliveries.delivered(job.id, "77");
  const open = await queue.enqueue(newJob({ user: "1", prompts: ["A dog"] }));
  // Nothing was told by an event, as after a restart.
  const view = await watch()();
  const { guildId, channelId } = job.origin;
  const place = `https://discord.com/channels/${guildId ?? "@me"}/${channelId}`;
  expect(view.jobs.map(({ id, state, url }) => ({ id, state, url }))).toEqual([
    { id: open.id, state: "queued", url: place },
    { id: job.id, state: "failed", url: `${place}/77` },
  ]);
  const { reason } = view.jobs[1]!;
  expect(reason).toMatch(/^WORKER_DIED: ended with \[token\] x+$/);
  expect(reason!.length).toBeLessThanOrEqual(300);
  expect(operatorSnapshot.parse(view)).toEqual(view);
  await store.records.drop(job.id);
  expect((await watch()()).jobs.map((it) => it.id)).toEqual([open.id]);
});

test("shows the pause, the disk and the log", async () => {
  const disk = { folder: "/data", bytes: 5, free: 7 };
  const log = [{ at: 1, level: "warn" as const, text: "slow" }];
  const ask = watch({ disk: async () => disk, log: () => log });
  await queue.setPaused(true);
  const view = await ask();
  expect(view).toMatchObject({ queue: { paused: true }, disk, log });
  expect(operatorSnapshot.parse(view)).toEqual(view);
});
