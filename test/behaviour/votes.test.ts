import Database from "better-sqlite3";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { verdictOf } from "../../src/bot/words/english/votes.js";
import { wilson } from "../../src/core/statistics/shares.js";
import {
  isFinal,
  nextEvent,
  startWorld,
  type World,
  type WorldOptions,
  withFailing,
} from "../support/bot-world.js";
import { textOf } from "../support/message.js";

async function blindPair(world: World, options: Record<string, string | number | boolean> = { blind: true }) {
  const enqueued = nextEvent(world.events, "job.enqueued");
  const delivered = nextEvent(world.events, "job.delivered");
  const alice = world.local.member("alice");
  const handle = await alice.slash("compare", { prompt: "A cat", seed: 7, ...options });
  const { jobId } = await enqueued;
  await world.loop.runNext();
  const message = await handle.waitFor(isFinal);
  await delivered;
  return { alice, handle, message, jobId };
}

async function start(options: WorldOptions = {}) {
  const world = await startWorld(options);
  return { world, bob: world.local.member("bob"), ...(await blindPair(world)) };
}

describe("a blind comparison", () => {
  it("never shows which picture is which, neither while it is drawn nor after", async () => {
    const { world, alice, message, jobId } = await start();
    const posted = JSON.stringify(message);
    for (const secret of ["baseline", "optimized", "highly detailed", "artstation"]) {
      expect(posted).not.toContain(secret);
    }
    const edits = JSON.stringify(world.local.transcript.rest("PATCH", /original/).map((it) => it.request));
    expect(edits).not.toContain("highly detailed");
    expect(message.attachments.map(({ filename }) => filename)).toEqual([`${jobId}-A.png`, `${jobId}-B.png`]);
    for (const file of message.attachments) {
      const { comments } = await sharp(await alice.download(file)).metadata();
      expect(comments ?? []).toEqual([]);
    }
  });

  it("puts the sides where the ballot says: the pixels are those of the two pictures", async () => {
    const { world, alice, message, jobId } = await start();
    const left = await sharp(await alice.download(message.attachments[0]!)).stats();
    // The stand-in draws the baseline navy (no red) and the other half gold.
    const isBaseline = left.channels[0]!.mean < 10;
    expect((await world.votes.ballot(jobId))?.left).toBe(isBaseline ? "baseline" : "optimized");
  });

  it("counts a person's first vote, and tells the voter alone which picture was which", async () => {
    const { world, bob, alice, message, jobId } = await start();
    const first = await bob.press(message, "A");
    expect(first.ephemeral).toBe(true);
    const left = (await world.votes.ballot(jobId))!.left;
    expect(first.message?.content).toContain(
      left === "optimized"
        ? "Your vote counts: A, the rewrite. A was the rewrite, B was the prompt as written."
        : "Your vote counts: A, the prompt as written. A was the prompt as written, B was the rewrite.",
    );
    expect(first.message?.content).toContain("A cat**, highly detailed, artstation**");
    await alice.press(message, "Tie");
    await bob.press(message, "B");
    await bob.press(message, "Both bad");
    const tally = await world.votes.tally(jobId);
    expect(tally).toMatchObject({ tie: 1, bad: 0, [left]: 1 });
    expect(tally.optimized + tally.baseline).toBe(1);
  });

  it("gives a voter one private answer, however often they press", async () => {
    const { world, bob, message } = await start();
    const first = await bob.press(message, "A");
    const answers = () =>
      [...world.local.state.messages.values()].filter(({ content }) => content.includes("vote counts"));
    expect(answers()).toHaveLength(1);
    for (const label of ["B", "Tie", "B"]) await bob.press(message, label);
    const changed = await first.waitFor((m) => m.content.includes("Your first vote counts: A"));
    expect(changed.content).toContain("your vote can no longer change");
    expect(answers()).toHaveLength(1);
    expect(world.problems).toEqual([]);
  });

  it("is two tiles with their letters, also as spoilers", async () => {
    const world = await startWorld();
    await world.settings.set("channel", world.local.channelId("general"), "spoiler", true, "admin");
    const { message, jobId, alice } = await blindPair(world);
    expect(message.attachments.map(({ filename }) => filename)).toEqual([
      `SPOILER_${jobId}-A.png`,
      `SPOILER_${jobId}-B.png`,
    ]);
    for (const file of message.attachments) {
      const picture = sharp(await alice.download(file));
      const strip = picture.extract({ left: 0, top: 0, width: 384, height: 48 });
      const { channels } = await sharp(await strip.png().toBuffer()).stats();
      expect(channels[0]!.max).toBeGreaterThan(200);
    }
  });

  it.each(["A cat", " a CAT "])(
    "is not held where the rewrite is %j: it is shown openly",
    async (rewrite) => {
      const world = await startWorld();
      const enqueued = nextEvent(world.events, "job.enqueued");
      const alice = world.local.member("alice");
      const handle = await alice.slash("compare", { prompt: "A cat", blind: true });
      const { jobId } = await enqueued;
      const claim = await world.loop.claim("text");
      const candidates = [{ text: rewrite, tokens: 1, score: 0 }];
      await world.queue.saveText(claim, 0, { rewrite, candidates, notes: [{ code: "unchanged" }] });
      await world.queue.advance(claim);
      await world.loop.draw(await world.loop.claim("image"));
      const message = await handle.waitFor(isFinal);
      expect(textOf(message)).toContain("Promptist changed nothing, so there is nothing to vote on.");
      expect(textOf(message).split("changed nothing")).toHaveLength(2);
      const pressable = JSON.stringify(message.components);
      expect(pressable).not.toContain("vote:");
      expect(pressable).toContain("info:");
      expect(await world.votes.ballot(jobId)).toBeUndefined();
    },
  );

  it("counts no vote on an unchanged pair whose ballot an earlier version opened", async () => {
    const { world, bob, handle, message, jobId } = await start();
    const database = new Database(world.databaseFile);
    database.prepare("update items set rewrite = prompt").run();
    database.close();
    await bob.press(message, "A");
    const shown = await handle.waitFor((m) => textOf(m).includes("nothing to vote on"));
    expect(JSON.stringify(shown.components)).not.toContain("vote:");
    expect((await world.votes.ballot(jobId))?.closedAt).not.toBeNull();
    expect(await world.votes.keys({})).toEqual([]);
  });

  it("is revealed to all by the one who asked, not by others; then nobody votes", async () => {
    const { world, bob, alice, handle, message, jobId } = await start();
    await bob.press(message, "Both bad");
    const refused = await bob.press(message, "Reveal to all");
    expect(refused.ephemeral).toBe(true);
    expect(refused.message?.content).toContain("Only the person who asked");
    await alice.press(message, "Reveal to all");
    const shown = await handle.waitFor((m) =>
      textOf(m).includes("**Votes** rewrite 0 · as written 0 · tie 0 · both bad 1"),
    );
    expect(textOf(shown)).toContain("A cat**, highly detailed");
    expect(shown.attachments.map(({ filename }) => filename)).toEqual([
      `${jobId}-7-baseline.png`,
      `${jobId}-7-optimized.png`,
    ]);
    expect(await world.votes.vote(jobId, bob.id, "left")).toBe("closed");
    expect(world.problems).toEqual([]);
  });

  it("is not opened, and not given away, by a message other than its own", async () => {
    const world = await startWorld({
      wrapStore: (store) => withFailing(store, "deliveries", "undelivered", new Error("not yet")),
    });
    const enqueued = nextEvent(world.events, "job.enqueued");
    const alice = world.local.member("alice");
    await alice.slash("compare", { prompt: "A cat", blind: true });
    const { jobId } = await enqueued;
    await world.loop.runNext();
    const shown = await (await alice.slash("show", { id: jobId })).waitFor(isFinal);
    expect(textOf(shown)).toContain("This is a blind vote, so you will see this once the vote is over.");
    expect(shown.attachments).toEqual([]);
    expect(shown.components).toEqual([]);
    expect(JSON.stringify(shown)).not.toContain("highly detailed");
    expect(await world.votes.ballot(jobId)).toBeUndefined();
  });

  it("is a channel's setting, and reveals itself when its time is over", async () => {
    let time = Date.now();
    const world = await startWorld({ bot: { now: () => time } });
    const channel = world.local.channelId("general");
    await world.settings.set("channel", channel, "blind", true, "admin");
    await world.settings.set("channel", channel, "revealMinutes", 0.01, "admin");
    // The clock of the bot stands before the end when the ballot opens, and after it when the timer fires.
    const pair = blindPair(world, {});
    const { handle, jobId } = await pair;
    expect((await world.votes.ballot(jobId))?.closesAt).toBe(time + 600);
    time += 1000;
    await handle.waitFor((m) => textOf(m).includes("**Votes**"));
    expect((await world.votes.ballot(jobId))?.closedAt).not.toBeNull();
  });
});

