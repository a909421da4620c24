import { afterAll, beforeAll, expect, test } from "vitest";
import { CommandType, type LocalDiscord, startLocalDiscord } from "../src/testing/index.js";
import { type ForeignBot, startForeignBot } from "./support/foreign-bot.js";

/** A bot written like discord.js's guide, in its own process, runs unchanged. */

let local: LocalDiscord;
let bot: ForeignBot;

beforeAll(async () => {
  local = await startLocalDiscord({ botName: "guide" });
  bot = await startForeignBot(local);
});
afterAll(async () => {
  await bot?.stop();
  await local?.close();
  expect(bot.output()).not.toMatch(/error/i);
  expect(await local.spec?.check(true)).toEqual([]);
});

test("the bot registers its commands and comes online", () => {
  expect(local.member("alice").commands()).toContain("ping");
  expect(local.member("alice").commands()).not.toContain("ban");
  expect(local.member("admin").commands()).toContain("ban");
  expect(local.member("alice").commands("general", CommandType.message)).toEqual(["Translate"]);
});

test("a reply, a private reply, and a reply that returns its message", async () => {
  const alice = local.member("alice");
  expect((await alice.slash("ping")).message?.content).toBe("Pong!");
  const quiet = await alice.slash("echo", { input: "psst", private: true });
  expect([quiet.ephemeral, quiet.message?.content]).toEqual([true, "psst"]);
  await expect.poll(() => bot.output()).toContain(`echoed ${quiet.message?.id}`);
});

test("a channel option, and a message sent into that channel", async () => {
  const alice = local.member("alice");
  const handle = await alice.slash("echo", { input: "over there", channel: "gallery" });
  expect(handle.message?.content).toContain(local.channelId("gallery"));
  await local.member("bob").waitFor((it) => it.content === "over there", { channel: "gallery" });
});

test("defer, edit three times, follow up, delete", async () => {
  const alice = local.member("alice");
  const handle = await alice.slash("count");
  await alice.waitFor((it) => it.content === "That was all.");
  await local.quiet();
  expect(handle.message).toBeNull();
  expect(handle.followUps.map((it) => it.flags & 64)).toEqual([64]);
  const edits = local.transcript.rest("PATCH").map((it) => (it.request as { content: string }).content);
  expect(edits).toEqual(["One…", "Two…", "Three…"]);
});

test("autocomplete", async () => {
  const choices = await local.member("alice").autocomplete("guide", { query: "popular" }, "query");
  expect(choices.map((it) => it.name)).toEqual(["Popular Topics: Threads", "Popular Topics: Embeds"]);
});

test("buttons awaited by a collector, which ignores other people", async () => {
  const admin = local.member("admin");
  const handle = await admin.slash("ban", { target: "bob" });
  await expect(local.member("alice").press(handle.message, "confirm")).rejects.toThrow(/did not respond/);
  await admin.press(handle.message, "Confirm ban");
  expect(handle.message).toMatchObject({ content: "bob would be banned.", components: [] });
});

test("selects of every kind, several values at once", async () => {
  const alice = local.member("alice");
  const handle = await alice.slash("roles");
  const fruit = await alice.select(handle.message, "Some fruit", ["Apple", "Plum"]);
  expect(fruit.message?.content).toBe(`<@${alice.id}> chose apple and plum`);
  const role = await alice.select(handle.message, "role", ["Painters"]);
  expect(role.message?.content).toMatch(/chose \d+$/);
  const rooms = await alice.select(handle.message, "room", ["general", "gallery"]);
  expect(rooms.message?.content).toContain(`${local.channelId("general")} and ${local.channelId("gallery")}`);
});

test("a modal", async () => {
  const alice = local.member("alice");
  const opened = await alice.slash("feedback");
  await expect(
    alice.submitModal(opened, { liked: "it", again: "yes", "modal-fruit": ["plum"] }),
  ).rejects.toThrow(/3 or more/);
  const done = await alice.submitModal(opened, { liked: "all of it", again: "Yes", "modal-fruit": ["plum"] });
  expect(done.message?.content).toBe("Liked: all of it. Again: yes. Fruit: plum.");
});

test("context menus", async () => {
  const alice = local.member("alice");
  const said = local.member("bob").say("good morning");
  expect((await alice.menu("Translate", said)).message?.content).toBe("GOOD MORNING");
  expect((await alice.menu("Avatar", "bob")).message?.content).toBe("Bob has no avatar.");
});

test("components of the second version with pictures and a file", async () => {
  const alice = local.member("alice");
  const handle = await alice.slash("gallery");
  const message = await handle.done();
  const [container] = message.components;
  expect(container?.components?.map((it) => it.type)).toEqual([9, 14, 12, 13, 1]);
  const [dawn] = container?.components?.find((it) => it.type === 12)?.items ?? [];
  expect(dawn).toMatchObject({
    description: "dawn",
    media: { width: 256, height: 256, content_type: "image/png" },
  });
  expect((await alice.download(dawn!.media)).length).toBeGreaterThan(500);
  const liked = await alice.press(message, "Like");
  expect(liked.ephemeral).toBe(true);
});

test("the bot receives people's messages and answers them", async () => {
  local.member("bob").say("!hello");
  const answer = await local.member("bob").waitFor((it) => it.content === "Hello there.");
  expect(answer.referenced_message?.content).toBe("!hello");
});

test("the bot disconnects cleanly", async () => {
  expect(await bot.stop()).toBe(0);
  await expect.poll(() => local.state.botOnline).toBe(false);
});
