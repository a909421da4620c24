import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApiMessage, LocalDiscord, MessageRecord, RestFault } from "local-discord/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { COLORS } from "../../src/bot/messages/status-message.js";
import { draftLines } from "../../src/bot/words/english/batch.js";
import { errorSentence } from "../../src/bot/words/english/errors.js";
import type { Claim } from "../../src/db/queue.js";
import type { Store } from "../../src/db/store.js";
import { hasButton, startBatch } from "../support/batch.js";
import {
  isFinal,
  makeBot,
  nextEvent,
  noisePicture,
  PASSED,
  startWorld,
  type World,
  withFailing,
} from "../support/bot-world.js";

/**
 * Discord on bad days, route by route and state by state, with the real discord.js between. The promise is one: a command
 * that Discord has accepted ends in exactly one message, and one that it has not leaves nothing.
 */

const MINUTE = 60_000;
const END_COLORS: readonly number[] = [COLORS.done, COLORS.failed, COLORS.cancelled];
/** No rate limits and no wait between IDENTIFYs, so that the faults are the ones asked for. */
const FREE = { identifyMs: 0, globalPerSecond: 0 };
/** Only the first status is edited; what comes later on the route of the reply is the result. */
const RARE_EDITS = { editGapMs: 60_000, phaseGapMs: 60_000, requestTimeoutMs: 400, uploadTimeoutMs: 400 };

/** What people see of a job: its results and ends, wherever they are. */
function ends(local: LocalDiscord, jobId: string): MessageRecord[] {
  return [...local.state.messages.values()].filter(
    (message) =>
      message.authorId === local.state.bot.id &&
      END_COLORS.includes(message.embeds[0]?.color ?? -1) &&
      JSON.stringify([message.embeds, message.components]).includes(jobId),
  );
}

const WAYS: readonly (readonly [string, RestFault, number])[] = [
  ["429", { status: 429, retryAfterMs: 30 }, 2],
  // discord.js itself tries a 5xx four times.
  ["500", { status: 500 }, 5],
  ["503", { status: 503 }, 9],
  ["an answer that takes too long, though the work is done", { delayMs: 600 }, 1],
  ["a connection closed before the work", { close: "before" }, 1],
  ["a connection closed after the work", { close: "after" }, 1],
];

interface Flow {
  readonly method: string;
  readonly path: RegExp;
  /** After the acceptance of the command, the token's life is over for the bot. */
  readonly late?: boolean;
  readonly channel?: string;
  /** The fault is there already when the command comes. */
  readonly early?: boolean;
  /** Each result calls the person. */
  readonly ping?: boolean;
}

const FLOWS: readonly (readonly [string, Flow])[] = [
  ["the acknowledgement", { method: "POST", path: /\/callback$/, early: true }],
  ["the reply", { method: "PATCH", path: /messages\/%40original$/ }],
  ["a message in the channel", { method: "POST", path: /^\/channels\/\d+\/messages$/, late: true }],
  ["the look for an earlier message", { method: "GET", path: /^\/channels\/\d+\/messages$/, late: true }],
  [
    "the way to a person's direct messages",
    {
      method: "POST",
      path: /^\/users\/@me\/channels$|^\/users\/%40me\/channels$/,
      late: true,
      channel: "read-only",
    },
  ],
  ["the call that a result is there", { method: "POST", path: /^\/webhooks\/\d+\/[^/]+$/, ping: true }],
];

const PAIRS = JSON.stringify([
  { original: "one", optimized: "one, fine" },
  { original: "two", optimized: "two, fine" },
]);

/** Starts a batch of two pairs and draws its first with a contact sheet of it, as the loop does. */
async function withSheet(world: World): Promise<Claim> {
  await startBatch(world.local.member("alice"), { name: "pairs.json", data: PAIRS });
  const claim = await world.loop.claim("image");
  const folder = join(world.picturesDir, claim.job.id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "sheet.png"), await noisePicture(8));
  await world.queue.savePictures(claim, 0, {
    pictures: { baseline: { file: "a.png", ms: 1, judgement: PASSED } },
  });
  await world.queue.saveSheet(claim, { number: 1, file: "sheet.png", items: [0] });
  return claim;
}

