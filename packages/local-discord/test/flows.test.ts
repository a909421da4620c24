import { type Client, Events } from "discord.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  InteractionFailed,
  InvocationError,
  type LocalDiscord,
  startLocalDiscord,
  VirtualClock,
} from "../src/testing/index.js";
import { png } from "./support/png.js";
import { connect, errors, startSampleBot } from "./support/sample-bot.js";

let local: LocalDiscord;
let bot: Client<true>;

beforeAll(async () => {
  local = await startLocalDiscord({ limits: { identifyMs: 0 } });
  bot = await startSampleBot(local);
});
afterAll(async () => {
  await bot.destroy();
  await local.close();
  expect(errors).toEqual([]);
  expect(await local.spec?.check(true)).toEqual([]);
});

test("login takes less than a second and the bot knows the guild", async () => {
  const started = performance.now();
  const second = await connect(local);
  expect(performance.now() - started).toBeLessThan(1000);
  expect(second.guilds.cache.get(local.guildId)?.name).toBe("Studio");
  expect(second.guilds.cache.get(local.guildId)?.channels.cache.map((it) => it.name)).toEqual([
    "general",
    "gallery",
    "read-only",
    "after-dark",
    "staff",
  ]);
  // The bot is no member of the other guild, so it does not know it.
  expect(second.guilds.cache.size).toBe(1);
  expect(second.user.username).toBe("promptist");
  await second.destroy();
});

test("reply", async () => {
  const handle = await local.member("alice").slash("echo", { text: "hello", times: 2 });
  expect(handle.message?.content).toBe("hello\nhello");
  expect(handle.message?.interaction?.name).toBe("echo");
  expect(handle.message?.type).toBe(20);
  expect(handle.message?.author.id).toBe(bot.user.id);
});

test("only the user sees an ephemeral reply, and the gateway never sends it", async () => {
  const before = local.transcript.gateway("MESSAGE_CREATE").length;
  const handle = await local.member("alice").slash("echo", { text: "secret", quiet: true });
  expect(handle.ephemeral).toBe(true);
  expect(
    local
      .member("alice")
      .messages()
      .some((it) => it.content === "secret"),
  ).toBe(true);
  expect(
    local
      .member("bob")
      .messages()
      .some((it) => it.content === "secret"),
  ).toBe(false);
  expect(local.transcript.gateway("MESSAGE_CREATE").length).toBe(before);
  const message = handle.message!;
  const channel = await bot.channels.fetch(message.channel_id);
  if (!channel?.isTextBased()) throw new Error("not a text channel");
  await expect(channel.messages.fetch(message.id)).rejects.toMatchObject({ code: 10008 });
});

test("defer, then edit twice, with an embed and pictures", async () => {
  const updates: string[] = [];
  const listen = (_old: unknown, message: { content: string | null }) => updates.push(message.content ?? "");
  bot.on(Events.MessageUpdate, listen);
  const alice = local.member("alice");
  const handle = await alice.slash("paint", { prompt: "A cat in the rain" }, { channel: "gallery" });
  const message = await handle.waitFor((it) => it.embeds.length > 0);
  bot.off(Events.MessageUpdate, listen);

  expect(message.content).toBe("> A cat in the rain");
  // The picture in the embed is not listed again.
  expect(message.attachments.map((it) => it.filename)).toEqual(["baseline.png", "optimized.png"]);
  expect(message.attachments[0]).toMatchObject({
    width: 64,
    height: 48,
    content_type: "image/png",
    description: "before",
  });
  expect(message.embeds[0]?.image).toMatchObject({ width: 320, height: 160 });
  expect(await alice.download(message.embeds[0]!.image!)).toEqual(png(320, 160, [90, 140, 190]));
  expect(updates).toContain("Painting **A cat in the rain**…");
});

test("an uploaded file reaches the bot through the CDN, and a follow-up answers", async () => {
  const alice = local.member("alice");
  const handle = await alice.slash("batch", { file: { name: "my prompts.txt", data: "A cat\nA dog\n" } });
  await handle.waitFor((it) => it.content === "my_prompts.txt: 2 prompts");
  await local.member("bob").waitFor((it) => it.content === "First: A cat");
  expect(handle.followUps.map((it) => it.content)).toEqual(["First: A cat"]);
});

