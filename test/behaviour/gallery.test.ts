import { expect, it, vi } from "vitest";
import { hasButton } from "../support/batch.js";
import { isFinal, makeBot, nextEvent, PASSED, startWorld, type World } from "../support/bot-world.js";
import { textOf } from "../support/message.js";

const BUTTON = "To the gallery";
const FLAGGED = { ...PASSED, safety: { flagged: true, concepts: [4] } };
const channelOf = ({ local: { state } }: World, name: string): string =>
  [...state.channels.values()].find((channel) => channel.name === name)!.id;

const choose = (world: World, channel: string) =>
  world.local.member("admin").slash("settings set", {
    scope: "server",
    name: "gallery",
    value: `<#${channelOf(world, channel)}>`,
  });

async function draw(
  world: World,
  options: Record<string, string | boolean> = {},
  judgement = PASSED,
  channel = "general",
) {
  const enqueued = nextEvent(world.events, "job.enqueued");
  const handle = await world.local
    .member("alice")
    .slash("compare", { prompt: "A cat", style: "woodcut", ...options }, { channel });
  const { jobId } = await enqueued;
  const delivered = nextEvent(world.events, "job.delivered");
  await world.loop.runNext(undefined, () => ({ baseline: PASSED, optimized: judgement }));
  await delivered;
  return { jobId, handle, message: await handle.waitFor(() => true) };
}

const inGallery = (world: World, channel = "gallery") => world.local.member("bob").messages(channel);

it("a result goes into the gallery once, with whose it is, how it was made and a link back, without pinging", async () => {
  const world = await startWorld();
  const before = await draw(world);
  expect(hasButton(before.message, BUTTON)).toBe(false);
  expect((await choose(world, "gallery")).message?.content).toMatch(
    /^`gallery` is now <#\d+> for this server\.$/,
  );
  const { message, handle } = await draw(world);
  const result = await handle.waitFor((it) => isFinal(it) && hasButton(it, BUTTON));
  const [bob, alice] = [world.local.member("bob"), world.local.member("alice")];
  const pressed = await bob.press(result, BUTTON);
  const answer = await pressed.done();
  expect(pressed.ephemeral).toBe(true);
  const [shown, ...others] = inGallery(world);
  expect(others).toEqual([]);
  const link = (channel: string, id: string) =>
    new RegExp(`https://discord.com/channels/\\d+/${channel}/${id}`);
  expect(answer?.content).toMatch(/^It is in the gallery: /);
  expect(answer?.content).toMatch(link(channelOf(world, "gallery"), shown!.id));
  expect(shown!.content).toMatch(new RegExp(`^By <@${alice.id}>: `));
  expect(shown!.content).toMatch(link(channelOf(world, "general"), message.id));
  expect(shown!.mentions).toEqual([]);
  expect(shown!.components).toEqual([]);
  expect(shown!.attachments).toHaveLength(2);
  expect(textOf(shown!)).toContain("A cat, highly detailed");
  expect(textOf(shown!)).toContain("style `woodcut`");
  const again = await (await alice.press(result, BUTTON)).done();
  expect(again?.content).toMatch(/^It is in the gallery already: /);
  expect(inGallery(world)).toHaveLength(1);

  // Deleting the result takes it out of the gallery too.
  await alice.press(result, "Delete");
  await vi.waitFor(() => expect(inGallery(world)).toEqual([]));
});

it("a gallery is a text channel of the server, where the bot may post; else one is told and may try again", async () => {
  const world = await startWorld();
  const lounge = await choose(world, "lounge");
  expect(lounge.message?.content).toContain("takes a text channel of this server");
  const word = await world.local.member("admin").slash("settings set", { name: "gallery", value: "here" });
  expect(word.message?.content).toContain("takes a text channel of this server");
  const offered = await world.local
    .member("admin")
    .autocomplete("settings set", { name: "gallery", value: "#gal" }, "value");
  expect(offered).toEqual([{ name: "#gallery", value: channelOf(world, "gallery") }]);
  await choose(world, "read-only");
  const { handle } = await draw(world);
  const result = await handle.waitFor((it) => hasButton(it, BUTTON));
  const refused = await (await world.local.member("bob").press(result, BUTTON)).done();
  expect(refused?.content).toContain("The bot may not post pictures in");
  await choose(world, "gallery");
  const taken = await (await world.local.member("bob").press(result, BUTTON)).done();
  expect(taken?.content).toContain("It is in the gallery:");
  await world.local.member("admin").slash("settings reset", { name: "gallery", scope: "server" });
  const other = await draw(world);
  expect(hasButton(other.message, BUTTON)).toBe(false);
  const stale = await world.local.member("bob").press(result, BUTTON);
  expect(stale.message?.content).toContain("This server has no gallery yet");
});