/** How many messages carry a contact sheet of the job. */
const sheetsOf = ({ local }: World, jobId: string): number =>
  [...local.state.messages.values()].filter(({ attachments }) =>
    attachments.some(({ filename }) => filename.includes(`${jobId}-contact-sheet-1`)),
  ).length;

describe("a contact sheet", () => {
  it("is posted once, whatever the fault", { timeout: 60_000 }, async () => {
    const world = await startWorld({ local: { limits: FREE }, bot: { timing: RARE_EDITS } });
    for (const [way, fault, times] of WAYS) {
      const claim = await withSheet(world);
      world.local.faults.onRest("POST", /^\/channels\/\d+\/messages$/, fault, times);
      await expect.poll(() => world.store.deliveries.unsettledSheets(), { timeout: 20_000 }).toEqual([]);
      await world.local.quiet({ idleMs: 150 });
      expect(sheetsOf(world, claim.job.id), way).toBe(1);
      await world.loop.complete(claim);
      await expect.poll(() => world.store.deliveries.undelivered()).toEqual([]);
    }
    expect(world.problems.filter((it) => it.includes("not posted"))).toEqual([]);
  });

  it("that was posted but not noted is not posted by the next start, however late", async () => {
    const wrapStore = (store: Store) => withFailing(store, "deliveries", "settleSheet", new Error("killed"));
    const world = await startWorld({ wrapStore, local: { limits: { ...FREE, nonceMs: 0 } } });
    const { job } = await withSheet(world);
    await expect.poll(() => sheetsOf(world, job.id)).toBe(1);
    await world.bot.stop();
    expect(await world.store.deliveries.unsettledSheets()).toHaveLength(1);

    const bot = makeBot(world);
    onTestFinished(() => bot.stop());
    await bot.start();
    await expect.poll(() => world.store.deliveries.unsettledSheets()).toEqual([]);
    expect(sheetsOf(world, job.id)).toBe(1);
  });
});

it("a batch whose result was edited into its draft, but not noted, is found there after its token has ended", async () => {
  const clock = { ahead: 0 };
  const bot = { now: () => Date.now() + clock.ahead };
  const wrapStore = (store: Store) => withFailing(store, "deliveries", "delivered", new Error("killed"));
  const world = await startWorld({ wrapStore, local: { limits: { ...FREE, nonceMs: 0 } }, bot });
  const handle = await startBatch(world.local.member("alice"), { name: "pairs.json", data: PAIRS });
  const [job] = await world.queue.open();
  await world.loop.runNext();
  await handle.waitFor((message) => ends(world.local, job!.id).some(({ id }) => id === message.id));
  await world.bot.stop();
  expect(await world.store.deliveries.undelivered()).toEqual([job!.id]);

  clock.ahead = 16 * MINUTE;
  const next = makeBot(world, bot);
  onTestFinished(() => next.stop());
  const delivered = nextEvent(world.events, "job.delivered", ({ jobId }) => jobId === job!.id);
  await next.start();
  await delivered;
  await world.local.quiet({ idleMs: 150 });
  expect(ends(world.local, job!.id)).toHaveLength(1);
});

describe("a batch", () => {
  it.each([
    ["its draft", "PATCH", /messages\/%40original$/],
    ["the answer to its Start", "POST", /\/callback$/],
  ] as const)(
    "with trouble at %s becomes one job and ends once",
    { timeout: 60_000 },
    async (what, method, path) => {
      const world = await startWorld({ local: { limits: FREE }, bot: { timing: RARE_EDITS } });
      const alice = world.local.member("alice");
      for (const [way, fault, times] of WAYS) {
        const handle = await alice.slash("batch", { file: { name: "pairs.json", data: PAIRS } });
        if (what === "its draft") world.local.faults.onRest(method, path, fault, times);
        await handle.done({ timeoutMs: 20_000 });
        if (what !== "its draft") world.local.faults.onRest(method, path, fault, times);
        // A draft's message that arrives late may cover the job's message; a press is then told that it is no longer there.
        for (let gone = false; !gone && hasButton(handle.message!, "Start"); ) {
          const press = await alice.press(handle.message, "Start").catch((error) => {
            if (error.name !== "InteractionFailed") throw error;
            return null;
          });
          await world.local.quiet({ idleMs: 500 });
          gone = press?.message?.content.includes("no longer there") === true;
        }
        world.local.faults.clearRest();
        await expect.poll(() => world.queue.arrivals(), { timeout: 20_000 }).toEqual([]);
        expect(await world.drafts.nextDueAt(), way).toBeNull();
        const [job, ...more] = await world.queue.open();
        expect(more, way).toEqual([]);
        if (job === undefined) throw new Error(`${way}: no job`);
        const delivered = nextEvent(world.events, "job.delivered", ({ jobId }) => jobId === job.id);
        await world.loop.runNext();
        await delivered;
        expect(ends(world.local, job.id), way).toHaveLength(1);
      }
    },
  );
});

