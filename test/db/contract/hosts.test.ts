import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { conditionOf, type HostState } from "../../../src/core/hosts/host.js";
import type { Beat } from "../../../src/db/hosts.js";
import type { Store } from "../../../src/db/store.js";
import { device } from "../../support/hosts.js";
import { ENGINES, type Engine } from "./engines.js";

const START = 1_700_000_000_000;
const HOUR = 3_600_000;
const STATE: HostState = { devices: [device()], offers: ["promptist"], pictures: "mark" };

describe.each(ENGINES)("hosts on $name", ({ create }) => {
  let engine: Engine;
  let store: Store;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    store = await engine.connect(() => time);
  });
  afterEach(() => engine.destroy());

  const beat = (name: string, over: Partial<Beat> = {}) =>
    store.hosts.beat({ name, role: "worker", version: "1", state: STATE, starts: false, ...over });
  const conditions = async () =>
    Object.fromEntries((await store.hosts.list()).map((host) => [host.name, conditionOf(host)]));

  test("are listed by name with what they said last, and how long ago", async () => {
    await beat("two", { starts: true });
    time += 1_000;
    await beat("one", { role: "both", version: "2", starts: true });
    time += 4_000;
    const at = device(undefined, { jobId: "abc", phase: "image", models: ["sd"], loadedBytes: 5 });
    await beat("two", { state: { ...STATE, devices: [at] } });
    time += 40_000;
    expect(await store.hosts.list()).toEqual([
      {
        name: "one",
        role: "both",
        version: "2",
        startedAt: START + 1_000,
        seenAt: START + 1_000,
        endedAt: null,
        paused: false,
        state: STATE,
        agoMs: 44_000,
      },
      expect.objectContaining({ name: "two", startedAt: START, seenAt: START + 5_000, agoMs: 40_000 }),
    ]);
    expect((await store.hosts.list())[1]?.state.devices).toEqual([at]);
    expect(await conditions()).toEqual({ one: "silent", two: "silent" });
  });

  test("stay paused over a restart until they are resumed, also by another program", async () => {
    expect(await beat("one", { starts: true })).toBe(false);
    expect(await store.hosts.setPaused("one", true)).toBe(true);
    expect(await beat("one")).toBe(true);
    expect(await conditions()).toEqual({ one: "paused" });
    await store.hosts.leave("one");
    const next = await engine.connect(() => time);
    expect(
      await next.hosts.beat({ name: "one", role: "worker", version: "2", state: STATE, starts: true }),
    ).toBe(true);
    expect(await next.hosts.setPaused("one", false)).toBe(true);
    expect(await beat("one")).toBe(false);
    expect(await store.hosts.setPaused("nobody", true)).toBe(false);
  });

  test("that are gone are shown for a while and then deleted, paused ones kept", async () => {
    for (const name of ["stopped", "silent", "paused", "here"]) await beat(name, { starts: true });
    await store.hosts.setPaused("paused", true);
    await store.hosts.leave("stopped");
    await store.hosts.leave("paused");
    time += HOUR;
    await beat("here");
    expect(await store.hosts.forgetGone()).toBe(0);
    expect(await conditions()).toEqual({
      here: "running",
      paused: "stopped",
      silent: "silent",
      stopped: "stopped",
    });
    time += 1;
    expect(await store.hosts.forgetGone()).toBe(1);
    time += 23 * HOUR;
    await beat("here");
    expect(await store.hosts.forgetGone()).toBe(1);
    expect(await conditions()).toEqual({ here: "running", paused: "stopped" });
    expect(await beat("paused", { starts: true })).toBe(true);
    expect(await conditions()).toEqual({ here: "running", paused: "paused" });
  });
});
