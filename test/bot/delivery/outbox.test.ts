import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ApiMessage } from "local-discord/testing";
import { VirtualClock } from "local-discord/testing";
import sharp from "sharp";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Bot } from "../../../src/bot/bot.js";
import {
  isFinal,
  makeBot,
  nextEvent,
  noisePicture,
  startWorld,
  type World,
  type WorldOptions,
  withFailing,
} from "../../support/bot-world.js";

const text = (message: ApiMessage | null) => message?.embeds[0]?.description ?? "";
const MINUTE = 60_000;
const REPLY = /messages\/%40original$/;
const POST = /^\/channels\/\d+\/messages$/;

/** A world with one accepted job of alice in #general, or elsewhere. */
async function startWithJob(options: WorldOptions = {}, channel = "general", command = "compare") {
  const world = await startWorld(options);
  const handle = await world.local.member("alice").slash(command, { prompt: "A cat" }, { channel });
  await handle.done();
  const [job] = await world.queue.open();
  return { ...world, handle, jobId: job!.id };
}

async function restart(world: World, options: Parameters<typeof makeBot>[1] = {}): Promise<Bot> {
  await world.bot.stop();
  const bot = makeBot(world, options);
  onTestFinished(() => bot.stop());
  await bot.start();
  return bot;
}

/** The bot's clock runs ahead by 16 minutes once `late` is set: then tokens of before are over for it. */
function lateClock() {
  const clock = { late: false, now: () => Date.now() + (clock.late ? 16 * MINUTE : 0) };
  return clock;
}

describe("a result that nobody delivered before the restart", () => {
  it("goes into the reply while its token lives", async () => {
    const world = await startWithJob();
    await world.bot.stop();
    await world.loop.runNext();
    const delivered = nextEvent(world.events, "job.delivered");
    await restart(world);
    expect((await delivered).messageId).toBe(world.handle.message?.id);
    expect(isFinal(world.handle.message!)).toBe(true);
    expect(world.local.member("alice").messages()).toHaveLength(1);
  });

  it("goes to the channel afterwards, and mentions who asked", async () => {
    const clock = lateClock();
    const world = await startWithJob();
    await world.bot.stop();
    await world.loop.runNext();
    clock.late = true;
    const delivered = nextEvent(world.events, "job.delivered");
    const patches = world.local.transcript.rest("PATCH", REPLY).length;
    await restart(world, { now: clock.now });
    const { messageId } = await delivered;
    const message = world.local
      .member("alice")
      .messages()
      .find(({ id }) => id === messageId)!;
    expect(message.id).not.toBe(world.handle.message?.id);
    expect(message.content).toBe(`<@${world.local.member("alice").id}>, your comparison is ready.`);
    expect(message.mentions.map(({ username }) => username)).toEqual(["alice"]);
    expect(text(message)).toContain("A cat**, highly detailed");
    expect(message.attachments).toHaveLength(2);
    expect(world.local.transcript.rest("PATCH", REPLY)).toHaveLength(patches);
    expect(world.local.transcript.rest("POST", POST)[0]?.request).toMatchObject({
      nonce: world.jobId,
      enforce_nonce: true,
      allowed_mentions: { parse: [], users: [world.local.member("alice").id] },
    });
    expect((await world.queue.get(world.jobId))?.delivery.messageId).toBe(messageId);
  });
});

describe("a reply that can't be edited any more", () => {
  it("is learnt from Discord when its token ended earlier than we thought", async () => {
    const clock = new VirtualClock(Date.now());
    // A clock that stands still never opens a new window of a rate limit.
    const world = await startWithJob({ local: { clock, limits: { globalPerSecond: 0 } } });
    clock.advance(16 * MINUTE);
    const delivered = nextEvent(world.events, "job.delivered");
    await world.loop.runNext();
    const { messageId } = await delivered;
    expect(world.local.transcript.rest("PATCH", REPLY).at(-1)).toMatchObject({
      status: 401,
      response: { code: 50027 },
    });
    const message = world.local
      .member("alice")
      .messages()
      .find(({ id }) => id === messageId);
    expect(message?.content).toContain("your comparison is ready");
  });

  it("because someone deleted it, is replaced by a message", async () => {
    const world = await startWithJob();
    world.local.state.deleteMessage(world.local.state.messages.get(world.handle.message!.id)!);
    const delivered = nextEvent(world.events, "job.delivered");
    await world.loop.runNext();
    await delivered;
    expect(world.local.transcript.rest("PATCH", REPLY).at(-1)).toMatchObject({ response: { code: 10008 } });
    const messages = world.local.member("alice").messages();
    expect(messages).toHaveLength(1);
    expect(messages[0]?.content).toContain("your comparison is ready");
  });
});

