import { expect, it } from "vitest";
import { isFinal, nextEvent, startWorld, type World } from "../support/bot-world.js";

/** Votes of ten people for the rewrite of a pair. */
async function votes(world: World, prompt: string): Promise<void> {
  const alice = world.local.member("alice");
  const enqueued = nextEvent(world.events, "job.enqueued");
  const delivered = nextEvent(world.events, "job.delivered");
  await alice.slash("compare", { prompt, blind: true });
  const { jobId } = await enqueued;
  await world.loop.runNext();
  await delivered;
  const left = (await world.votes.ballot(jobId))!.left === "optimized" ? "left" : "right";
  for (let voter = 0; voter < 10; voter++)
    await world.votes.vote(jobId, `7000000000000000${voter + 10}`, voter < 8 ? left : "tie");
}

it("/taste shows what the votes have taught, exports it, and forgets it for a manager", async () => {
  const world = await startWorld();
  const [admin, bob] = [world.local.member("admin"), world.local.member("bob")];
  const shown = async () => {
    const handle = await bob.slash("taste show");
    return (await handle.waitFor((message) => message.embeds.length > 0)).embeds[0]!.description!;
  };
  expect(await shown()).toContain("Nothing is known yet");
  const none = await bob.slash("taste export");
  expect((await none.done()).content).toContain("Nothing is known yet");

  for (const prompt of ["A cat", "A dog"]) await votes(world, prompt);
  const text = await shown();
  expect(text).toContain("Learned from 16 blind votes.");
  expect(text).toMatch(
    /__Liked__\n\*\*(artstation|highly detailed)\*\*: [56]\d % \(4\d % to 7\d %\), n = 16/,
  );
  expect(text).not.toContain("Disliked");
  const { embeds } = await (await bob.slash("taste show")).done();
  expect(embeds[0]!.image?.url).toContain("/taste.png");

  const file = (await (await bob.slash("taste export")).done()).attachments[0]!;
  const lines = new TextDecoder()
    .decode(await bob.download(file))
    .trim()
    .split("\n");
  expect(
    lines
      .map((line) => JSON.parse(line))
      .map(({ phrase, votes }) => [phrase, votes])
      .sort(),
  ).toEqual([
    ["artstation", 16],
    ["highly detailed", 16],
  ]);

  expect((await (await bob.slash("taste forget", { sure: true })).done()).content).toContain(
    "manage this server",
  );
  const unsure = await (await admin.slash("taste forget", { sure: false })).done();
  expect(unsure.content).toContain("Nothing was forgotten");
  expect(await shown()).toBe(text);
  expect((await (await admin.slash("taste forget", { sure: true })).done()).content).toContain("Forgotten.");
  expect(await shown()).toContain("Nothing is known yet");
  expect(await world.votes.total({})).toMatchObject({ optimized: 16 });
  expect(world.problems).toEqual([]);
});

it("/taste is of a server, not of direct messages", async () => {
  const world = await startWorld();
  const bob = world.local.member("bob");
  const handle = await bob.slash("taste show", {}, { channel: "dm" });
  expect((await handle.done()).content).toContain("Every server has its own taste");
});

it("a rewrite that taste chose says why, and one press draws the first instead", async () => {
  const world = await startWorld();
  const bob = world.local.member("bob");
  const note = {
    code: "taste",
    isFirst: false,
    explores: false,
    propensity: 0.95,
    liked: ["sharp focus"],
    disliked: ["*artstation*"],
  } as const;
  const asked = nextEvent(world.events, "job.enqueued");
  const handle = await bob.slash("compare", { prompt: "A cat" });
  await asked;
  await world.loop.rewrite(await world.loop.claim("text"), [note], 1);
  await world.loop.draw(await world.loop.claim("image"));
  const message = await handle.waitFor(isFinal);
  const { description } = message.embeds[0]!;
  expect(description).toContain("A cat, sharp focus");
  expect(description).toContain("Chosen for this server: sharp focus +, \\*artstation\\* -.");

  const enqueued = nextEvent(world.events, "job.enqueued");
  await bob.press(message, "First rewrite");
  const { job } = await enqueued;
  expect(job.items[0]!.rewrite).toBe("A cat, highly detailed, artstation");
  expect(job.image.seed).toBe((await world.queue.get(job.parentId!))!.image.seed);
  await world.loop.runNext();
  expect(world.problems).toEqual([]);
});

it("a blind pair keeps the choice to itself until the vote, and /taste weighs it after", async () => {
  const world = await startWorld();
  const bob = world.local.member("bob");
  const note = {
    code: "taste",
    isFirst: true,
    explores: true,
    propensity: 0.05,
    liked: [],
    disliked: [],
  } as const;
  const enqueued = nextEvent(world.events, "job.enqueued");
  const delivered = nextEvent(world.events, "job.delivered");
  const handle = await bob.slash("compare", { prompt: "A cat", blind: true });
  const { jobId } = await enqueued;
  await world.loop.rewrite(await world.loop.claim("text"), [note]);
  await world.loop.draw(await world.loop.claim("image"));
  const message = await handle.waitFor(isFinal);
  expect(JSON.stringify(message)).not.toContain("one rewrite in ten");
  await delivered;
  const left = (await world.votes.ballot(jobId))!.left === "optimized" ? "left" : "right";
  await world.votes.vote(jobId, "700000000000000010", left);
  const shown = await (await bob.slash("taste show")).waitFor((answer) => answer.embeds.length > 0);
  expect(shown.embeds[0]!.description).toMatch(
    /Rewrites chosen so won 100 % \(21 % to 100 %, n = 1\)\. Always the first one would have won 100 % \(21 %/,
  );
  await bob.press(message, "Reveal to all");
  const revealed = await handle.waitFor((answer) => JSON.stringify(answer).includes("one rewrite in ten"));
  expect(JSON.stringify(revealed)).not.toContain("First rewrite");
});
