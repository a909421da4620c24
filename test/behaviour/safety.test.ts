import { parse } from "csv-parse/sync";
import { type ApiMessage, ChannelType } from "local-discord/testing";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import type { PictureJudgement } from "../../src/core/judgement.js";
import { startBatch } from "../support/batch.js";
import {
  isFinal,
  type Judgements,
  nextEvent,
  PASSED,
  startWorld,
  type World,
  type WorldOptions,
} from "../support/bot-world.js";
import { textOf } from "../support/message.js";

const FLAGGED: PictureJudgement = { ...PASSED, safety: { flagged: true, concepts: [4] } };
const UNCHECKED: PictureJudgement = { ...PASSED, safety: "unchecked" };
const HARMLESS: PictureJudgement = { ...PASSED, safety: "harmless" };
const REWRITE_FLAGGED: Judgements = { baseline: PASSED, optimized: FLAGGED };
const BASELINE_FLAGGED: Judgements = { baseline: FLAGGED, optimized: PASSED };
const both = (judgement: PictureJudgement): Judgements => ({ baseline: judgement, optimized: judgement });

/** Red is what must not be seen: the flagged picture and all that has it inside. */
const painted =
  (judgements: Judgements) =>
  (name: string): Promise<Buffer> => {
    const flagged = (side: keyof Judgements) => {
      const safety = judgements[side]?.safety;
      return typeof safety === "object" && safety.flagged;
    };
    const red =
      !name.includes("withheld") &&
      (name.includes("baseline")
        ? flagged("baseline")
        : name.includes("optimized")
          ? flagged("optimized")
          : flagged("baseline") || flagged("optimized"));
    return sharp({ create: { width: 64, height: 64, channels: 3, background: red ? "red" : "navy" } })
      .png()
      .toBuffer();
  };

/** How the pictures of a message look to who opens the channel, the one inside the embed too. */
async function pictures(message: ApiMessage) {
  const inEmbed = message.embeds.flatMap(({ image }) => (image?.url === undefined ? [] : [image.url]));
  const files = message.attachments.filter(({ filename }) => filename.endsWith(".png"));
  const seen = [...files.map(({ url }) => url), ...inEmbed];
  const red = await Promise.all(
    seen.map(async (url) => {
      const answer = await fetch(url);
      expect(answer.status).toBe(200);
      const { channels } = await sharp(Buffer.from(await answer.arrayBuffer())).stats();
      return channels[0]!.mean > 150;
    }),
  );
  return {
    count: seen.length,
    red: red.filter(Boolean).length,
    plain: inEmbed.length + files.filter(({ filename }) => !filename.startsWith("SPOILER_")).length,
    names: files.map(({ filename }) => filename),
  };
}

interface Options extends WorldOptions {
  readonly channel?: string;
  readonly command?: Record<string, string | number | boolean>;
  /** Between the command and the result. */
  readonly meanwhile?: (world: World) => void;
}

/** A pair that was judged so, as its message shows it. */
async function pairOf(judgements: Judgements, options: Options = {}) {
  const world = await startWorld(options);
  const shown = await pairIn(world, judgements, options);
  return { world, ...shown };
}

async function pairIn(world: World, judgements: Judgements, options: Options = {}) {
  const { channel = "general", command = {}, meanwhile } = options;
  const enqueued = nextEvent(world.events, "job.enqueued");
  const alice = world.local.member("alice");
  const handle = await alice.slash("compare", { prompt: "A cat", seed: 7, ...command }, { channel });
  const { jobId } = await enqueued;
  meanwhile?.(world);
  const delivered = nextEvent(world.events, "job.delivered");
  await world.loop.runNext(painted(judgements), () => judgements);
  await delivered;
  const message = await handle.waitFor(isFinal);
  return { alice, handle, jobId, message, posted: await pictures(message) };
}