describe("a channel that does not take the late message", () => {
  it("is passed over: the person who asked gets the result directly, and is told why", async () => {
    const clock = lateClock();
    const world = await startWithJob({ bot: { now: clock.now } }, "read-only");
    clock.late = true;
    const delivered = nextEvent(world.events, "job.delivered");
    await world.loop.runNext();
    await delivered;
    const message = await world.local.member("alice").waitFor(isFinal, { channel: "dm" });
    expect(message.content).toContain("I could not post where you asked for this");
    expect(message.attachments).toHaveLength(2);
  });

  it("ends the attempts if the person takes no messages either, and /show still has the result", async () => {
    const clock = lateClock();
    const world = await startWithJob({ bot: { now: clock.now } }, "read-only");
    clock.late = true;
    const alice = world.local.member("alice");
    world.local.state.users.get(alice.id)!.acceptsDirectMessages = false;
    const gaveUp = nextEvent(world.events, "log", ({ message }) => message.includes("stays stored"));
    await world.loop.runNext();
    await gaveUp;
    const job = await world.queue.get(world.jobId);
    expect(job?.state).toBe("done");
    expect(job?.delivery.abandoned).toMatch(/^forbidden: .*50007/);
    expect(await world.store.deliveries.undelivered()).toEqual([]);
    const handle = await alice.slash("show", { id: world.jobId });
    expect((await handle.waitFor(isFinal)).attachments).toHaveLength(2);
  });
});

describe("a crash between sent and recorded", () => {
  it.each([
    ["in the reply", false, false, 300_000],
    ["in the channel", true, true, 300_000],
    ["in the channel, when the nonce is forgotten,", true, true, 0],
    ["in the reply, whose token ends before the next start,", false, true, 0],
  ])("%s does not post twice", async (_name, late, lateAfter, nonceMs) => {
    const clock = lateClock();
    // Three starts in a few seconds would wait for the rate limit of the gateway's address.
    const limits = { globalPerSecond: 0, identifyMs: 0, nonceMs };
    const world = await startWithJob({ bot: { now: clock.now }, local: { limits } });
    await world.bot.stop();
    await world.loop.runNext();
    clock.late = late;

    const dead = withFailing(world.store, "deliveries", "delivered", new Error("the process is gone"));
    const crashed = makeBot({ ...world, store: dead }, { now: clock.now });
    const notRecorded = nextEvent(world.events, "log", ({ message }) =>
      message.includes("could not be recorded"),
    );
    await crashed.start();
    await notRecorded;
    await crashed.stop();
    const before = world.local.member("alice").messages();
    expect(before).toHaveLength(late ? 2 : 1);
    clock.late = lateAfter;
    // A nonce of no life is still good within its own millisecond.
    await new Promise((resolve) => setTimeout(resolve, 5));

    const delivered = nextEvent(world.events, "job.delivered");
    await restart(world, { now: clock.now });
    expect((await delivered).messageId).toBe(before.at(-1)?.id);
    expect(
      world.local
        .member("alice")
        .messages()
        .map(({ id }) => id),
    ).toEqual(before.map(({ id }) => id));
  });
});

describe("trouble on the way", () => {
  it("is waited out, longer each time", async () => {
    const world = await startWithJob();
    // discord.js itself tries a 5xx four times, so this is three of our attempts.
    world.local.faults.onRest("PATCH", REPLY, { status: 503 }, 12);
    const delivered = nextEvent(world.events, "job.delivered");
    const claim = await world.loop.claim("text");
    await world.loop.fail(claim, "OUT_OF_MEMORY");
    await delivered;
    expect((await world.queue.get(world.jobId))?.delivery).toMatchObject({ attempts: 3, abandoned: null });
    expect(isFinal(world.handle.message!)).toBe(true);
  });

  it("with the message itself is told in words instead", async () => {
    const world = await startWithJob();
    const claim = await world.loop.claim("text");
    await world.handle.waitFor((m) => text(m).includes("loading"));
    world.local.faults.onRest("PATCH", REPLY, { status: 400 });
    const delivered = nextEvent(world.events, "job.delivered");
    await world.loop.fail(claim, "INTERNAL");
    await delivered;
    expect(world.handle.message?.content).toMatch(/^Something went wrong inside the bot\. .* Job `\w+`\.$/);
    expect(world.handle.message?.embeds).toEqual([]);
  });
});