test("buttons, select, modal, autocomplete", async () => {
  const [alice, bob] = [local.member("alice"), local.member("bob")];
  const panel = await alice.slash("panel");
  const voted = await bob.press(panel.message, "Left");
  expect(voted.message?.content).toBe(`<@${bob.id}> voted for **left**`);
  expect(voted.message?.mentions.map((it) => it.username)).toEqual(["bob"]);
  expect(panel.message?.content).toBe(voted.message?.content);

  const chosen = await alice.select(panel.message, "A style", ["oil", "pencil"]);
  expect(chosen.message?.content).toBe("Chosen: oil, pencil");
  expect(chosen.ephemeral).toBe(true);
  expect(chosen.message?.message_reference?.message_id).toBe(panel.message?.id);

  const opened = await alice.press(panel.message, "edit");
  expect(opened.modal?.title).toBe("Change the prompt");
  const submitted = await alice.submitModal(opened, { Prompt: "A dog" });
  expect(submitted.message?.content).toBe("New prompt: A dog");

  expect(await alice.autocomplete("paint", { prompt: "x", style: "p" }, "style")).toEqual([
    { name: "pencil", value: "pencil" },
    { name: "photo", value: "photo" },
  ]);
});

test("a direct message", async () => {
  const alice = local.member("alice");
  const handle = await alice.slash("echo", { text: "just us" }, { channel: "dm" });
  expect(handle.message?.content).toBe("just us");
  expect(handle.message?.guild_id).toBeUndefined();
  expect(local.member("bob").messages("dm")).toEqual([]);
});

test.each([
  ["echo", {}, "text"],
  ["echo", { text: "x", times: 9 }, "times"],
  ["echo", { text: "x", times: 1.5 }, "times"],
  ["echo", { text: "x".repeat(101) }, "text"],
  ["echo", { text: "   " }, "text"],
  ["echo", { text: "x", loud: true }, "loud"],
  ["batch", { file: "a path" }, "file"],
  ["nothing", {}, null],
  ["settings", {}, null],
  ["settings steps", { count: 5 }, null],
])("the user's side refuses /%s %j as Discord's client does", async (name, options, field) => {
  await expect(local.member("alice").slash(name, options)).rejects.toMatchObject({
    name: "InvocationError",
    field,
  });
});

test("default permissions hide a command from members and show it to admins", async () => {
  expect(local.member("alice").commands()).not.toContain("settings");
  expect(local.member("admin").commands()).toContain("settings");
  const handle = await local.member("admin").slash("settings steps", { count: 5 });
  expect(handle.message?.content).toBe("Steps: 5");
  expect(handle.message?.interaction?.name).toBe("settings steps");
});

test("a disabled button and a link cannot be pressed", async () => {
  const panel = await local.member("alice").slash("panel");
  await expect(local.member("alice").press(panel.message, "closed")).rejects.toThrow(InvocationError);
  await expect(local.member("alice").press(panel.message, "Guide")).rejects.toThrow(InvocationError);
});

test("after 3 s without an answer the user sees a failure, and a wait that times out says what happened", async () => {
  const clock = new VirtualClock();
  const silent = await startLocalDiscord({ clock, limits: { globalPerSecond: 0 } });
  const client = await connect(silent);
  await client.application.commands.set([{ name: "hang", description: "Never answers" }]);
  const alice = silent.member("alice");
  const sent = alice.slash("hang");
  clock.advance(3_000);
  await expect(sent).rejects.toThrow(InteractionFailed);
  await expect(sent).rejects.toThrow(/INTERACTION_CREATE/);
  await expect(alice.waitFor(() => false, { timeoutMs: 1 })).rejects.toThrow(/Waited 1 ms for a message/);
  await client.destroy();
  await silent.close();
});

test("the user's side enforces the rules of modals and selects", async () => {
  const alice = local.member("alice");
  const panel = await alice.slash("panel");
  await expect(alice.select(panel.message, "style", [])).rejects.toThrow(/Choose 1 to 2/);
  await expect(alice.select(panel.message, "style", ["marble"])).rejects.toThrow(/does not offer/);
  await expect(alice.press(panel.message, "Nowhere")).rejects.toThrow(/it has: Left, Right/);
  const opened = await alice.press(panel.message, "edit");
  await expect(alice.submitModal(opened, {})).rejects.toThrow(/required/);
  await expect(alice.submitModal(opened, { prompt: "x".repeat(201) })).rejects.toThrow(/200 or fewer/);
  await expect(alice.submitModal(opened, { colour: "x" })).rejects.toThrow(InvocationError);
});
