import { expect, test } from "vitest";
import { etas } from "../../../src/bot/messages/parts/eta.js";
import { freeDevices, pacesOf, usualMs } from "../../../src/core/hosts/waiting.js";
import type { Phase } from "../../../src/core/job.js";
import type { OpenWork } from "../../../src/db/queue.js";
import { device, host, speeds, UNKNOWN } from "../../support/hosts.js";

const waiting = (id: string, over: Partial<OpenWork> = {}): OpenWork => ({
  id,
  state: "queued",
  phase: "image",
  kind: "compare",
  userId: "u",
  guildId: null,
  held: null,
  limit: null,
  texts: 0,
  pictures: 1,
  steps: 1,
  ...over,
});
const byId = (times: ReadonlyMap<string, number>) => Object.fromEntries(times);
const PICTURE = { texts: 0, pictures: 1, steps: 1 };

test("each job goes to the device that would be done with it first", () => {
  const paces = pacesOf([host([device(speeds(1_000))]), host([device(speeds(3_000))])]);
  const line = ["a", "b", "c", "d", "e"].map((id) => waiting(id));
  expect(byId(etas(line, paces))).toEqual({ a: 1_000, b: 2_000, c: 3_000, d: 3_000, e: 4_000 });
  expect(byId(etas(line.slice(0, 2), pacesOf([host([device(speeds(1_000))])])))).toEqual({
    a: 1_000,
    b: 2_000,
  });
});

test("a running job is at its own device, and others wait for that one or take another", () => {
  const paces = pacesOf([host([device(speeds(1_000))]), host([device(speeds(3_000), { jobId: "slow" })])]);
  const open = [waiting("slow", { state: "running" }), waiting("next"), waiting("after")];
  expect(byId(etas(open, paces))).toEqual({ slow: 3_000, next: 1_000, after: 2_000 });
  expect(usualMs(paces, PICTURE, "slow")).toBe(3_000);
  expect(usualMs(paces, PICTURE, "next")).toBe(2_000);
});

test("paused, silent, stopped hosts and devices set aside do not count", () => {
  const fast = device(speeds(1));
  const slow = host([device(speeds(1_000)), device(speeds(1), { setAside: "lost" })]);
  const gone = [{ paused: true }, { agoMs: 40_000 }, { endedAt: 5 }].map((over) => host([fast], over));
  expect(byId(etas([waiting("a"), waiting("b")], pacesOf([...gone, slow])))).toEqual({ a: 1_000, b: 2_000 });
  expect(byId(etas([waiting("a")], pacesOf(gone)))).toEqual({});
});

test("a device that has not worked yet takes as long as the others; nothing known is no estimate", () => {
  const paces = pacesOf([host([device(speeds(1_000)), device(speeds(3_000)), device(UNKNOWN)])]);
  expect(paces.map(({ estimateMs }) => estimateMs(PICTURE))).toEqual([1_000, 3_000, 2_000]);
  expect(byId(etas([waiting("a")], pacesOf([host([device(UNKNOWN)])])))).toEqual({});
});

test("phases with devices of their own overlap: the slower one is what a pair waits for", () => {
  const own = (phase: Phase, ms: number) => device(speeds(ms), { name: phase, phases: [phase] });
  const paces = pacesOf([host([own("text", 500), own("image", 2_000)])]);
  const pair = waiting("pair", { phase: "text", texts: 1, pictures: 2 });
  expect(byId(etas([pair], paces))).toEqual({ pair: 4_000 });
  expect(usualMs(paces, { texts: 1, pictures: 2, steps: 2 })).toBe(4_500);
  const running = [{ phase: "image" as const }];
  expect([freeDevices(paces, "text", running), freeDevices(paces, "image", running)]).toEqual([1, 0]);
});

test("as many jobs begin at once as devices are free", () => {
  const paces = pacesOf([host([device(speeds(1)), device(speeds(1))]), host([device(speeds(1))])]);
  expect(freeDevices(paces, "text", [])).toBe(3);
  expect(freeDevices(paces, "text", [{ phase: "image" }, { phase: "text" }])).toBe(1);
});