const thread = (parent: string) => (world: World) => {
  const { state } = world.local;
  const base = state.channels.get(world.local.channelId(parent))!;
  const id = state.ids.next();
  state.channels.set(id, {
    ...base,
    id,
    type: ChannelType.publicThread,
    name: `${parent}-thread`,
    // Discord's threads carry no flag of their own.
    nsfw: false,
    parentId: base.id,
  });
};

describe("a flagged picture", () => {
  it("is withheld with a sentence outside an age-restricted channel, and the other side is posted", async () => {
    const { message, posted, world, jobId } = await pairOf(REWRITE_FLAGGED);
    expect(posted).toMatchObject({ count: 1, red: 0 });
    expect(textOf(message)).toContain(
      "The picture of the rewrite is withheld: the safety checker flagged it, and this channel is not age-restricted. Whoever asked for this can draw again with the buttons below",
    );
    const labels = message.components.flatMap((row) =>
      (row.components ?? []).map((it) => ("label" in it ? it.label : "")),
    );
    expect(labels).toContain("New seed");
    // The row says why.
    expect((await world.queue.get(jobId))?.items[0]?.pictures.optimized?.judgement?.safety).toEqual({
      flagged: true,
      concepts: [4],
    });
    expect(world.problems).toEqual([]);
  });

  it("is a spoiler in an age-restricted channel, and so is all beside it", async () => {
    const { message, posted } = await pairOf(REWRITE_FLAGGED, { channel: "after-dark" });
    expect(posted).toMatchObject({ count: 2, red: 1, plain: 0 });
    expect(textOf(message)).toContain("Behind a click, because the safety checker flagged something here.");
    expect(textOf(message)).not.toContain("withheld");
  });

  it("tells what it is neither by file names, alt texts nor concepts", async () => {
    for (const channel of ["general", "after-dark"]) {
      const { message, jobId } = await pairOf(BASELINE_FLAGGED, { channel });
      const told = JSON.stringify([
        message.attachments.map((it) => [it.filename, it.description]),
        message.embeds,
      ]);
      expect(told).not.toMatch(/concept|nude|unsafe|nsfw|\[4\]/i);
      expect(
        JSON.stringify(message.attachments.map((it) => [it.title ?? it.filename, it.description])),
      ).not.toMatch(/flag|withheld/i);
      for (const { filename } of message.attachments) {
        expect(filename).toMatch(new RegExp(`^(SPOILER_)?${jobId}-7-(comparison|baseline|optimized)\\.png$`));
      }
    }
  });

  it("has a blank panel on the card in Info, or is a spoiler there as well", async () => {
    for (const [channel, expected] of [
      ["general", { count: 1, red: 0 }],
      ["after-dark", { count: 1, red: 1, plain: 0 }],
    ] as const) {
      const { alice, message } = await pairOf(REWRITE_FLAGGED, { channel });
      const info = await alice.press(message, "Info");
      await info.done();
      expect(await pictures(info.message!)).toMatchObject(expected);
    }
  });

  it("leaves nothing to post if both sides are flagged", async () => {
    const { message, posted } = await pairOf(both(FLAGGED));
    expect(posted.count).toBe(0);
    expect(textOf(message)).toContain(
      "The picture of the prompt as written and the picture of the rewrite are withheld: the safety checker flagged them",
    );
  });

  it("of a prompt drawn as written is one picture and one sentence", async () => {
    const world = await startWorld();
    const asking = nextEvent(world.events, "job.enqueued");
    const asked = await world.local.member("alice").slash("optimize", { prompt: "A cat" });
    await asking;
    await world.loop.runNext();
    const offered = await asked.waitFor(isFinal);
    const enqueued = nextEvent(world.events, "job.enqueued");
    const press = await world.local.member("alice").press(offered, "Draw as written");
    await enqueued;
    await world.loop.runNext(painted(both(FLAGGED)), () => both(FLAGGED));
    const message = await press.waitFor(isFinal);
    expect((await pictures(message)).count).toBe(0);
    expect(textOf(message)).toContain("The picture of the prompt as written is withheld");
    expect(textOf(message)).not.toContain("picture of the rewrite");
  });

  it.each([
    ["a thread of an age-restricted channel is a spoiler", "after-dark", { count: 2, red: 1, plain: 0 }],
    ["a thread of another channel is withheld", "general", { count: 1, red: 0 }],
  ])("in %s", async (_, parent, expected) => {
    const world = await startWorld();
    thread(parent)(world);
    const { posted } = await pairIn(world, REWRITE_FLAGGED, { channel: `${parent}-thread` });
    expect(posted).toMatchObject(expected);
  });

  it("in a direct message is withheld", async () => {
    const { posted } = await pairOf(REWRITE_FLAGGED, { channel: "dm" });
    expect(posted).toMatchObject({ count: 1, red: 0 });
  });

  it.each([
    ["no longer is age-restricted", "after-dark", false, { count: 1, red: 0 }],
    ["has become age-restricted", "general", true, { count: 2, red: 1, plain: 0 }],
  ])("in a channel that %s by the time of posting", async (_, channel, nsfw, expected) => {
    const { posted } = await pairOf(REWRITE_FLAGGED, {
      channel,
      // Without an event, as while the gateway is down: what counts is what Discord says when it is asked.
      meanwhile: ({ local }) => {
        const record = local.state.channels.get(local.channelId(channel))!;
        local.state.channels.set(record.id, { ...record, nsfw });
      },
    });
    expect(posted).toMatchObject(expected);
  });

  it("is not previewed while the other side is drawn", async () => {
    for (const [judgement, files] of [
      [FLAGGED, 0],
      [UNCHECKED, 0],
      [PASSED, 1],
    ] as const) {
      const world = await startWorld();
      const enqueued = nextEvent(world.events, "job.enqueued");
      const handle = await world.local.member("alice").slash("compare", { prompt: "A cat", seed: 7 });
      await enqueued;
      await world.loop.rewrite(await world.loop.claim("text"));
      const claim = await world.loop.claim("image");
      await world.loop.drawBaseline(claim, judgement);
      world.loop.progress(claim, "optimized", 10, 50);
      // The picture may come with the edit after that of the words.
      const message = await handle.waitFor(
        (m) => textOf(m).includes("drawing the rewrite, step 10") && m.attachments.length >= files,
      );
      expect(message.attachments).toHaveLength(files);
      expect(world.local.transcript.rest("PATCH").flatMap((it) => it.files)).toHaveLength(files);
    }
  });

  it("is withheld by /show in another channel, and shown by it in an age-restricted one", async () => {
    const { alice, jobId } = await pairOf(REWRITE_FLAGGED, { channel: "after-dark" });
    const elsewhere = await (await alice.slash("show", { id: jobId })).waitFor(isFinal);
    expect(await pictures(elsewhere)).toMatchObject({ count: 1, red: 0 });
    expect(textOf(elsewhere)).toContain("is withheld");
    const again = await (await alice.slash("show", { id: jobId }, { channel: "after-dark" })).waitFor(
      isFinal,
    );
    expect(await pictures(again)).toMatchObject({ count: 2, red: 1, plain: 0 });
  });

  it("does not follow its requester home: the direct message that stands in for a closed channel withholds it", async () => {
    let late = false;
    const world = await startWorld({ bot: { now: () => Date.now() + (late ? 16 * 60_000 : 0) } });
    const { state } = world.local;
    const closed = state.channels.get(world.local.channelId("read-only"))!;
    state.channels.set(closed.id, { ...closed, nsfw: true });
    const enqueued = nextEvent(world.events, "job.enqueued");
    await world.local.member("alice").slash("compare", { prompt: "A cat" }, { channel: "read-only" });
    await enqueued;
    late = true;
    await world.loop.runNext(painted(REWRITE_FLAGGED), () => REWRITE_FLAGGED);
    const message = await world.local.member("alice").waitFor(isFinal, { channel: "dm" });
    expect(await pictures(message)).toMatchObject({ count: 1, red: 0 });
  });

  it("waits for Discord to say what the channel is, rather than guess", async () => {
    const world = await startWorld();
    world.local.faults.onRest("GET", /^\/channels\/\d+$/, { status: 503 }, 8);
    const { jobId, posted } = await pairIn(world, REWRITE_FLAGGED, { channel: "after-dark" });
    expect(posted).toMatchObject({ count: 2, red: 1, plain: 0 });
    expect((await world.queue.get(jobId))?.delivery.attempts).toBeGreaterThan(0);
  });
});