describe("pictures larger than the channel takes", () => {
  it("are made smaller, and the message says so", async () => {
    const world = await startWithJob({ local: { limits: { attachmentBytes: 150_000 } } });
    const delivered = nextEvent(world.events, "job.delivered");
    await world.loop.runNext(() => noisePicture(256));
    await delivered;
    const message = world.handle.message!;
    expect(text(message)).toContain("smaller copies");
    expect(message.attachments.map(({ filename }) => filename)).toEqual([
      expect.stringMatching(/-baseline\.webp$/),
      expect.stringMatching(/-optimized\.webp$/),
    ]);
    for (const file of message.attachments) {
      expect(file.size).toBeLessThanOrEqual(150_000);
      const picture = sharp(await world.local.member("alice").download(file));
      expect(await picture.metadata()).toMatchObject({ format: "webp", width: 256 });
    }
    expect(world.local.transcript.rest("PATCH", REPLY).filter(({ status }) => status >= 400)).toEqual([]);
  });

  it("are shrunk again if Discord accepts less than it had said", async () => {
    // Each file is within its limit, but a body may not hold the three of them.
    const world = await startWithJob({ local: { limits: { requestBytes: 1_000_000 } } });
    const delivered = nextEvent(world.events, "job.delivered");
    await world.loop.runNext(() => noisePicture(512));
    await delivered;
    expect(text(world.handle.message)).toContain("smaller copies");
    expect(world.handle.message?.attachments).toHaveLength(2);
  });
});

describe("a job without a result", () => {
  it.each([
    ["OUT_OF_MEMORY", "There was not enough memory for this."],
    ["CHECKPOINT_MISSING", "The model that this needs is not installed."],
    ["WORKER_STALLED", "The process that runs the model stopped answering."],
  ] as const)("that failed with %s ends in a sentence and nothing internal", async (code, sentence) => {
    const world = await startWithJob();
    await world.loop.fail(await world.loop.claim("text"), code);
    const message = await world.handle.waitFor(isFinal);
    expect(text(message)).toContain(sentence);
    expect(text(message)).toContain(`Job \`${world.jobId}\``);
    expect(JSON.stringify(message)).not.toContain("/a/path");
  });

  it("names the values of its failure in its message, in /show and in /admin failed, after a restart too", async () => {
    const sentence = "The option `steps` takes 999 at most.";
    const world = await startWithJob();
    await world.loop.fail(await world.loop.claim("text"), "INPUT_OPTION", { option: "steps", limit: 999 });
    expect(text(await world.handle.waitFor(isFinal))).toContain(sentence);
    await world.bot.stop();
    await restart(world);
    const shown = await world.local.member("alice").slash("show", { id: world.jobId });
    expect(text(await shown.waitFor(isFinal))).toContain(sentence);
    const failed = await world.local.member("admin").slash("admin failed");
    expect(failed.message?.content).toContain(`1 attempt: INPUT_OPTION. ${sentence}`);
  });

  it("whose pictures are gone from the disk still gives its texts", async () => {
    const world = await startWithJob();
    await world.bot.stop();
    await world.loop.runNext();
    await rm(join(world.picturesDir, world.jobId), { recursive: true });
    await restart(world);
    const message = await world.handle.waitFor(isFinal);
    expect(text(message)).toContain("A cat**, highly detailed");
    expect(text(message)).toContain("no longer on the bot's disk");
    expect(message.attachments).toEqual([]);
  });
});

describe("a long and hostile prompt", () => {
  it("stays inside its block and within Discord's limits", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const prompt = `\`\`\`@everyone <@${alice.id}> **x** ${"🐎 ".repeat(300)}`;
    const handle = await alice.slash("compare", { prompt, seed: 1 });
    await handle.done();
    await world.loop.runNext();
    const message = await handle.waitFor(isFinal);
    expect(message.mentions).toEqual([]);
    expect(text(message).length).toBeLessThanOrEqual(4096);
    expect(text(message).match(/```/g)).toHaveLength(2);
    expect(message.attachments.every(({ description }) => (description ?? "").length <= 1024)).toBe(true);
  });
});
