import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StoredSettings } from "../../../src/db/settings.js";
import { ENGINES, type Engine } from "./engines.js";

const START = Date.UTC(2026, 0, 1);

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let settings: StoredSettings;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    ({ settings } = await engine.connect(() => time));
  });
  afterEach(() => engine.destroy());

  test("a value of each form comes back, also to the next start, with who set it last and when", async () => {
    await settings.set("server", "guild", "size", { width: 512, height: 768 }, "ada");
    await settings.set("server", "guild", "refusedWords", ["crow", "猫"], "ada");
    await settings.set("server", "guild", "blind", false, "ada");
    await settings.set("server", "guild", "steps", 20, "ada");
    time += 1_000;
    await settings.set("server", "guild", "steps", 30, "bob");
    const { settings: after } = await engine.connect(() => time);
    expect(await after.of("server", "guild")).toEqual({
      size: { width: 512, height: 768 },
      refusedWords: ["crow", "猫"],
      blind: false,
      steps: 30,
    });
    const by = { changedBy: "ada", changedAt: START };
    expect(await after.list("server", "guild")).toEqual([
      { name: "blind", value: false, ...by },
      { name: "refusedWords", value: ["crow", "猫"], ...by },
      { name: "size", value: { width: 512, height: 768 }, ...by },
      { name: "steps", value: 30, changedBy: "bob", changedAt: START + 1_000 },
    ]);
  });

  test("one setting of all servers is told by server", async () => {
    await settings.set("server", "1", "taste", true, "ada");
    await settings.set("server", "2", "taste", false, "ada");
    await settings.set("server", "3", "steps", 10, "ada");
    await settings.set("channel", "4", "taste", true, "ada");
    expect(await settings.ofServers("taste")).toEqual(
      new Map([
        ["1", true],
        ["2", false],
      ]),
    );
    expect(await settings.ofServers("gallery")).toEqual(new Map());
  });

  test("servers, channels and people have separate settings, also under one id", async () => {
    await settings.set("server", "1", "steps", 10, "ada");
    await settings.set("channel", "1", "steps", 20, "ada");
    await settings.set("user", "1", "ping", true, "ada");
    expect(await settings.of("server", "1")).toEqual({ steps: 10 });
    expect(await settings.of("channel", "1")).toEqual({ steps: 20 });
    expect(await settings.of("user", "1")).toEqual({ ping: true });
    expect(await settings.of("server", "2")).toEqual({});
    expect(await settings.list("server", "2")).toEqual([]);
  });

  test("in a channel its own settings hold, and its server's where it has none", async () => {
    await settings.set("server", "guild", "steps", 10, "ada");
    await settings.set("server", "guild", "guidance", 5, "ada");
    await settings.set("channel", "channel", "steps", 20, "ada");
    const resolve = (guildId: string | null, channelId: string | null) =>
      settings.resolve({ guildId, channelId });
    expect(await resolve("guild", "channel")).toEqual({ steps: 20, guidance: 5 });
    expect(await resolve("guild", "other")).toEqual({ steps: 10, guidance: 5 });
    expect(await resolve(null, "channel")).toEqual({ steps: 20 });
    expect(await resolve("guild", null)).toEqual({});
  });

  test("reset takes back one setting, and says whether it was set", async () => {
    await settings.set("channel", "channel", "steps", 20, "ada");
    await settings.set("channel", "channel", "guidance", 5, "ada");
    expect(await settings.reset("channel", "channel", "steps")).toBe(true);
    expect(await settings.reset("channel", "channel", "steps")).toBe(false);
    expect(await settings.reset("server", "channel", "guidance")).toBe(false);
    expect(await settings.of("channel", "channel")).toEqual({ guidance: 5 });
  });

  test("erasing a person deletes only what they set for themselves", async () => {
    await settings.set("user", "ada", "ping", true, "ada");
    await settings.set("user", "bob", "ping", true, "bob");
    await settings.set("server", "guild", "steps", 10, "ada");
    await settings.erase("ada");
    expect(await settings.of("user", "ada")).toEqual({});
    expect(await settings.of("user", "bob")).toEqual({ ping: true });
    expect(await settings.of("server", "guild")).toEqual({ steps: 10 });
  });
});