describe("a blind comparison with a flagged side", () => {
  const BLIND = { command: { blind: true } };

  it("is not voted on where that side is withheld", async () => {
    const { world, message, posted, jobId, alice } = await pairOf(REWRITE_FLAGGED, BLIND);
    expect(posted).toMatchObject({ count: 1, red: 0 });
    expect(textOf(message)).toContain("The picture of the rewrite is withheld");
    expect(JSON.stringify(message.components)).not.toContain("vote:");
    // Nor can it become one where the half may be seen, since it was told here which is which.
    expect((await world.votes.ballot(jobId))?.closedAt).not.toBeNull();
    const dark = await (await alice.slash("show", { id: jobId }, { channel: "after-dark" })).waitFor(isFinal);
    expect(JSON.stringify(dark.components)).not.toContain("vote:");
  });

  it("is voted on behind a click where it may be shown, without naming the side", async () => {
    const { message, posted } = await pairOf(REWRITE_FLAGGED, { ...BLIND, channel: "after-dark" });
    expect(posted).toMatchObject({ count: 2, plain: 0 });
    expect(JSON.stringify(message.components)).toContain("vote:");
    const told = [textOf(message), ...message.attachments.flatMap((it) => [it.filename, it.description])];
    expect(told.join("\n")).not.toMatch(/flag|safety|withheld|baseline/i);
  });

  it("is not given away by /show where that side would be left out", async () => {
    const { world, alice, jobId } = await pairOf(REWRITE_FLAGGED, { ...BLIND, channel: "after-dark" });
    const elsewhere = await (await alice.slash("show", { id: jobId })).waitFor(isFinal);
    expect((await pictures(elsewhere)).count).toBe(0);
    expect(textOf(elsewhere)).toContain("People are still voting on this pair");
    expect(JSON.stringify(elsewhere)).not.toMatch(/highly detailed|flagged/);
    expect((await world.votes.ballot(jobId))?.closedAt).toBeNull();
  });
});

