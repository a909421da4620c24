import { expect, it, vi } from "vitest";
import { DAY_MS, dayOf } from "../../src/core/quota.js";
import { isFinal, nextEvent, PASSED, startWorld, type World } from "../support/bot-world.js";
import { textOf } from "../support/message.js";
import { oneDevice } from "../support/paces.js";

const MINUTE = 60_000;
const midnight = () => Math.floor(((dayOf(Date.now()) + 1) * DAY_MS) / 1000);

async function ask(world: World, name: string) {
  const enqueued = nextEvent(world.events, "job.enqueued");
  const handle = await world.local.member(name).slash("compare", { prompt: "A cat" });
  await enqueued;
  return handle;
}

/** Draws a comparison of a person that takes so many minutes. */
async function use(world: World, name: string, minutes: number) {
  const handle = await ask(world, name);
  const { loop, queue } = world;
  await loop.rewrite(await loop.claim("text"));
  const claim = await loop.claim("image");
  const picture = (file: string) => ({ file, ms: (minutes / 2) * MINUTE, judgement: PASSED });
  await queue.savePictures(claim, 0, {
    pictures: { baseline: picture("0-baseline.png"), optimized: picture("0-optimized.png") },
    comparison: "0-comparison.png",
  });
  await loop.complete(claim);
  await handle.waitFor(isFinal);
  return handle;
}

const set = (world: World, options: Record<string, string>) =>
  world.local.member("admin").slash("settings set", { scope: "server", ...options });

it("a server's minutes: little left is told privately, none is refused with its end, and the next day adds some", async () => {
  let aheadMs = 0;
  const world = await startWorld({ bot: { now: () => Date.now() + aheadMs } });
  const alone = await set(world, { name: "userMinutes", value: "10", scope: "channel" });
  expect(alone.message?.content).toContain("whole server");
  await set(world, { name: "userMinutes", value: "10" });
  const plenty = await use(world, "alice", 26);
  expect(plenty.followUps).toEqual([]);
  await vi.waitFor(async () =>
    expect(await world.usage.spent({ userId: world.local.member("alice").id })).toHaveLength(1),
  );

  const queue = await world.local.member("alice").slash("queue");
  expect(textOf(queue.message)).toContain(
    `**Minutes of the card**\nYou have 4 min left; 26 were used today. Each day adds 10, next <t:${midnight()}:R>.`,
  );
  const scarce = await use(world, "alice", 2);
  expect(scarce.followUps).toEqual([]);
  const warned = await use(world, "alice", 30);
  await vi.waitFor(() => expect(warned.followUps).toHaveLength(1));
  expect(warned.followUps[0]!.flags & 64).toBe(64);
  expect(warned.followUps[0]!.content).toMatch(
    /^You have 2 min left; 28 were used today\. .* finished all the same\.$/,
  );

  const refused = await world.local.member("alice").slash("compare", { prompt: "A dog" });
  expect(refused.ephemeral).toBe(true);
  const free = midnight() + (2 * DAY_MS) / 1000;
  expect(refused.message?.content).toBe(
    `You have used the minutes of the card for now, of which each day adds 10. There are some again <t:${free}:R>.`,
  );
  // Everyone else has their own.
  await use(world, "bob", 1);
  aheadMs = 3 * DAY_MS;
  await use(world, "alice", 1);
});

it("roles of a server's choice are free of its minutes, not of the operator's", async () => {
  const world = await startWorld({
    bot: {
      limits: { ...LIMITS, minutes: { user: 5, server: 100 } },
    },
  });
  await set(world, { name: "serverMinutes", value: "10" });
  await use(world, "bob", 31);
  const refused = await world.local.member("alice").slash("compare", { prompt: "A dog" });
  expect(refused.message?.content).toContain("This server has used the minutes of the card");
  const [role] = rolesOf(world, "alice");
  await set(world, { name: "freeRoles", value: `<@&${role}>` });
  await use(world, "alice", 1);
  // The operator's own limit stays: fifteen minutes at most.
  const bob = await world.local.member("bob").slash("compare", { prompt: "A dog" });
  expect(bob.message?.content).toContain(
    "You have used the minutes of the card for now, of which each day adds 5",
  );
});

it("what waits counts as used already, and a draft is refused when it is started", async () => {
  const world = await startWorld({
    bot: { limits: { ...LIMITS, minutes: { user: 5 } }, paces: () => oneDevice(() => 8 * MINUTE) },
  });
  const draft = await world.local
    .member("alice")
    .slash("batch", { file: { name: "prompts.txt", data: "A cat\nA dog\n" } });
  const shown = await draft.waitFor((message) => message.components.length > 0);
  await ask(world, "alice");
  await ask(world, "alice");
  const third = await world.local.member("alice").slash("compare", { prompt: "A hen" });
  expect(third.ephemeral).toBe(true);
  expect(third.message?.content).toContain("You have used the minutes");
  const started = await world.local.member("alice").press(shown, "Start");
  await vi.waitFor(() => expect(started.followUps[0]?.content).toContain("You have used the minutes"));
  expect(await world.drafts.idsOfUser(world.local.member("alice").id)).toHaveLength(1);
});

it("an erasure takes the record of one's use along, and an export has it", async () => {
  const world = await startWorld();
  const alice = world.local.member("alice");
  await use(world, "alice", 2);
  const exported = await alice.slash("mydata export");
  const message = await exported.waitFor(({ attachments }) => attachments.length > 0);
  const { usage } = JSON.parse((await alice.download(message.attachments[0]!)).toString());
  expect(usage).toEqual([{ guildId: expect.any(String), day: dayOf(Date.now()), ms: 2 * MINUTE }]);
  const erased = await alice.slash("mydata erase", { confirm: true });
  await erased.waitFor(
    ({ content }) => content.includes("messages deleted") || content.includes("message deleted"),
  );
  expect(await world.usage.ofUser(alice.id)).toEqual([]);
});

const LIMITS = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 };

function rolesOf({ local: { state } }: World, name: string): readonly string[] {
  const user = [...state.users.values()].find(({ username }) => username === name)!;
  return [...state.guilds.values()].flatMap((guild) => guild.members.get(user.id)?.roleIds ?? []);
}
