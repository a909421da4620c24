import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createEvents, type Events } from "../../src/core/events.js";
import { conditionOf, type HostState } from "../../src/core/hosts/host.js";
import { announced } from "../../src/db/announce.js";
import { Heartbeat } from "../../src/db/heartbeat.js";
import type { Store } from "../../src/db/store.js";
import { device } from "../support/hosts.js";
import { ENGINES, type Engine } from "./contract/engines.js";

describe.each(ENGINES)("heartbeats on $name", ({ create }) => {
  let engine: Engine;
  let events: Events;
  let store: Store;
  let state: HostState;

  beforeEach(async () => {
    engine = create();
    events = createEvents();
    store = announced(await engine.connect(Date.now), events);
    state = { devices: [device()], offers: [], pictures: null };
  });
  afterEach(() => engine.destroy());

  const heartbeat = (name: string, isShared: boolean) =>
    new Heartbeat({
      hosts: store.hosts,
      events,
      name,
      role: "both",
      version: "1",
      state: () => state,
      isShared,
    });
  const stored = async (name: string) => (await store.hosts.list()).find((host) => host.name === name);

  test("a pause is heard at once, and known at the next start", async () => {
    const first = heartbeat("card", true);
    await first.start();
    expect(first.isPaused).toBe(false);
    await store.hosts.setPaused("other", true);
    expect(first.isPaused).toBe(false);
    await store.hosts.setPaused("card", true);
    expect(first.isPaused).toBe(true);
    await first.stop();
    expect(conditionOf((await stored("card"))!)).toBe("stopped");

    const second = heartbeat("card", true);
    await second.start();
    expect(second.isPaused).toBe(true);
    expect(conditionOf((await stored("card"))!)).toBe("paused");
    await store.hosts.setPaused("card", false);
    expect(second.isPaused).toBe(false);
    await second.stop();
  });

  test("what changed is told soon, to a program that shares the database", async () => {
    const beat = heartbeat("card", true);
    await beat.start();
    state = { ...state, devices: [device(undefined, { jobId: "abc" })] };
    events.emit("job.claimed", { jobId: "abc", phase: "text", attempt: 1, owner: "card loop" });
    await expect.poll(async () => (await stored("card"))?.state.devices[0]?.jobId).toBe("abc");
    await beat.stop();
  });

  test("one that is alone shows itself as it is, whenever it wrote last", async () => {
    const beat = heartbeat("alone", false);
    await beat.start();
    state = { ...state, offers: ["promptist"] };
    expect(await beat.list()).toMatchObject([{ name: "alone", agoMs: 0, isSelf: true, state }]);
    await beat.stop();
  });

  test("a bot lists the others, with its own row once", async () => {
    const beat = heartbeat("bot", true);
    await beat.start();
    await store.hosts.beat({ name: "card", role: "worker", version: "2", state, starts: true });
    expect((await beat.list()).map(({ name }) => name)).toEqual(["bot", "card"]);
    expect(beat.latest.map(({ name }) => name)).toEqual(["bot", "card"]);
    await beat.stop();
  });
});