describe("a route that fails", () => {
  it.each(FLOWS)("%s: exactly one result, whatever the fault", { timeout: 60_000 }, async (_name, flow) => {
    const clock = { ahead: 0 };
    const world = await startWorld({
      local: { limits: FREE },
      bot: {
        now: () => Date.now() + clock.ahead,
        timing: { ...RARE_EDITS, ...(flow.ping === true ? { pingAfterMs: 0 } : {}) },
      },
    });
    const alice = world.local.member("alice");
    for (const [way, fault, times] of WAYS) {
      const inject = () => world.local.faults.onRest(flow.method, flow.path, fault, times);
      if (flow.early === true) inject();
      const handle = await alice.slash(
        "compare",
        { prompt: `A cat, ${way}` },
        { channel: flow.channel ?? "general" },
      );
      await handle.done();
      const job = await expect
        .poll(async () => (await world.queue.open())[0])
        .toBeDefined()
        .then(async () => (await world.queue.open())[0]!);
      if (flow.early !== true) inject();
      if (flow.late === true) clock.ahead += 16 * MINUTE;
      const delivered = nextEvent(world.events, "job.delivered", ({ jobId }) => jobId === job.id);
      await world.loop.runNext();
      await delivered;
      await world.local.quiet({ idleMs: 150 });
      expect(ends(world.local, job.id), way).toHaveLength(1);
      expect(handle.followUps.length, way).toBeLessThanOrEqual(1);
      expect((await world.queue.get(job.id))?.delivery.abandoned, way).toBeNull();
    }
    expect(await world.queue.arrivals()).toEqual([]);
    expect(await world.store.deliveries.undelivered()).toEqual([]);
  });

  it("is tried again at the start: the gateway's address, the commands", { timeout: 60_000 }, async () => {
    const world = await startWorld({ local: { limits: FREE } });
    await world.bot.stop();
    const seen: string[] = [];
    for (const [method, path] of [
      ["GET", /^\/gateway\/bot$/],
      ["GET", /commands$/],
      ["PUT", /commands$/],
    ] as const) {
      for (const [way, fault, times] of WAYS) {
        // The bot has other commands than before each time, so that it writes them.
        const limits = {
          maxPromptLength: 1000 - seen.length,
          maxBatch: 20,
          maxFileBytes: 1000,
          maxSteps: 100,
          maxPairs: 4,
        };
        world.local.faults.onRest(method, path, fault, times);
        const bot = makeBot(world, { limits, timing: { requestTimeoutMs: 400, uploadTimeoutMs: 400 } });
        await bot.start();
        await bot.stop();
        seen.push(`${method} ${way}`);
      }
    }
    expect(seen).toHaveLength(3 * WAYS.length);
  });

  it("so that the acknowledgement never gets through: nothing is stored, and nobody waits for it", async () => {
    const world = await startWorld({ local: { limits: { ...FREE, firstAnswerMs: 700 } } });
    world.local.faults.onRest("POST", /\/callback$/, { close: "before" }, 50);
    const sent = world.local.member("alice").slash("compare", { prompt: "A cat" });
    await expect(sent).rejects.toMatchObject({ name: "InteractionFailed" });
    await expect.poll(() => world.queue.arrivals(), { timeout: 10_000 }).toEqual([]);
    expect(await world.queue.open()).toEqual([]);
    expect(world.local.state.messages.size).toBe(0);
  });
});

