import { beforeEach, expect, test } from "vitest";
import { createEvents, type Events } from "../../src/core/events.js";
import { workMs } from "../../src/core/hosts/waiting.js";
import type { Phase } from "../../src/core/job.js";
import { RecentTimes } from "../../src/metrics/recent-times.js";

const OWNER = "host loop";
let events: Events;
let times: RecentTimes;
let time: number;
beforeEach(() => {
  time = 1_000_000;
  events = createEvents();
  times = new RecentTimes(events, OWNER, () => time);
});

function phase(name: Phase, loadMs: number, work: () => void): void {
  time += loadMs;
  events.emit("phase.started", {
    phase: name,
    pid: 1,
    checkpoint: "miniature",
    device: "cpu",
    loadMs,
    owner: OWNER,
  });
  work();
  events.emit("phase.finished", {
    phase: name,
    device: "cpu",
    jobs: 1,
    items: 1,
    ms: 1,
    peakBytes: 1,
    owner: OWNER,
  });
}

/** One group of prompts that finish together, as the loop reports it. */
function rewrite(prompts: number, ms: number): void {
  events.emit("job.claimed", { jobId: "a", phase: "text", attempt: 1, owner: OWNER });
  time += ms;
  for (let item = 0; item < prompts; item += 1) events.emit("job.item", { jobId: "a", item, phase: "text" });
}

/**
 * A pair with `steps` steps per picture: the first step takes `firstMs`, decoding and composing `restMs` in
 * total.
 */
function drawPair(steps: number, firstMs: number, stepMs: number, restMs: number): void {
  events.emit("job.claimed", { jobId: "a", phase: "image", attempt: 1, owner: OWNER });
  for (const output of ["baseline", "optimized"] as const) {
    for (let step = 1; step <= steps; step += 1) {
      time += step === 1 ? firstMs : stepMs;
      events.emit("job.progress", { jobId: "a", phase: "image", item: 0, items: 1, output, step, steps });
    }
    time += restMs / 2;
  }
  events.emit("job.item", { jobId: "a", item: 0, phase: "image" });
}

const estimate = (work: { texts?: number; pictures?: number; steps?: number }) =>
  workMs(times.speeds(), { texts: 0, pictures: 0, steps: 0, ...work });

test("gives no estimate for work it never saw, and zero for no work", () => {
  expect(estimate({})).toBe(0);
  expect(estimate({ texts: 1 })).toBeNull();
  phase("text", 2_000, () => rewrite(1, 3_000));
  expect(estimate({ texts: 1 })).toBe(5_000);
  expect(estimate({ texts: 1, pictures: 2, steps: 2 })).toBeNull();
});

test("prompts of one group share its time, and the model is loaded once", () => {
  phase("text", 2_000, () => rewrite(4, 6_000));
  expect(estimate({ texts: 2 })).toBe(2_000 + 2 * 1_500);
});

test("pictures count by their steps", () => {
  phase("image", 10_000, () => drawPair(5, 700, 100, 1_000));
  // A picture of n steps takes 700 + 500 besides the later steps, and 100 for each of the n - 1.
  const picture = (steps: number) => 1_200 + (steps - 1) * 100;
  expect(estimate({ pictures: 2, steps: 10 })).toBe(10_000 + 2 * picture(5));
  expect(estimate({ pictures: 1, steps: 50 })).toBe(10_000 + picture(50));
});

test("a whole comparison counts both phases", () => {
  phase("text", 2_000, () => rewrite(1, 3_000));
  phase("image", 10_000, () => drawPair(5, 700, 100, 1_000));
  expect(estimate({ texts: 1, pictures: 2, steps: 10 })).toBe(2_000 + 3_000 + 10_000 + 2 * (1_200 + 400));
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
  expect(estimate({ texts: 1 })).toBe(5_000);
});

test("one slow step does not count, and a machine that gets faster does", () => {
  phase("image", 10_000, () => {
    drawPair(11, 100, 100, 1_000);
    time += 1;
    drawPair(2, 100, 60_000, 1_000);
  });
  expect(times.speeds().stepMs).toBe(100);
  phase("image", 10_000, () => drawPair(60, 20, 20, 1_000));
  expect(times.speeds().stepMs).toBe(20);
});

test("what another device does meanwhile, of this host or of another, changes nothing", () => {
  const other = "another loop";
  const load = {
    phase: "image",
    pid: 2,
    checkpoint: "sd",
    device: "cuda",
    loadMs: 99_000,
    owner: other,
  } as const;
  const step = (number: number) =>
    events.emit("job.progress", {
      jobId: "b",
      phase: "image",
      item: 0,
      items: 1,
      output: "baseline",
      step: number,
      steps: 9,
    });
  phase("image", 10_000, () => {
    events.emit("phase.started", load);
    events.emit("job.claimed", { jobId: "b", phase: "image", attempt: 1, owner: other });
    step(1);
    drawPair(5, 700, 100, 1_000);
    step(2);
    events.emit("job.item", { jobId: "b", item: 0, phase: "image" });
    events.emit("phase.finished", {
      phase: "image",
      device: "cuda",
      jobs: 1,
      items: 1,
      ms: 1,
      peakBytes: 1,
      owner: other,
    });
    drawPair(5, 700, 100, 1_000);
  });
  expect(times.speeds()).toMatchObject({ loadMs: { image: 10_000 }, stepMs: 100, pictureRestMs: 1_200 });
});

test("what is measured without guidance tells of guided steps, which take twice as long", () => {
  const progress = { jobId: "b", phase: "image", item: 0, items: 1, output: "baseline", steps: 200 } as const;
  phase("image", 0, () => {
    events.emit("job.claimed", { jobId: "b", phase: "image", attempt: 1, owner: OWNER });
    for (let step = 1; step <= 200; step++) {
      time += 200;
      events.emit("job.progress", { ...progress, step, unguided: true });
    }
  });
  expect(times.speeds().stepMs).toBe(400);
});