it("what may not be seen there stays out: flagged pictures, and pairs that people still vote on", async () => {
  const world = await startWorld();
  await choose(world, "gallery");
  const flagged = await draw(world, {}, FLAGGED, "after-dark");
  const result = await flagged.handle.waitFor((it) => hasButton(it, BUTTON));
  const refused = await (await world.local.member("bob").press(result, BUTTON)).done();
  expect(refused?.content).toMatch(/^<#\d+> is not age-restricted/);
  expect(inGallery(world)).toEqual([]);
  await choose(world, "after-dark");
  const taken = await (await world.local.member("bob").press(result, BUTTON)).done();
  expect(taken?.content).toContain("It is in the gallery:");

  await choose(world, "gallery");
  const { handle } = await draw(world, { blind: true });
  const secret = await handle.waitFor((it) => hasButton(it, "Tie"));
  expect(hasButton(secret, BUTTON)).toBe(false);
  await world.local.member("alice").press(secret, "Reveal to all");
  const open = await handle.waitFor((it) => hasButton(it, BUTTON));
  const after = await (await world.local.member("bob").press(open, BUTTON)).done();
  expect(after?.content).toContain("It is in the gallery:");
});

it.each(["before", "after"] as const)(
  "a bot that ended %s Discord had the message posts it once, after its restart",
  async (moment) => {
    const world = await startWorld();
    await choose(world, "gallery");
    const { jobId, handle } = await draw(world);
    const result = await handle.waitFor((it) => hasButton(it, BUTTON));
    const bob = world.local.member("bob");
    if (moment === "before") {
      const channelId = channelOf(world, "gallery");
      world.local.faults.onRest(
        "POST",
        new RegExp(`^/channels/${channelId}/messages$`),
        { status: 500 },
        100,
      );
      const added = nextEvent(world.events, "log", ({ message }) => message.includes("favourite"));
      await bob.press(result, BUTTON);
      await vi.waitFor(async () => expect(await world.favourites.pending()).toHaveLength(1));
      await world.bot.stop();
      await added;
      world.local.faults.clearRest();
    } else {
      await (await bob.press(result, BUTTON)).done();
      await world.bot.stop();
      // As if the program had ended before it could note the message.
      const favourite = (await world.favourites.get(jobId))!;
      await world.favourites.remove(jobId);
      for (const { seq } of await world.records.erasedMessages(0, 10))
        await world.records.messageSettled(seq);
      await world.favourites.add({ ...favourite, addedBy: bob.id });
    }
    const bot = makeBot(world);
    await bot.start();
    await vi.waitFor(async () => expect(await world.favourites.pending()).toEqual([]), 10_000);
    expect(inGallery(world)).toHaveLength(1);
    expect((await world.favourites.get(jobId))?.messageId).toBe(inGallery(world)[0]?.id);
    await bot.stop();
  },
);

it("an erasure takes one's results out of the gallery, unless the messages are to stay", async () => {
  const world = await startWorld();
  await choose(world, "gallery");
  const alice = world.local.member("alice");
  for (const messages of [false, true]) {
    const { handle, jobId } = await draw(world);
    const result = await handle.waitFor((it) => hasButton(it, BUTTON));
    await (await alice.press(result, BUTTON)).done();
    const before = inGallery(world).length;
    const erased = await alice.slash("mydata erase", { confirm: true, messages });
    await erased.waitFor(({ content }) =>
      /messages (?:deleted|stay|are kept)|message deleted|still/.test(content),
    );
    expect(inGallery(world)).toHaveLength(messages ? before - 1 : before);
    expect(await world.favourites.get(jobId)).toBeUndefined();
  }
});

it("a reaction with the chosen emoji puts a result there once, and no other message or emoji does", async () => {
  const world = await startWorld();
  const [admin, alice, bob] = ["admin", "alice", "bob"].map((name) => world.local.member(name));
  const { message: early } = await draw(world);
  const favourites = async () => (await world.favourites.pending()).length + inGallery(world).length;
  bob!.react(early);
  await choose(world, "gallery");
  const { jobId, message } = await draw(world);
  const said = alice!.say("A cat");
  for (const target of [said, early]) bob!.react(target, "👍");
  bob!.react(said);
  bob!.react(message, "👍");
  bob!.react(message, "⭐️");
  await vi.waitFor(() => expect(inGallery(world)).toHaveLength(1));
  expect(await world.favourites.get(jobId)).toMatchObject({ userId: alice!.id, addedBy: bob!.id });
  expect(inGallery(world)[0]!.content).toMatch(new RegExp(`^By <@${alice!.id}>: `));
  // Again, also of somebody else, and after its button.
  bob!.react(message, "⭐️");
  bob!.react(message);
  alice!.react(message);
  const again = await (await alice!.press(message, BUTTON)).done();
  expect(again?.content).toMatch(/^It is in the gallery already: /);
  expect(await favourites()).toBe(1);

  const refused = await admin!.slash("settings set", { name: "reaction", value: "star" });
  expect(refused.message?.content).toContain("takes one emoji such as `⭐`, or `off`");
  await admin!.slash("settings set", { name: "reaction", value: "🔥", scope: "server" });
  bob!.react(early);
  bob!.react(early, "🔥");
  await vi.waitFor(() => expect(inGallery(world)).toHaveLength(2));
  await admin!.slash("settings set", { name: "reaction", value: "off", scope: "server" });
  const { message: flagged } = await draw(world, { seed: "5" }, FLAGGED);
  bob!.react(flagged, "🔥");
  await admin!.slash("settings reset", { name: "reaction", scope: "server" });
  // Flagged pictures stay out of a gallery that is not age-restricted, as with the button.
  const withheld = await (await bob!.press(flagged, BUTTON)).done();
  expect(withheld?.content).toContain("not age-restricted");
  bob!.react(flagged);
  const { message: last } = await draw(world, { seed: "6" });
  bob!.react(last);
  await vi.waitFor(() => expect(inGallery(world)).toHaveLength(3));
  await vi.waitFor(async () => expect(await favourites()).toBe(3));
  expect(inGallery(world)).toHaveLength(3);
});