/** A press, and how to see what it did. */
interface PressCase {
  /** Sends what the press is for, and answers the message with the button. */
  readonly prepare: (world: World) => Promise<ApiMessage | null>;
  readonly label: string;
  /** How often it was done. */
  readonly done: (world: World) => Promise<number>;
}

const pairs = { name: "pairs.json", data: PAIRS };
const draft = async ({ local }: World) =>
  (await local.member("alice").slash("batch", { file: pairs })).waitFor((it) => hasButton(it, "Start"));
const result = async (world: World, options: Record<string, string | boolean>) => {
  const handle = await world.local.member("alice").slash("compare", options);
  await handle.done();
  await world.loop.runNext();
  return handle.waitFor(isFinal);
};

const PRESSES: readonly PressCase[] = [
  { label: "Start", prepare: draft, done: async ({ queue }) => (await queue.open()).length },
  {
    label: "Cancel",
    prepare: async ({ local }) => {
      const handle = await local.member("alice").slash("optimize", { prompt: "A cat" });
      await handle.done();
      return handle.message;
    },
    done: async ({ local }) =>
      [...local.state.messages.values()].filter(({ embeds }) => embeds[0]?.color === COLORS.cancelled).length,
  },
  {
    label: "Discard",
    prepare: draft,
    done: async ({ local, drafts }) =>
      (await drafts.nextDueAt()) === null
        ? [...local.state.messages.values()].filter(({ content }) => content === draftLines.discarded).length
        : 0,
  },
  {
    label: "Delete",
    prepare: (world) => result(world, { prompt: "A cat" }),
    done: async ({ local, store }) =>
      (await store.records.idsOfUser(local.member("alice").id)).length === 0 &&
      local.state.messages.size === 0
        ? 1
        : 0,
  },
  {
    label: "A",
    prepare: (world) => result(world, { prompt: "A cat", blind: true }),
    done: async ({ local, store }) => (await store.votes.keys({ guildId: local.guildId })).length,
  },
];

/** Everything that the bot said in answer to interactions. */
const said = ({ local }: World): string =>
  JSON.stringify(
    [...local.transcript.rest("POST", /./), ...local.transcript.rest("PATCH", /./)].map((it) => it.request),
  );

describe("an acknowledgement whose connection is cut", () => {
  const CUTS = PRESSES.flatMap((it) =>
    (["before", "after"] as const).map((close) => [it.label, close, it] as const),
  );

  it.each(CUTS)("%s, cut %s Discord did it: is done once", async (label, close, { prepare, done }) => {
    const world = await startWorld({ local: { limits: FREE } });
    const message = await prepare(world);
    world.local.faults.onRest("POST", /\/callback$/, { close });
    await world.local.member("alice").press(message, label);
    await expect.poll(() => done(world)).toBe(1);
    await world.local.quiet({ idleMs: 150 });
    expect(await done(world)).toBe(1);
    expect(said(world)).not.toContain(errorSentence("INTERNAL"));
    expect(world.problems).toEqual([]);
  });

  it.each(PRESSES.map((it) => [it.label, it] as const))(
    "%s is done though no answer ever comes back: Discord shows it as accepted",
    async (label, { prepare, done }) => {
      const world = await startWorld({ local: { limits: FREE } });
      const message = await prepare(world);
      world.local.faults.onRest("POST", /\/callback$/, { close: "after" });
      world.local.faults.onRest("POST", /\/callback$/, { close: "before" }, 50);
      await world.local.member("alice").press(message, label);
      await expect.poll(() => done(world), { timeout: 10_000 }).toBe(1);
      await world.local.quiet({ idleMs: 150 });
      expect(await done(world)).toBe(1);
      expect(said(world)).not.toContain(errorSentence("INTERNAL"));
    },
  );

  it.each(["before", "after"] as const)("%s Discord did it: an answer in words comes once", async (close) => {
    const world = await startWorld({ local: { limits: FREE } });
    const alice = world.local.member("alice");
    const cut = () => world.local.faults.onRest("POST", /\/callback$/, { close });
    const shown = await result(world, { prompt: "A cat" });
    for (const [what, ask] of [
      ["/help", () => alice.slash("help")],
      ["/queue", () => alice.slash("queue")],
      ["/settings", () => alice.slash("settings show")],
      ["Info", () => alice.press(shown, "Info")],
      ["/mydata", () => alice.slash("mydata export")],
    ] as const) {
      cut();
      const handle = await ask();
      await handle.done();
      expect(handle.ephemeral, what).toBe(true);
      expect(handle.followUps, what).toEqual([]);
    }
    cut();
    expect((await alice.press(shown, "Edit prompt")).modal).not.toBeNull();
    expect(said(world)).not.toContain(errorSentence("INTERNAL"));
    expect(world.problems).toEqual([]);
  });

  it("each time: the failure is Discord's, not the bot's", async () => {
    const world = await startWorld({ local: { limits: { ...FREE, firstAnswerMs: 10_000 } } });
    // Long enough for the patience to end, and over when the bot says so.
    world.local.faults.onRest("POST", /\/callback$/, { close: "before" }, 1_000);
    const told = nextEvent(world.events, "log", ({ level }) => level === "error");
    const sent = world.local.member("alice").slash("help");
    await told;
    world.local.faults.clearRest();
    const handle = await sent;
    expect(handle.message?.content).toBe(errorSentence("DISCORD_UNREACHABLE"));
  });
});

