import { startLocalDiscord } from "local-discord/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { isFinal, makeBot, startWorld, type World } from "../support/bot-world.js";

/**
 * Events that discord.js stumbles over cost only themselves. An exception that escaped would fail the run, as
 * vitest listens for those that nobody caught.
 */

type Path = readonly (string | number)[];

/** The paths of all that lies below `value`. */
function pathsOf(value: unknown): Path[] {
  if (typeof value !== "object" || value === null) return [];
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return entries.flatMap(([key, below]) => [[key], ...pathsOf(below).map((path) => [key, ...path])]);
}

/** A copy of `data` with what lies at `path` taken out, or replaced. */
function altered(data: unknown, path: Path, change: { readonly to?: unknown }): Record<string, unknown> {
  const copy = structuredClone(data) as Record<string, unknown>;
  const parent = path
    .slice(0, -1)
    .reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, copy);
  const key = path.at(-1)!;
  if ("to" in change) parent[key] = change.to;
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
  return copy;
}

const CHANGES = [{}, { to: null }, { to: "abc" }];

/** Carries out one interaction of each kind that the bot handles, and returns what Discord sent for each. */
async function goodInteractions({ local, loop }: World): Promise<unknown[]> {
  const alice = local.member("alice");
  const prompts = { name: "prompts.txt", data: "A cat\nA dog" };
  const handle = await alice.slash("compare", { prompt: "A cat", seed: 7 });
  await handle.done();
  await loop.runNext();
  await handle.waitFor(isFinal);
  await alice.autocomplete("compare", { prompt: "A" }, "prompt");
  const opened = await alice.press(handle.message, "Edit prompt");
  await (await alice.submitModal(opened, { text: "A dog" })).done();
  const { message: menus } = await alice.press(handle.message, "Reword");
  await (await alice.select(menus, "Draw another rewrite", ["2"])).done();
  await (await alice.menu("Compare this", local.member("bob").say("A castle"))).done();
  await (await alice.slash("batch", { file: prompts })).done();
  await alice.slash("help", {}, { channel: "dm" });
  await local.member("admin").slash("settings show");
  return local.transcript
    .gateway()
    .flatMap(({ event, data }) => (event === "INTERACTION_CREATE" ? [data] : []));
}

const odd = ({ problems }: World) => problems.filter((line) => line.includes("Left out an event"));

test("an interaction without a field, or with null or a text in it, never ends the bot", {
  timeout: 120_000,
}, async () => {
  // Thousands of acknowledgements in a row, before the one that is waited for.
  const world = await startWorld({ local: { limits: { globalPerSecond: 0 } } });
  const { local } = world;
  const shapes = await goodInteractions(world);
  expect(shapes).toHaveLength(10);
  let dropped = 0;
  world.events.on("discord.odd-event", ({ event }) => {
    expect(event).toBe("INTERACTION_CREATE");
    dropped += 1;
  });
  let sent = 0;
  // The made-up interactions are acknowledged, so that the bot goes on with them.
  local.faults.onRest("POST", /callback/, { status: 200 }, Number.POSITIVE_INFINITY);
  for (const shape of shapes) {
    const paths = pathsOf(shape);
    for (const path of paths)
      for (const change of CHANGES) {
        const data = altered(shape, path, change);
        if (path[0] !== "id") data.id = String(1_500_000_000_000_000_000n + BigInt(sent));
        local.faults.sendEvent("INTERACTION_CREATE", data);
        sent += 1;
      }
    await local.quiet({ idleMs: 50, timeoutMs: 30_000 });
  }
  local.faults.sendEvent("INTERACTION_CREATE", null);
  await local.quiet({ idleMs: 500, timeoutMs: 60_000 });
  local.faults.clearRest();

  const help = await local.member("bob").slash("help");
  expect((await help.done()).embeds.length + help.message!.content.length).toBeGreaterThan(0);
  expect(sent).toBeGreaterThan(1_000);
  // Some are beyond discord.js, most are not, and the log does not grow with them.
  expect(dropped).toBeGreaterThan(20);
  expect(dropped).toBeLessThan(sent / 2);
  expect(odd(world).length).toBeLessThanOrEqual(4);
  expect(odd(world)[0]).toBe(
    "error: Left out an event that discord.js can't handle (INTERACTION_CREATE, number 1)",
  );
});

test.each([
  ["GUILD_CREATE", null],
  ["GUILD_CREATE", { id: null, channels: [null] }],
  ["GUILD_DELETE", null],
  ["CHANNEL_UPDATE", null],
  ["READY", null],
  ["READY", {}],
  ["__proto__", {}],
  ["constructor", null],
  ["toString", null],
  ["error", null],
  ["error", { message: "x" }],
  ["A_NEW_EVENT", { guild_id: {} }],
])("the event %s with %j is left out, and the next command is answered", async (event, data) => {
  const world = await startWorld();
  world.local.faults.sendEvent(event, data);
  world.local.faults.sendEvent(event, data);
  await (await world.local.member("alice").slash("help")).done();
  expect(odd(world).length).toBeLessThanOrEqual(1);
  expect(world.local.state.botOnline).toBe(true);
});

describe("at the start", () => {
  test.each([
    ["nothing", () => null],
    ["an empty object", () => ({})],
    ["no user", (ready: object) => ({ ...ready, user: null })],
    ["no guilds", (ready: object) => ({ ...ready, guilds: null })],
    ["a guild that is null", (ready: object) => ({ ...ready, guilds: [null] })],
    ["no application", (ready: object) => ({ ...ready, application: null })],
  ])("a READY that holds %s ends it with a sentence", async (_what, change) => {
    const local = await startLocalDiscord({ limits: { identifyMs: 0 } });
    onTestFinished(() => local.close());
    local.faults.changeReady(change);
    const bot = makeBot({ ...(await startWorld()), local });
    await expect(bot.start()).rejects.toMatchObject({
      code: "DISCORD_REFUSED",
      message: expect.stringMatching(
        /^This program can't read how Discord greets it \(TypeError: .*\); update the bot\.$/,
      ),
    });
    expect(local.state.botOnline).toBe(false);
  });

  test("an odd event that had to wait for the guilds is left out", async () => {
    const local = await startLocalDiscord();
    onTestFinished(() => local.close());
    const late = { id: "1500000000000000000", unavailable: true };
    local.faults.changeReady((ready) => ({
      ...ready,
      guilds: [...(ready as { guilds: object[] }).guilds, late],
    }));
    const world = await startWorld();
    const bot = makeBot({ ...world, local });
    onTestFinished(() => bot.stop());
    const starting = bot.start();
    await local.botOnline();
    local.faults.sendEvent("INTERACTION_CREATE", {});
    local.faults.sendEvent("INTERACTION_CREATE", { type: 2 });
    local.faults.sendEvent("GUILD_DELETE", late);
    await starting;
    await (await local.member("alice").slash("help")).done();
    expect(odd(world)).toHaveLength(1);
  });
});
