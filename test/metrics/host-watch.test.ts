import { expect, test } from "vitest";
import { createEvents } from "../../src/core/events.js";
import { PHASES } from "../../src/core/job.js";
import { HostWatch } from "../../src/metrics/host-watch.js";

const OWNER = "card-1f2e one";
const LOAD = {
  phase: "image",
  pid: 7,
  checkpoint: "sd",
  device: "cuda (RTX)",
  loadMs: 900,
  weightBytes: 500,
} as const;

test("a host says what its own devices do, and nothing of others on the same bus", () => {
  const events = createEvents();
  const loops = [
    { owner: OWNER, device: "cuda:0", phases: PHASES },
    { owner: "card-1f2e two", device: "cuda:1", phases: PHASES },
  ];
  const watch = new HostWatch({ events, loops, offers: ["promptist"], pictures: "mark" });
  const [own, second] = [() => watch.state().devices[0]!, () => watch.state().devices[1]!];
  const idle = second();
  expect(watch.state()).toMatchObject({ offers: ["promptist"], pictures: "mark" });
  expect(own()).toMatchObject({
    name: "cuda:0",
    opened: null,
    phase: null,
    jobId: null,
    models: [],
    setAside: null,
  });

  events.emit("job.claimed", { jobId: "a", phase: "image", attempt: 1, owner: OWNER });
  expect(own()).toMatchObject({ jobId: "a", phase: "image", models: [] });
  events.emit("phase.started", { ...LOAD, owner: OWNER });
  events.emit("phase.started", { ...LOAD, owner: "another host" });
  events.emit("job.claimed", { jobId: "b", phase: "image", attempt: 1, owner: "another host" });
  expect(own()).toMatchObject({ opened: "cuda (RTX)", jobId: "a", models: ["sd"], loadedBytes: 500 });
  expect(own().speeds.loadMs.image).toBe(900);

  events.emit("phase.started", { ...LOAD, pid: 8, checkpoint: "anime", owner: OWNER });
  events.emit("worker.exited", {
    phase: "image",
    device: "cuda",
    pid: 7,
    code: 0,
    signal: null,
    owner: OWNER,
  });
  expect(own().models).toEqual(["anime"]);
  events.emit("job.finished", { jobId: "b", state: "done" });
  expect(own().jobId).toBe("a");
  // Its lease was over, so another host has the job.
  events.emit("job.claimed", { jobId: "a", phase: "image", attempt: 2, owner: "another host" });
  expect(own().jobId).toBeNull();
  const over = { phase: "image", device: "cuda", jobs: 1, items: 1, ms: 1, peakBytes: 1 } as const;
  events.emit("phase.finished", { ...over, owner: OWNER });
  expect(own()).toMatchObject({ phase: null, models: [], loadedBytes: 0 });

  const aside = {
    device: "cuda:0",
    phase: "image",
    code: "WORKER_DIED",
    reason: "lost",
    retryMs: 1,
  } as const;
  events.emit("device.set-aside", aside);
  expect(own().setAside).toBe("WORKER_DIED: lost");
  events.emit("device.back", { device: "cuda:0", phase: "image" });
  expect(own().setAside).toBeNull();
  expect(second()).toEqual(idle);
});
