import { describe, expect, it } from "vitest";
import { completeValue } from "../../../src/bot/commands/settings.js";
import { CATALOG, isRoles, isSettingName, parseSetting } from "../../../src/bot/requests/setting-catalog.js";
import { startWorld } from "../../support/bot-world.js";

const LIMITS = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 30, maxPairs: 4 };
const values = (setting: string, typed = "") =>
  completeValue(setting, typed, "en-US" as never, LIMITS).map(({ value }) => value);

describe("a value is completed", () => {
  it.each(Object.keys(CATALOG).filter(isSettingName))("%s: each one offered is taken", (name) => {
    const texts = ["negative", "alwaysNegative", "refusedWords", "gallery"];
    const named = ["model", "models", "loras", "adultModels", "upscaler"];
    const isText = [...texts, ...named].includes(name) || isRoles(name);
    expect(values(name).length > 0).toBe(!isText);
    for (const value of values(name)) expect(() => parseSetting(name, value)).not.toThrow();
  });

  it("by what contains the letters, and by a number that was typed", () => {
    expect(values("blind")).toEqual(["on", "off"]);
    expect(values("mode", "gr")).toEqual(["greedy"]);
    expect(values("steps")).toEqual(["10", "20", "30"]);
    expect(values("maxBatch", "7")).toEqual(["7"]);
    expect(values("guidance", "7")).toEqual(["7", "7.5"]);
    expect(values("nothing")).toEqual([]);
  });

  it("while /settings is typed, and `reset` offers all", async () => {
    const { local } = await startWorld();
    const admin = local.member("admin");
    const flagged = await admin.autocomplete("settings set", { name: "flagged", value: "" }, "value");
    expect(flagged.map(({ value }) => value)).toEqual(["show", "spoiler", "withhold"]);
    const [all] = await admin.autocomplete("settings reset", { name: "" }, "name");
    expect(all).toMatchObject({ value: "all" });
    const set = await admin.autocomplete("settings set", { name: "all" }, "name");
    expect(set.map(({ value }) => value)).not.toContain("all");
  });
});

describe("/settings set", () => {
  const start = async () => {
    const world = await startWorld();
    const set = async (options: Record<string, string>, channel = "general") => {
      const answer = await world.local.member("admin").slash("settings set", options, { channel });
      expect(answer.ephemeral).toBe(true);
      return answer.message?.content ?? "";
    };
    const stored = (channel = "general") => world.settings.of("channel", world.local.channelId(channel));
    return { world, set, stored };
  };

  it("takes a role as a role, and several as mentions", async () => {
    const { world, set, stored } = await start();
    const [guild] = world.local.state.guilds.values();
    const role = [...guild!.roles.values()].find(({ name }) => name === "Painters")!;
    expect(await set({ name: "useRoles", role: role.id })).toContain(`<@&${role.id}>`);
    expect(await stored()).toEqual({ useRoles: [role.id] });
    await set({ name: "manageRoles", role: role.id, value: "<@&123456789012345678>" });
    expect((await stored()).manageRoles).toEqual(["123456789012345678", role.id]);
    expect(await set({ name: "useRoles" })).toContain("1 to 20 roles");
    expect(await set({ name: "guidance" })).toContain("a number from 0 to 50");
  });

  it.each([
    [
      "useRoles",
      Array.from({ length: 21 }, (_, i) => `<@&${123456789012345678n + BigInt(i)}>`).join(" "),
      "1 to 20 roles",
    ],
    ["refusedWords", Array.from({ length: 201 }, (_, i) => `w${i}`).join(","), "1 to 200 words"],
    ["revealMinutes", "10081", "from 1 to 10,080"],
  ] as const)("refuses more for %s than is stored, and says how much is", async (name, value, takes) => {
    const { set, stored } = await start();
    expect(await set({ name, value })).toContain(takes);
    expect(await stored()).toEqual({});
  });

  it("refuses a server's limits for a channel, and takes them for the server", async () => {
    const { world, set, stored } = await start();
    for (const name of ["serverLimit", "serverCap"]) {
      expect(await set({ name, value: "3" })).toContain("jobs of the whole server");
      expect(await set({ name, value: "3", scope: "server" })).toContain("is now 3 for this server");
    }
    expect(await stored()).toEqual({});
    expect(await world.settings.of("server", world.local.guildId)).toEqual({ serverLimit: 3, serverCap: 3 });
  });

  it.each([
    ["unchecked", "show"],
    ["flagged", "show"],
    ["flagged", "spoiler"],
  ])("refuses %s = %s where a channel is not age-restricted", async (name, value) => {
    const { set, stored } = await start();
    expect(await set({ name, value })).toContain("age-restricted channels only");
    expect(await stored()).toEqual({});
    expect(await set({ name, value }, "after-dark")).toContain(`is now ${value}`);
    expect(await set({ name, value, scope: "server" })).toContain(`is now ${value}`);
  });

  it.each([
    ["unchecked", "spoiler"],
    ["unchecked", "withhold"],
    ["flagged", "withhold"],
  ])("takes %s = %s everywhere", async (name, value) => {
    const { set } = await start();
    expect(await set({ name, value })).toContain(`is now ${value}`);
  });

  it("takes the steps that the commands take", async () => {
    const { set } = await start();
    for (const value of ["101", "many", "0"])
      expect(await set({ name: "steps", value })).toContain("a whole number from 1 to 100");
    expect(await set({ name: "steps", value: "100" })).toContain("is now 100");
  });
});

describe("/settings reset name:all", () => {
  it("forgets all settings of the channel, and leaves its server's", async () => {
    const { local, settings } = await startWorld();
    const admin = local.member("admin");
    const channel = local.channelId("general");
    await settings.set("channel", channel, "steps", 20, "admin");
    await settings.set("channel", channel, "blind", true, "admin");
    await settings.set("server", local.guildId, "steps", 30, "admin");
    const reset = async () => (await admin.slash("settings reset", { name: "all" })).message?.content;
    const answer = await reset();
    expect(answer).toMatch(/^Reset for this channel: /);
    for (const name of ["steps", "blind"]) expect(answer).toContain(`\`${name}\``);
    expect(await settings.of("channel", channel)).toEqual({});
    expect(await settings.of("server", local.guildId)).toEqual({ steps: 30 });
    expect(await reset()).toBe("Nothing was set for this channel.");
    const bob = await local.member("bob").slash("settings reset", { name: "all", scope: "server" });
    expect(bob.message?.content).toContain("Only people who manage this");
    expect(await settings.of("server", local.guildId)).toEqual({ steps: 30 });
  });
});
