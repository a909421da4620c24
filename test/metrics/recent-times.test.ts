import { beforeEach, expect, test } from "vitest";
import { createEvents, type Events } from "../../src/core/events.js";
import type { Item, Job, JobKind, Phase } from "../../src/core/job.js";
import { DEFAULT_TEXT_OPTIONS } from "../../src/core/options.js";
import { RecentTimes } from "../../src/metrics/recent-times.js";

let events: Events;
let times: RecentTimes;
let time: number;
beforeEach(() => {
  time = 1_000_000;
  events = createEvents();
  times = new RecentTimes(events, () => time);
});

function job(kind: JobKind, steps: number, items: readonly Partial<Item>[]): Job {
  return {
    id: "job",
    kind,
    state: "queued",
    phase: "text",
    origin: {
      userId: "ada",
      guildId: null,
      channelId: "channel",
      locale: "en-US",
      applicationId: "application",
      interactionId: "interaction",
      interactionToken: "token",
      tokenExpiresAt: 0,
    },
    text: DEFAULT_TEXT_OPTIONS,
    image: { seed: 1, steps, guidance: 7.5, negative: "", size: null, scheduler: "pndm" },
    items: items.map((item, index) => ({
      index,
      prompt: "A cat",
      rewrite: null,
      candidates: [],
      seed: 1,
      rewriteMs: null,
      pictures: { baseline: null, optimized: null },
      comparison: null,
      cancelled: false,
      notes: [],
      ...item,
    })),
    parentId: null,
    blind: false,
    attempt: 0,
    failures: [],
    cancelRequested: false,
    createdAt: 0,
    startedAt: null,
    finishedAt: null,
    checkpoints: { promptist: null, diffusion: null },
    hashes: { promptist: null, diffusion: null },
    sheets: [],
    held: null,
    preview: false,
    picturesPrunedAt: null,
    delivery: { deliveredAt: null, messageId: null, attempts: 0, abandoned: null },
  };
}

function phase(name: Phase, loadMs: number, work: () => void): void {
  time += loadMs;
  events.emit("phase.started", { phase: name, pid: 1, checkpoint: "miniature", device: "cpu", loadMs });
  work();
  events.emit("phase.finished", { phase: name, device: "cpu", jobs: 1, items: 1, ms: 1, peakBytes: 1 });
}

/** One group of prompts that finish together, as the loop reports it. */
function rewrite(prompts: number, ms: number): void {
  events.emit("job.claimed", { jobId: "a", phase: "text", attempt: 1 });
  time += ms;
  for (let item = 0; item < prompts; item += 1) events.emit("job.item", { jobId: "a", item, phase: "text" });
}

/**
 * A pair with `steps` steps per picture: the first step takes `firstMs`, decoding and composing `restMs` in
 * total.
 */
function drawPair(steps: number, firstMs: number, stepMs: number, restMs: number): void {
  events.emit("job.claimed", { jobId: "a", phase: "image", attempt: 1 });
  for (const output of ["baseline", "optimized"] as const) {
    for (let step = 1; step <= steps; step += 1) {
      time += step === 1 ? firstMs : stepMs;
      events.emit("job.progress", { jobId: "a", phase: "image", item: 0, items: 1, output, step, steps });
    }
    time += restMs / 2;
  }
  events.emit("job.item", { jobId: "a", item: 0, phase: "image" });
}

const A_PICTURE = { file: "a.png", ms: 1, judgement: null };

test("gives no estimate for work it never saw, and zero for no work", () => {
  expect(times.estimateMs([])).toBe(0);
  expect(times.estimateMs([job("optimize", 1, [{}])])).toBeNull();
  phase("text", 2_000, () => rewrite(1, 3_000));
  expect(times.estimateMs([job("optimize", 1, [{}])])).toBe(5_000);
  expect(times.estimateMs([job("compare", 1, [{}])])).toBeNull();
});

test("prompts of one group share its time, and the model is loaded once", () => {
  phase("text", 2_000, () => rewrite(4, 6_000));
  expect(times.estimateMs([job("optimize", 1, [{}, {}])])).toBe(2_000 + 2 * 1_500);
  expect(times.estimateMs([job("optimize", 1, [{}]), job("optimize", 1, [{}])])).toBe(2_000 + 2 * 1_500);
});

test("pictures count by their steps, and finished ones not at all", () => {
  phase("image", 10_000, () => drawPair(5, 700, 100, 1_000));
  // A picture of n steps takes 700 + 500 besides the later steps, and 100 for each of the n - 1.
  const rewritten = { rewrite: "A cat, trending" };
  const pair = (steps: number) => 2 * (1_200 + (steps - 1) * 100);
  expect(times.estimateMs([job("compare", 5, [rewritten])])).toBe(10_000 + pair(5));
  expect(times.estimateMs([job("compare", 50, [rewritten])])).toBe(10_000 + pair(50));
  expect(
    times.estimateMs([
      job("compare", 50, [{ ...rewritten, pictures: { baseline: A_PICTURE, optimized: null } }]),
    ]),
  ).toBe(10_000 + pair(50) / 2);
});

test("a whole comparison counts both phases", () => {
  phase("text", 2_000, () => rewrite(1, 3_000));
  phase("image", 10_000, () => drawPair(5, 700, 100, 1_000));
  expect(times.estimateMs([job("compare", 5, [{}])])).toBe(2_000 + 3_000 + 10_000 + 2 * (1_200 + 400));
});

test("time between phases and between jobs does not count", () => {
  phase("text", 2_000, () => {
    rewrite(1, 3_000);
    time += 60_000;
    rewrite(1, 3_000);
  });
  time += 3_600_000;
  events.emit("job.item", { jobId: "a", item: 0, phase: "text" });
  phase("text", 2_000, () => rewrite(1, 3_000));
  expect(times.estimateMs([job("optimize", 1, [{}])])).toBe(5_000);
});

test("one slow step does not count, and a machine that gets faster does", () => {
  const rewritten = { rewrite: "A cat, trending" };
  const steps = () => {
    const long = times.estimateMs([job("compare", 11, [rewritten])])!;
    return (long - times.estimateMs([job("compare", 1, [rewritten])])!) / 20;
  };
  phase("image", 10_000, () => {
    drawPair(11, 100, 100, 1_000);
    time += 1;
    drawPair(2, 100, 60_000, 1_000);
  });
  expect(steps()).toBe(100);
  phase("image", 10_000, () => drawPair(60, 20, 20, 1_000));
  expect(steps()).toBe(20);
});

test("a step without guidance costs half, also where it is what was measured", () => {
  phase("image", 0, () => drawPair(11, 0, 100, 0));
  const guided = job("compare", 11, [{ rewrite: "A cat" }]);
  const unguided = { ...guided, image: { ...guided.image, guidance: 1 } };
  const [dear, cheap] = [times.estimateMs([guided])!, times.estimateMs([unguided])!];
  // Ten steps of 100 ms for each picture after the first, and four and a half of 100 ms.
  expect(dear - cheap).toBe(2 * (10 - 4.5) * 100);
  const progress = { jobId: "b", phase: "image", item: 0, items: 1, output: "baseline", steps: 200 } as const;
  for (let step = 1; step <= 200; step++) {
    time += 200;
    events.emit("job.progress", { ...progress, step, unguided: true });
  }
  // All that is kept took 200 ms without guidance, so that a guided step takes 400.
  expect(times.estimateMs([guided])! - times.estimateMs([unguided])!).toBe(2 * (10 - 4.5) * 400);
});