describe("settings", () => {
  it.each([
    ["withheld even in an age-restricted channel", "after-dark", "withhold", { count: 1, red: 0 }],
    ["shown in an age-restricted channel", "after-dark", "show", { count: 2, red: 1, plain: 2 }],
    ["never shown elsewhere", "general", "show", { count: 1, red: 0 }],
  ])("a flagged picture is %s", async (_, channel, value, expected) => {
    const world = await startWorld();
    const set = await world.local
      .member("admin")
      .slash("settings set", { name: "flagged", value, scope: "server" });
    expect(set.message?.content).toBe(`\`flagged\` is now ${value} for this server.`);
    const { posted, message } = await pairIn(world, REWRITE_FLAGGED, { channel });
    expect(posted).toMatchObject(expected);
    expect(textOf(message).includes("the settings here withhold what it flags")).toBe(
      channel === "after-dark" && value === "withhold",
    );
  });

  it("refuse what they do not take", async () => {
    const world = await startWorld();
    const set = await world.local.member("admin").slash("settings set", { name: "flagged", value: "blur" });
    expect(set.message?.content).toContain("takes one of show, spoiler, withhold");
  });
});

describe("pictures that no safety checker has seen", () => {
  const SHOWN = { count: 2, plain: 2 };
  const SPOILER = { count: 2, plain: 0 };
  const NONE = { count: 0 };
  it.each([
    ["are spoilers", UNCHECKED, "general", {}, undefined, SPOILER],
    ["are shown in an age-restricted channel", UNCHECKED, "after-dark", {}, undefined, SHOWN],
    ["are shown where the program's owner says so", UNCHECKED, "general", {}, "show", SHOWN],
    ["are withheld where the owner says so", UNCHECKED, "general", {}, "withhold", NONE],
    [
      "are withheld where a server is stricter",
      UNCHECKED,
      "general",
      { unchecked: "withhold" },
      "show",
      NONE,
    ],
    [
      "stay spoilers where a server would be looser",
      UNCHECKED,
      "general",
      { unchecked: "show" },
      undefined,
      SPOILER,
    ],
    [
      "are spoilers everywhere if a server says so",
      UNCHECKED,
      "after-dark",
      { unchecked: "spoiler" },
      undefined,
      SPOILER,
    ],
    ["are shown if they are harmless", HARMLESS, "general", {}, "withhold", SHOWN],
  ] as const)("%s", async (_, judgement, channel, place, owner, expected) => {
    const world = await startWorld(owner === undefined ? {} : { bot: { uncheckedPictures: owner } });
    for (const [name, value] of Object.entries(place))
      await world.settings.set("server", world.local.guildId, name as "unchecked", value, "admin");
    const { posted } = await pairIn(world, both(judgement), { channel });
    expect(posted).toMatchObject(expected);
  });

  it("say so; and those of an earlier version, without any judgement, count as such", async () => {
    const { message, posted } = await pairOf({});
    expect(posted).toMatchObject(SPOILER);
    expect(textOf(message)).toContain("Behind a click, because no safety checker has seen these pictures.");
  });

  it("cost no question to Discord where every picture has passed", async () => {
    const { world } = await pairOf(both(PASSED));
    expect(world.local.transcript.rest("GET", /^\/channels\/\d+$/)).toEqual([]);
  });
});