describe("a gateway that drops", () => {
  const drop = ({ local }: World) => local.faults.dropGateway();
  const CASES: readonly (readonly [string, (world: World) => void])[] = [
    ["in the midst of it", drop],
    ["right after an interaction", ({ local }) => local.faults.dropGatewayAt("interaction")],
    [
      "and drops again while the client resumes",
      (world) => {
        world.local.faults.dropGatewayAt("resume", 2);
        drop(world);
      },
    ],
    [
      "and drops again as soon as it is resumed",
      (world) => {
        world.local.faults.dropGatewayAt("resumed");
        drop(world);
      },
    ],
    [
      "and says no word but HELLO the next two times",
      (world) => {
        world.local.faults.dropGatewayAt("hello", 2);
        drop(world);
      },
    ],
    [
      "and refuses to resume",
      (world) => {
        world.local.faults.refuseResumes();
        drop(world);
      },
    ],
    [
      "refuses to resume, and drops at the new IDENTIFY and at READY",
      (world) => {
        world.local.faults.refuseResumes();
        world.local.faults.dropGatewayAt("identify");
        world.local.faults.dropGatewayAt("ready");
        drop(world);
      },
    ],
    ["by asking to reconnect", ({ local }) => local.faults.requestReconnect()],
    ["by an invalid session that may be resumed", ({ local }) => local.faults.invalidateSession(true)],
    ["by an invalid session", ({ local }) => local.faults.invalidateSession()],
    ["by silence: heartbeats are not answered", ({ local }) => local.faults.acknowledgeHeartbeats(false)],
  ];

  it.each(CASES)(
    "%s: what was accepted has one result, and the next command works",
    { timeout: 60_000 },
    async (_name, fault) => {
      const world = await startWorld({
        local: { limits: { ...FREE, heartbeatMs: 400, firstAnswerMs: 1_500 } },
      });
      const alice = world.local.member("alice");
      const outcomes: string[] = [];
      const ask = async (prompt: string) => {
        try {
          return await alice.slash("optimize", { prompt });
        } catch (error) {
          if ((error as Error).name !== "InteractionFailed") throw error;
          return null;
        }
      };
      fault(world);
      // One command comes while the line is down or about to break.
      const during = await ask("during");
      outcomes.push(during === null ? "not accepted" : "accepted");
      world.local.faults.acknowledgeHeartbeats(true);
      await expect
        .poll(
          async () => {
            await world.local.botOnline(30_000);
            return (await ask("after")) !== null;
          },
          { timeout: 40_000, interval: 100 },
        )
        .toBe(true);
      await expect.poll(async () => (await world.queue.arrivals()).length).toBe(0);
      const jobs = await world.queue.open();
      // A command that Discord gave up and one that it took: a job for the latter alone.
      const accepted = [...world.local.state.interactions.values()].filter(
        ({ answer }) => answer === "deferred",
      );
      expect(jobs.map(({ origin }) => origin.interactionId).sort()).toEqual(
        accepted.map(({ id }) => id).sort(),
      );
      for (const job of jobs) {
        const delivered = nextEvent(world.events, "job.delivered", ({ jobId }) => jobId === job.id);
        await world.loop.runNext();
        await delivered;
      }
      for (const { id } of jobs) expect(ends(world.local, id)).toHaveLength(1);
    },
  );
});