describe("Wilson's interval", () => {
  // Reference: R's prop.test(x, n, correct = FALSE), to four digits.
  it.each([
    [28, 48, 0.443, 0.712],
    [0, 10, 0, 0.2775],
    [10, 10, 0.7225, 1],
    [5, 10, 0.2366, 0.7634],
  ])("of %d in %d", (wins, n, low, high) => {
    const interval = wilson(wins, n);
    expect(interval.low).toBeCloseTo(low, 3);
    expect(interval.high).toBeCloseTo(high, 3);
  });
});

describe("/stats", () => {
  it("says when there are too few, and shows rate, interval and n once there are enough", async () => {
    const { world, bob, message, jobId } = await start();
    const nobody = await (await bob.slash("stats show")).waitFor((m) => m.embeds.length > 0);
    expect(textOf(nobody)).toContain("No votes yet.");
    expect(textOf(nobody)).toMatch(/Use <\/compare:\d+> `blind:True`/);
    expect(nobody.attachments).toEqual([]);
    await bob.press(message, "A");
    const few = await (await bob.slash("stats show")).waitFor((m) => m.embeds.length > 0);
    expect(textOf(few)).toContain("Too few to tell: 10 are needed.");

    const left = (await world.votes.ballot(jobId))!.left === "optimized" ? "left" : "right";
    for (let voter = 0; voter < 14; voter++) {
      await world.votes.vote(jobId, `7000000000000000${voter + 10}`, voter < 10 ? left : "tie");
    }
    await world.votes.vote(jobId, "700000000000000099", "bad");
    const won = left === "left" ? 11 : 10;
    const rate =
      left === "left" ? "100 % (95 % confidence: 74 % to 100 %)" : "91 % (95 % confidence: 62 % to 98 %)";
    expect(await world.votes.total({})).toEqual({ optimized: won, baseline: 11 - won, tie: 4, bad: 1 });
    const handle = await bob.slash("stats show", { by: "mode" });
    const shown = await handle.waitFor((m) => m.embeds.length > 0);
    expect(textOf(shown)).toContain(`**All votes**: ${rate}, n = 11, 4 ties, 1 both bad.`);
    expect(textOf(shown)).toContain(`**beam**: ${rate}`);
    expect(verdictOf(await world.votes.total({})).sentence).toContain(rate);
    const ranked = await (await bob.slash("stats show", { by: "rewriter" })).waitFor(
      (m) => m.embeds.length > 0,
    );
    expect(textOf(ranked)).toMatch(
      /\*\*1\. Promptist\*\*: would win \d\d % against the prompt as written \(95 % confidence: \d\d % to \d\d %\), n = 11\.\n\*\*2\. As written\*\*: what the others are measured by, n = 11\./,
    );
    const picture = await fetch(shown.embeds[0]!.image!.url);
    expect((await sharp(Buffer.from(await picture.arrayBuffer())).metadata()).width).toBe(760);
  });

  it("exports votes as JSON lines: all to a manager, their own to others", async () => {
    const { world, alice, bob, message, jobId } = await start();
    const none = await bob.slash("stats export");
    expect((await none.done()).content).toContain("Nobody has voted yet");
    await bob.press(message, "Tie");
    await alice.press(message, "Both bad");
    const file = async (name: string) => {
      const person = world.local.member(name);
      const handle = await person.slash("stats export");
      const answer = await handle.waitFor((m) => m.attachments.length === 1);
      expect(handle.ephemeral).toBe(true);
      const lines = (await person.download(answer.attachments[0]!)).toString("utf8").trim().split("\n");
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    };
    expect(await file("admin")).toHaveLength(2);
    expect(await file("bob")).toMatchObject([
      { job: jobId, voter: bob.id, choice: "tie", prompt: "A cat", seed: 7, mode: "beam" },
    ]);
  });
});
