import { REST } from "discord.js";
import { startLocalDiscord } from "local-discord/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { commandDefinitions } from "../../../src/bot/commands/index.js";
import { definitionHash, registerCommands } from "../../../src/bot/discord/registration.js";
import { DiscordError } from "../../../src/core/errors.js";
import { makeBot, nextEvent, startWorld } from "../../support/bot-world.js";

const LIMITS = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 };
const DEFINITIONS = commandDefinitions(LIMITS);

describe("start", () => {
  it("answers with the bot's name and an invitation with the permissions that it needs and no more", async () => {
    const { userTag, inviteUrl, local } = await startWorld();
    expect(userTag).toMatch(/^promptist/);
    const invite = new URL(inviteUrl);
    expect(invite.searchParams.get("client_id")).toBe(local.applicationId);
    expect(invite.searchParams.get("scope")?.split(/[ +]/).sort()).toEqual(["applications.commands", "bot"]);
    const [view, send, embed, attach, inThreads] = [1n << 10n, 1n << 11n, 1n << 14n, 1n << 15n, 1n << 38n];
    expect(BigInt(invite.searchParams.get("permissions")!)).toBe(view | send | embed | attach | inThreads);
  });

  it("asks for the guilds, their reactions and direct messages alone", async () => {
    const { local } = await startWorld();
    const identify = local.transcript.gateway().find((entry) => entry.from === "bot" && entry.op === 2);
    expect(identify?.data).toMatchObject({ intents: 1 | (1 << 10) | (1 << 12) });
  });

  it("ends with a sentence when Discord does not know the token", async () => {
    const world = await startWorld();
    const bot = makeBot(world, { token: "not.the.token" });
    onTestFinished(() => bot.stop());
    const error = await bot.start().catch((thrown) => thrown);
    expect(error).toBeInstanceOf(DiscordError);
    expect(error.code).toBe("DISCORD_REFUSED");
    expect(error.message).toContain("DISCORD_TOKEN");
  });

  it("waits, each time longer, while Discord is not there, and starts when it is", async () => {
    const first = await startLocalDiscord();
    const { token } = first;
    const port = Number(new URL(first.url).port);
    await first.close();

    const world = await startWorld();
    const bot = makeBot(world, { token, apiUrl: first.apiUrl, cdnUrl: first.cdnUrl });
    onTestFinished(() => bot.stop());
    const starting = bot.start();
    const retried = (event: { message: string }) => event.message.includes("can't be reached; trying again");
    await nextEvent(world.events, "log", retried);
    await nextEvent(world.events, "log", retried);
    const second = await startLocalDiscord({ port, token });
    onTestFinished(() => second.close());
    expect((await starting).userTag).toMatch(/^promptist/);
  });

  it("can be stopped while it waits", async () => {
    const world = await startWorld();
    const bot = makeBot(world, { apiUrl: "http://127.0.0.1:1/api" });
    const starting = bot.start().catch((error) => error);
    await nextEvent(world.events, "log", ({ message }) => message.includes("trying again"));
    await bot.stop();
    expect((await starting).name).toBe("AbortError");
  });

  it("leaves nothing behind when the commands are refused", async () => {
    const local = await startLocalDiscord();
    onTestFinished(() => local.close());
    local.faults.onRest("PUT", /commands$/, { status: 403 });
    const world = await startWorld();
    const bot = makeBot({ ...world, local });
    await expect(bot.start()).rejects.toMatchObject({ code: "DISCORD_REFUSED" });
    expect(local.state.botOnline).toBe(false);
  });

  it("reports a token that Discord takes back later, once", async () => {
    const fatal: DiscordError[] = [];
    const world = await startWorld({ bot: { onFatal: (error) => fatal.push(error) } });
    const handle = await world.local.member("alice").slash("optimize", { prompt: "a cat" });
    await handle.done();
    // The reply can no longer be edited and the channel's door is shut to the token.
    world.local.faults.onRest("PATCH", /webhooks/, { status: 404 });
    world.local.faults.onRest("POST", /messages$/, { status: 401 });
    const failed = nextEvent(world.events, "log", ({ message }) => message.includes("no longer accepts"));
    await world.loop.runNext();
    await failed;
    expect(fatal.map(({ code }) => code)).toEqual(["DISCORD_REFUSED"]);
    expect(await world.store.deliveries.undelivered()).toHaveLength(1);
  });
});

describe("commands", () => {
  it("are written once and left alone while they are the same", async () => {
    const world = await startWorld();
    const rest = new REST({ api: world.local.apiUrl }).setToken(world.local.token);
    onTestFinished(() => {
      rest.clearHandlerSweeper();
      rest.clearHashSweeper();
    });
    const puts = () => world.local.transcript.rest("PUT", /commands$/).length;
    expect(puts()).toBe(1);
    expect(world.local.member("alice").commands().sort()).toEqual(
      [
        "batch",
        "compare",
        "grid",
        "help",
        "history",
        "info",
        "mydata",
        "queue",
        "settings",
        "show",
        "stats",
        "style",
        "taste",
        "optimize",
      ].sort(),
    );

    const { applicationId, guildId } = world.local;
    expect(await registerCommands(rest, applicationId, [], DEFINITIONS)).toBe("unchanged");
    expect(puts()).toBe(1);
    const fewerSteps = commandDefinitions({ ...LIMITS, maxSteps: 20 });
    expect(await registerCommands(rest, applicationId, [], fewerSteps)).toBe("registered");
    expect(await registerCommands(rest, applicationId, [], fewerSteps)).toBe("unchanged");
    expect(await registerCommands(rest, applicationId, [], fewerSteps.slice(1))).toBe("registered");
    expect(puts()).toBe(3);

    expect(await registerCommands(rest, applicationId, [guildId], DEFINITIONS)).toBe("registered");
    expect(await registerCommands(rest, applicationId, [guildId], DEFINITIONS)).toBe("unchanged");
  });

  it("have one hash whatever Discord adds and however it orders", () => {
    const [first, ...others] = structuredClone(DEFINITIONS);
    const decorated = [...others, { version: "1", dm_permission: true, name_localizations: null, ...first! }];
    expect(definitionHash(decorated)).toBe(definitionHash(DEFINITIONS));
    const renamed = DEFINITIONS.map((command) => ({ ...command, name: `${command.name}s` }));
    expect(definitionHash(renamed)).not.toBe(definitionHash(DEFINITIONS));
  });
});