describe("an interaction", () => {
  it("that is delivered twice makes one job and one result", async () => {
    const world = await startWorld({ local: { limits: FREE } });
    world.local.faults.repeatInteractions();
    const handle = await world.local.member("alice").slash("optimize", { prompt: "A cat" });
    await handle.done();
    const [job, ...others] = await world.queue.open();
    expect(others).toEqual([]);
    const delivered = nextEvent(world.events, "job.delivered");
    await world.loop.runNext();
    await delivered;
    await world.local.quiet({ idleMs: 100 });
    expect(ends(world.local, job!.id)).toHaveLength(1);
    expect(world.problems).toEqual([]);
  });

  it("that is delivered after Discord gave it up stores nothing; a moment earlier it is taken", async () => {
    const world = await startWorld({ local: { limits: { ...FREE, firstAnswerMs: 1_000 } } });
    world.local.faults.delayInteractions(1_200);
    const late = world.local.member("alice").slash("optimize", { prompt: "too late" });
    await expect(late).rejects.toMatchObject({ name: "InteractionFailed" });
    const answered = world.local.transcript.rest("POST", /callback$/).length;
    await expect
      .poll(() => world.local.transcript.rest("POST", /callback$/).length)
      .toBeGreaterThan(answered);
    await expect.poll(() => world.queue.arrivals(), { timeout: 10_000 }).toEqual([]);
    world.local.faults.delayInteractions(300);
    await world.local.member("alice").slash("optimize", { prompt: "in time" });
    await expect
      .poll(async () => (await world.queue.open()).map(({ items }) => items[0]?.prompt))
      .toEqual(["in time"]);
  });
});

describe("a clock that jumps", () => {
  it.each([
    ["an hour ahead", 60 * MINUTE],
    ["an hour back", -60 * MINUTE],
  ])("%s while a job runs: one result", async (_name, jumpMs) => {
    const clock = { ahead: 0 };
    const world = await startWorld({ local: { limits: FREE }, bot: { now: () => Date.now() + clock.ahead } });
    const handle = await world.local.member("alice").slash("compare", { prompt: "A cat" });
    await handle.done();
    const [job] = await world.queue.open();
    const delivered = nextEvent(world.events, "job.delivered");
    clock.ahead = jumpMs;
    await world.loop.runNext();
    await delivered;
    await world.local.quiet({ idleMs: 100 });
    expect(ends(world.local, job!.id)).toHaveLength(1);
  });
});

describe("a command between its acknowledgement and its job", () => {
  it("is told of a stop in between, by the next start", async () => {
    const world = await startWorld({ local: { limits: FREE } });
    const handle = await world.local.member("alice").slash("optimize", { prompt: "A cat" });
    await handle.done();
    const [job] = await world.queue.open();
    await world.bot.stop();
    // As a kill would have left it: noted and acknowledged, and no job.
    await world.queue.cancel(job!.id);
    await world.store.records.drop(job!.id);
    await world.queue.arrive(job!.origin);

    world.local.faults.onRest("PATCH", /messages\/%40original$/, { status: 502 }, 6);
    const bot = makeBot(world);
    await bot.start();
    await handle.waitFor(({ content }) => content.includes("Please use it again"), { timeoutMs: 10_000 });
    await expect.poll(() => world.queue.arrivals()).toEqual([]);
    await bot.stop();
  });

  it("that can't be noted is refused at once, in private", async () => {
    const full = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    const world = await startWorld({
      local: { limits: FREE },
      wrapStore: (store) => withFailing(store, "queue", "arrive", full),
    });
    const handle = await world.local.member("alice").slash("optimize", { prompt: "A cat" });
    expect(handle.ephemeral).toBe(true);
    expect(handle.message?.content).toContain("disk");
    expect(await world.queue.open()).toEqual([]);
  });
});