describe("a batch with a flagged picture", () => {
  async function batchIn(channel: string) {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const prompts = ["A cat", "Fear", "A dog"].join("\n");
    const judge = (item: number) => (item === 1 ? REWRITE_FLAGGED : both(PASSED));
    const handle = await startBatch(alice, { name: "prompts.txt", data: prompts }, {}, channel);
    await handle.waitFor((m) => textOf(m).includes("3 prompts"));
    const paint = (name: string) =>
      painted(name.startsWith("1-") || name.includes("sheet") ? REWRITE_FLAGGED : both(PASSED))(name);
    await world.loop.runNext(paint, judge);
    const message = await handle.waitFor(isFinal);
    return { world, alice, message, posted: await pictures(message) };
  }

  it("shows a blank panel in its place, names it, and says so in the report's rows", async () => {
    const { alice, message, posted } = await batchIn("general");
    // The sheet with the blank panel, and the five pictures that may be shown.
    expect(posted).toMatchObject({ count: 6, red: 0 });
    expect(posted.names.some((name) => name.endsWith("-2-optimized.png"))).toBe(false);
    expect(textOf(message)).toContain(
      "The rewrite of prompt 2 is withheld: the safety checker flagged it, and this channel is not age-restricted.",
    );
    const report = message.attachments.find(({ filename }) => filename === "report.csv")!;
    const rows = parse(await alice.download(report), { columns: true }) as Record<string, string>[];
    expect(rows.map((row) => [row.baseline_safety, row.optimized_safety])).toEqual([
      ["passed", "passed"],
      ["passed", "flagged"],
      ["passed", "passed"],
    ]);
  });

  it("is whole and behind a click in an age-restricted channel", async () => {
    const { posted } = await batchIn("after-dark");
    expect(posted).toMatchObject({ count: 7, red: 2, plain: 0 });
  });
});
