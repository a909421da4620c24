import {
  type Client,
  ContainerBuilder,
  MediaGalleryBuilder,
  MessageFlags,
  Routes,
  TextDisplayBuilder,
} from "discord.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalDiscord, startLocalDiscord } from "../src/testing/index.js";
import { Spec } from "../src/traffic/spec.js";
import { png } from "./support/png.js";
import { startSampleBot } from "./support/sample-bot.js";

let local: LocalDiscord;
let bot: Client<true>;

/** Runs every flow once and reads every resource, so that the transcript holds each kind of call. */
beforeAll(async () => {
  local = await startLocalDiscord({ limits: { globalPerSecond: 0 } });
  bot = await startSampleBot(local);
  const alice = local.member("alice");
  await alice.slash("echo", { text: "hello <@1>", quiet: true });
  const painted = await alice.slash("paint", { prompt: "A cat" });
  await painted.waitFor((it) => it.embeds.length > 0);
  const batch = await alice.slash("batch", { file: { name: "a.txt", data: "x" } });
  await alice.waitFor((it) => it.content === "First: x");
  const panel = await alice.slash("panel", {}, { channel: "dm" });
  await alice.press(panel.message, "left");
  await alice.select(panel.message, "style", ["oil"]);
  const opened = await alice.press(panel.message, "edit");
  await alice.submitModal(opened, { prompt: "A dog" });

  const channel = await bot.channels.fetch(local.channelId("gallery"));
  if (!channel?.isSendable()) throw new Error("cannot send");
  const sent = await channel.send({
    content: "Two files",
    files: [
      { attachment: png(2, 3, [1, 2, 3]), name: "a.png" },
      { attachment: Buffer.from("b"), name: "b c.txt" },
    ],
    nonce: "abc",
    enforceNonce: true,
  });
  await sent.edit({ content: "One file", attachments: [...sent.attachments.values()].slice(0, 1) });
  await sent.reply({ content: "A reply" });
  await sent.fetch();
  await channel.messages.fetch({ limit: 5 });
  await channel.sendTyping();
  await channel.send({
    flags: MessageFlags.IsComponentsV2,
    files: [{ attachment: png(4, 4, [9, 9, 9]), name: "v2.png" }],
    components: [
      new ContainerBuilder()
        .setAccentColor(0x4fa38a)
        .addTextDisplayComponents(new TextDisplayBuilder().setContent("# Text"))
        .addMediaGalleryComponents(
          new MediaGalleryBuilder().addItems({ media: { url: "attachment://v2.png" } }),
        ),
    ],
  });
  const direct = await bot.users.createDM(alice.id);
  await direct.send("psst");
  for (const route of [
    Routes.user(),
    Routes.user(alice.id),
    Routes.currentApplication(),
    Routes.oauth2CurrentApplication(),
    Routes.guild(local.guildId),
    Routes.guildChannels(local.guildId),
    Routes.guildRoles(local.guildId),
    Routes.guildMember(local.guildId, alice.id),
    Routes.channel(channel.id),
    Routes.channel(direct.id),
    Routes.applicationCommands(local.applicationId),
    Routes.webhookMessage(local.applicationId, batch.record.token),
  ] as const) {
    await bot.rest.get(route);
  }
  await sent.delete();
  await expect(sent.fetch()).rejects.toMatchObject({ code: 10008 });
});
afterAll(async () => {
  await bot?.destroy();
  await local?.close();
});

test("every accepted request, every response and every event matches Discord's specification", async () => {
  expect(local.transcript.rest().length).toBeGreaterThan(35);
  expect(local.transcript.gateway("MESSAGE_UPDATE").length).toBeGreaterThan(3);
  expect(local.transcript.gateway("INTERACTION_CREATE").length).toBeGreaterThan(6);
  expect(await local.spec!.check(true)).toEqual([]);
});

test("the checks report a violation", async () => {
  const spec = (await Spec.load())!;
  const call = local.transcript.rest("POST", /^\/channels\/\d+\/messages$/)[0]!;
  const callback = local.transcript.rest("POST", /callback$/)[0]!;
  const event = local.transcript.gateway("INTERACTION_CREATE")[0]!.data as Record<string, unknown>;
  const wrong = [
    spec.call({ ...call, response: { ...(call.response as object), author: { id: "1" } } }),
    spec.call({ ...call, request: { embeds: Array(11).fill({}) } }),
    spec.call({ ...call, path: "/nowhere" }),
    spec.call({ ...callback, request: { type: 4, data: { content: "x".repeat(2001) } } }),
    spec.call({ ...call, status: 400, response: { code: "not a number" } }),
    spec.event("MESSAGE_CREATE", { id: 1 }),
    spec.event("INTERACTION_CREATE", { ...event, colour: "red" }),
    spec.event("INTERACTION_CREATE", { ...event, user: { id: "12345678901234567" } }),
    spec.event("GUILD_CREATE", { ...(local.transcript.gateway("GUILD_CREATE")[0]!.data as object), name: 7 }),
  ];
  expect(wrong.map((it) => it.length > 0)).toEqual(wrong.map(() => true));
});
