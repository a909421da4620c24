import { expect, test } from "vitest";
import { createEvents } from "../../src/core/events.js";
import { DeviceStates } from "../../src/metrics/device-states.js";

test("what each device does, and how many of those that draw work", () => {
  const events = createEvents();
  const states = new DeviceStates(events, ["cpu", "cuda:0", "cuda:1"], ["cuda:0", "cuda:1"], () => 1_000);
  expect(states.working).toBe(2);
  events.emit("device.works", { device: "cuda:0", phase: "image", jobId: "abc" });
  const failure = { code: "WORKER_DIED", reason: "Device is lost" } as const;
  events.emit("device.set-aside", { device: "cuda:1", phase: "image", ...failure, retryMs: 500 });
  expect(states.all).toEqual([
    { device: "cpu", jobId: null, aside: null },
    { device: "cuda:0", jobId: "abc", aside: null },
    { device: "cuda:1", jobId: null, aside: { ...failure, retryAt: 1_500 } },
  ]);
  expect(states.working).toBe(1);
  events.emit("device.set-aside", { device: "cuda:0", phase: "image", ...failure, retryMs: 500 });
  expect(states.working).toBe(0);
  events.emit("device.back", { device: "cuda:0", phase: "image" });
  expect(states.working).toBe(1);
});

test("a program with one device never says that none works", () => {
  expect(new DeviceStates(createEvents(), [], []).working).toBe(1);
});
