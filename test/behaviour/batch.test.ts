import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, it, onTestFinished } from "vitest";
import { imageOf } from "../../src/core/job.js";
import type { Store } from "../../src/db/store.js";
import { hasButton, startBatch, toldPrivately } from "../support/batch.js";
import {
  isFinal,
  makeBot,
  nextEvent,
  noisePicture,
  PASSED,
  startWorld,
  type World,
  withAnswer,
  withFailing,
} from "../support/bot-world.js";
import { textOf } from "../support/message.js";
import { oneDevice } from "../support/paces.js";
import { unzip } from "../support/zip.js";

const lines = (count: number) => Array.from({ length: count }, (_, i) => `Prompt ${i + 1}`).join("\n");
const file = (count: number) => ({ name: "prompts.txt", data: lines(count) });

/** A draft of two prompts that is shown, by a bot that can't note so. */
async function startUnnoted() {
  const wrapStore = (store: Store) =>
    withFailing(store, "queue", "settleArrival", new Error("the disk is gone"));
  const world = await startWorld({ wrapStore });
  const alice = world.local.member("alice");
  const handle = await alice.slash("batch", { file: file(2) });
  await handle.waitFor((m) => hasButton(m, "Start"));
  return { world, alice, handle };
}

describe("the draft of a batch", () => {
  it("says how many and how long before anything is stored, and Start makes it the job's message", async () => {
    const estimateMs = ({ texts, pictures, steps }: { texts: number; pictures: number; steps: number }) =>
      texts * 1000 + pictures * 1000 + steps * 100;
    const world = await startWorld({ bot: { paces: () => oneDevice(estimateMs) } });
    const alice = world.local.member("alice");
    await (await world.local.member("bob").slash("optimize", { prompt: "first" })).done();
    const handle = await alice.slash("batch", { file: file(7), steps: 10, seed: 5 });
    const preview = await handle.waitFor((m) => hasButton(m, "Start"));
    expect(textOf(preview)).toContain("7 prompts. That makes 14 pictures.");
    expect(textOf(preview)).toContain("1. Prompt 1\n2. Prompt 2");
    expect(textOf(preview)).toContain("and 2 more");
    expect(textOf(preview)).toContain("seed 5 · speed full · 10 steps");
    // 7 rewrites, 14 pictures of 10 steps: 35 s; one rewrite: 1 s.
    expect(textOf(preview)).toContain(
      "Takes about 35 s on this machine. 1 job is ahead of it and takes about 1 s.",
    );
    expect((await world.queue.depth()).queued).toBe(1);

    await alice.press(preview, "Start");
    await handle.waitFor((m) => textOf(m).includes("7 prompts.\nIn the queue"));
    const [, job] = await world.queue.open();
    expect(job).toMatchObject({ kind: "batch", image: { seed: 5, steps: 10 } });
    expect(job?.items).toHaveLength(7);
    expect(await world.drafts.nextDueAt()).toBeNull();
  });

  it("names the prompts that Promptist can't read to their end, and so does the result", async () => {
    const isTooLong = (prompt: string, { maxNewTokens }: { maxNewTokens: number }) =>
      prompt.length > 256 - maxNewTokens;
    const world = await startWorld({ bot: { isTooLong } });
    const alice = world.local.member("alice");
    const long = "A very long prompt. ".repeat(20);
    const pair = { original: long, optimized: long };
    const data = JSON.stringify(["A cat", long, pair, long]);
    const handle = await alice.slash("batch", { file: { name: "a.json", data } });
    const preview = await handle.waitFor((m) => hasButton(m, "Start"));
    expect(textOf(preview)).toContain("Prompts 2 and 4 are too long for Promptist to read to the end.");

    await alice.press(preview, "Start");
    await handle.waitFor((m) => !hasButton(m, "Start"));
    const claim = await world.loop.claim("text");
    await world.loop.rewrite(claim, [{ code: "unread", words: "the end" }]);
    await world.loop.runNext();
    const result = textOf(await handle.waitFor(isFinal));
    expect(result).toContain("Promptist can't read prompts 1, 2 and 4 to their end.");
  });

  it("is started even where long prompts can't be counted", async () => {
    const world = await startWorld({
      bot: {
        isTooLong: () => {
          throw new Error("no tokenizer");
        },
      },
    });
    await startBatch(world.local.member("alice"), file(2));
    expect((await world.queue.depth()).queued).toBe(1);
    expect(world.problems).toEqual(["warn: Long prompts of a draft could not be counted"]);
  });

  it("is started once, by who asked for it, also after a restart", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await alice.slash("batch", { file: file(2) });
    await handle.waitFor((m) => hasButton(m, "Start"));
    await world.bot.stop();
    const bot = makeBot(world);
    onTestFinished(() => bot.stop());
    await bot.start();
    const stranger = await world.local.member("bob").press(handle.message, "Start");
    expect(stranger.ephemeral).toBe(true);
    expect(stranger.message?.content).toContain("Only the person who asked for it");
    const [one, two] = await Promise.all([
      alice.press(handle.message, "Start"),
      alice.press(handle.message, "Start"),
    ]);
    await handle.waitFor((m) => textOf(m).includes("Starting…"));
    const answers = () => [one, two].flatMap(({ followUps }) => followUps.map(({ content }) => content));
    await expect.poll(answers).toEqual([expect.stringContaining("no longer there")]);
    expect((await world.queue.depth()).queued).toBe(1);
  });

  it("is shown again by the next start if this one could not note that it was shown", async () => {
    const { world, alice, handle } = await startUnnoted();
    await expect.poll(() => world.problems).toEqual(["warn: A draft was not noted as shown"]);
    expect(await world.queue.arrivals()).toHaveLength(1);

    await world.bot.stop();
    const bot = makeBot(world);
    onTestFinished(() => bot.stop());
    await bot.start();
    await expect.poll(() => world.queue.arrivals()).toEqual([]);
    await handle.waitFor((m) => hasButton(m, "Start"));
    await alice.press(handle.message, "Start");
    await handle.waitFor((m) => textOf(m).includes("Starting…"));
  });

  it("is shown again before a press of its earlier message counts, and keeps that message", async () => {
    const { world, alice, handle } = await startUnnoted();
    await expect.poll(() => world.problems).toHaveLength(1);
    await world.bot.stop();

    // The second look at when drafts end, which belongs to showing this one, takes until the press was answered.
    let look = () => {};
    const looked = new Promise<void>((resolve) => {
      look = resolve;
    });
    let looks = 0;
    const store = withAnswer(world.store, "drafts", "nextDueAt", async () => {
      if (++looks === 2) await looked;
      return world.store.drafts.nextDueAt();
    });
    const bot = makeBot({ ...world, store });
    onTestFinished(() => bot.stop());
    await bot.start();
    await alice.press(handle.message, "Start");
    look();
    await handle.waitFor((m) => textOf(m).includes("Starting…"));
    await world.local.quiet();
    expect(hasButton(handle.message!, "Start")).toBe(false);
    expect(alice.messages()).toHaveLength(1);
    expect((await world.queue.depth()).queued).toBe(1);
  });

  it("settles its arrival when it is started, if that failed when it was shown", async () => {
    const wrapStore = (store: Store) =>
      withFailing(store, "queue", "settleArrival", new Error("the disk is gone"));
    const world = await startWorld({ wrapStore });
    const handle = await world.local.member("alice").slash("batch", { file: file(2) });
    await handle.waitFor((m) => hasButton(m, "Start"));
    expect(await world.queue.arrivals()).toHaveLength(1);
    await world.local.member("alice").press(handle.message, "Start");
    await handle.waitFor((m) => textOf(m).includes("Starting…"));
    expect(await world.queue.arrivals()).toEqual([]);
  });

  it("that can't be shown is deleted, and the person who asked is told", async () => {
    const world = await startWorld();
    world.local.faults.onRest("PATCH", /original$/, { status: 400 });
    const handle = await world.local.member("alice").slash("batch", { file: file(2) });
    await handle.waitFor((m) => m.content !== "");
    expect(handle.message?.content).toContain("went wrong");
    expect(await world.drafts.nextDueAt()).toBeNull();
    await expect.poll(() => world.queue.arrivals()).toEqual([]);
  });

  it("is discarded by a press, and ends by the clock with a sentence", async () => {
    let leftMs = 60 * 60_000;
    const now = () => Date.now() - leftMs;
    const world = await startWorld({ bot: { now } });
    const alice = world.local.member("alice");
    const discarded = await alice.slash("batch", { file: file(2) });
    await discarded.waitFor((m) => hasButton(m, "Discard"));
    await alice.press(discarded.message, "Discard");
    await discarded.waitFor((m) => m.content === "Discarded. Nothing was drawn." && m.embeds.length === 0);

    const expired = await alice.slash("batch", { file: file(2) });
    await expired.waitFor((m) => hasButton(m, "Start"));
    // 14 minutes later the bot looks again, as after a restart.
    leftMs -= 14 * 60_000;
    await world.bot.stop();
    const bot = makeBot(world, { now });
    onTestFinished(() => bot.stop());
    await bot.start();
    const ended = await expired.waitFor((m) => m.content.startsWith("Nobody pressed Start in time"));
    expect(ended.components).toEqual([]);
    expect((await world.queue.depth()).queued).toBe(0);
  });

  it("that meets a cap when it is started stays, and says why", async () => {
    const world = await startWorld();
    await world.settings.set("server", world.local.guildId, "userCap", 1, "admin");
    const alice = world.local.member("alice");
    const handle = await alice.slash("batch", { file: file(2) });
    await handle.waitFor((m) => hasButton(m, "Start"));
    const other = await alice.slash("optimize", { prompt: "x" });
    await other.done();
    const press = await alice.press(handle.message, "Start");
    await expect
      .poll(() => press.followUps.map(({ content }) => content))
      .toEqual([expect.stringContaining("You have 1 open job, the most allowed here.")]);
    await alice.press(other.message, "Cancel");
    await other.waitFor(isFinal);
    await alice.press(handle.message, "Start");
    await handle.waitFor((m) => textOf(m).includes("Starting…"));
  });
});

it("a person has at most ten drafts", async () => {
  const world = await startWorld();
  const alice = world.local.member("alice");
  const previews = [];
  for (let i = 0; i < 10; i++) {
    const handle = await alice.slash("batch", { file: file(1) });
    await handle.waitFor((m) => hasButton(m, "Start"));
    previews.push(handle);
  }
  const refused = await alice.slash("batch", { file: file(1) });
  const told = await toldPrivately(refused);
  expect(told.content).toMatch(/^You already have 10 drafts waiting for Start/);
  const bob = await world.local.member("bob").slash("batch", { file: file(1) });
  await bob.waitFor((m) => hasButton(m, "Start"));
  await alice.press(previews[0]!.message, "Discard");
  await previews[0]!.waitFor((m) => m.content.startsWith("Discarded"));
  const next = await alice.slash("batch", { file: file(1) });
  await next.waitFor((m) => hasButton(m, "Start"));
});

it.each([
  [2_000, ["records.zip"], false],
  [400, [], true],
] as const)(
  "records of a batch that files of %d bytes can't hold are zipped or left out, and it says so",
  async (attachmentBytes, names, said) => {
    const world = await startWorld({ local: { limits: { attachmentBytes } } });
    const handle = await startBatch(world.local.member("alice"), file(20));
    const id = (await world.queue.open())[0]!.id;
    await world.loop.runNext();
    const report = await handle.waitFor(isFinal);
    const records = report.attachments.map(({ filename }) => filename).filter((it) => !/png|webp/.test(it));
    expect(records.filter((it) => /json|csv|records/.test(it))).toEqual(names.map((name) => `${id}-${name}`));
    expect(/too large for this channel; <\/mydata export:\d+> has them/.test(textOf(report))).toBe(said);
    for (const { size } of report.attachments) expect(size).toBeLessThanOrEqual(attachmentBytes);
  },
);

describe("prompts of a batch", () => {
  it("are taken out one by one, while it waits and while it runs", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await startBatch(alice, file(4));
    const bob = await world.local.member("bob").press(handle.message, "Take prompts out");
    expect(bob.message?.content).toContain("Only the person who asked");
    const menus = await alice.press(handle.message, "Take prompts out");
    expect(menus.ephemeral).toBe(true);
    await alice.select(menus.message, "Prompts 1 to 4", ["1", "3"]);
    await menus.waitFor((m) => m.content === "2 prompts taken out; 2 left to draw.");
    await handle.waitFor((m) => textOf(m).includes("4 prompts. 2 of 4 prompts left."));
    const [job] = await world.queue.open();
    expect(job?.items.map(({ cancelled }) => cancelled)).toEqual([false, true, false, true]);

    // The last ones: nothing is left, so the batch itself is over.
    await alice.select(menus.message, "Prompts 1 to 3", ["0", "2"]);
    await menus.waitFor((m) => m.content.includes("nothing is left to draw"));
    expect(textOf(await handle.waitFor(isFinal))).toContain("Batch was cancelled.");
  });
});

describe("contact sheets", () => {
  /** Draws pairs and a sheet of the ten before, as the loop does. */
  async function drawTen(world: World, jobId: string, from: number) {
    const claim = (await world.queue.claim("image", "test"))!;
    const folder = join(world.picturesDir, jobId);
    await mkdir(folder, { recursive: true });
    const save = async (name: string) => {
      await writeFile(join(folder, name), await noisePicture(16));
      return name;
    };
    const indexes = Array.from({ length: 10 }, (_, i) => from + i);
    for (const i of indexes)
      await world.queue.savePictures(claim, i, {
        pictures: {
          baseline: { file: await save(`${i}-a.png`), ms: 1, judgement: PASSED },
          optimized: { file: await save(`${i}-b.png`), ms: 1, judgement: PASSED },
        },
        comparison: await save(`${i}-c.png`),
      });
    const number = from / 10 + 1;
    const sheet = { number, file: await save(`contact-sheet-${number}.png`), items: indexes };
    await world.queue.saveSheet(claim, sheet);
    return claim;
  }

  it("come after each ten pairs, once, also over a restart; the last one with the report", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const data = JSON.stringify(
      Array.from({ length: 20 }, (_, i) => ({ original: `P ${i}`, optimized: `P ${i}, fine` })),
    );
    const handle = await startBatch(alice, { name: "p.json", data });
    const jobId = (await world.queue.open())[0]!.id;
    const first = await drawTen(world, jobId, 0);
    const sheet = await alice.waitFor((m) => textOf(m).startsWith("Prompts 1 to 10 of 20."));
    expect(sheet.embeds[0]?.image?.url).toContain("contact-sheet-1.png");
    await expect.poll(() => world.store.deliveries.unsettledSheets()).toEqual([]);
    await world.queue.release(first);
    await world.bot.stop();
    const bot = makeBot(world);
    onTestFinished(() => bot.stop());
    await bot.start();

    const last = await drawTen(world, jobId, 10);
    await world.queue.saveCheckpoint(last, "image", "sd", "ab".repeat(32));
    await world.loop.complete(last);
    const report = await handle.waitFor(isFinal);
    expect(textOf(report)).toContain("20 prompts, 40 pictures.");
    expect(textOf(report)).toContain("All 40 pictures: in the zip.");
    expect(alice.messages().filter((m) => textOf(m).startsWith("Prompts "))).toHaveLength(1);
    const names = report.attachments.map(({ filename }) => filename);
    // The first sheet was posted already.
    expect(report.embeds[0]?.image?.url).toContain(`${jobId}-contact-sheet-2.png`);
    expect(names).toEqual(["prompts.json", "report.csv", `${jobId}.zip`]);
    expect(textOf(report)).toContain("Contact sheet 1 came while it was drawn, and is in the zip.");
    const csv = (await alice.download(report.attachments[1]!)).toString();
    expect(csv.split("\r\n")[1]).toContain("ab".repeat(32));
    const entries = await unzip(await alice.download(report.attachments[2]!));
    expect(entries.size).toBe(2 + 2 + 40);
    const stored = await readFile(join(world.picturesDir, jobId, "7-b.png"));
    expect(entries.get("pictures/08-optimized.png")?.equals(stored)).toBe(true);
    expect(entries.get("report.csv")?.toString()).toBe(csv);
  });
});

describe("pictures that exceed a message", () => {
  it("come in zips that fit; the others by /show, and none is left out", async () => {
    const picture = await noisePicture(300);
    const limit = 4 * picture.length;
    const world = await startWorld({ local: { limits: { attachmentBytes: limit } } });
    const alice = world.local.member("alice");
    // 30 pictures of which 3 fit a zip, and 7 zips a message.
    const handle = await startBatch(alice, file(15));
    await world.loop.runNext(async () => picture);
    const report = await handle.waitFor(isFinal);
    const zips = report.attachments.filter(({ filename }) => filename.endsWith(".zip"));
    expect(zips.length).toBe(7);
    const [, parts = "0"] = /in (\d+) zips/.exec(textOf(report)) ?? [];
    expect(Number(parts)).toBeGreaterThan(7);
    const id = /Job `(\w+)`/.exec(textOf(report))![1]!;
    expect(textOf(report)).toMatch(new RegExp(`</show:\\d+> \`id:${id} part:8\` brings the next one.`));
    const names = new Set<string>();
    for (const zip of zips)
      for (const name of (await unzip(await alice.download(zip))).keys()) names.add(name);
    for (let part = 8; part <= Number(parts); part++) {
      const answer = await alice.slash("show", { id, part });
      expect(answer.ephemeral).toBe(true);
      const message = await answer.waitFor((m) => m.attachments.length === 1);
      const data = await alice.download(message.attachments[0]!);
      expect(data.length).toBeLessThanOrEqual(limit);
      for (const name of (await unzip(data)).keys()) names.add(name);
    }
    expect([...names].filter((name) => /baseline|optimized/.test(name))).toHaveLength(30);
    const beyond = await alice.slash("show", { id, part: Number(parts) + 1 });
    await beyond.waitFor((m) => m.content === `There are ${parts} zips of these pictures here.`);
  });
});

describe("the evaluation of a batch", () => {
  const judged = (relevance: number, beauty: number, flagged = false) => ({
    relevance,
    beauty,
    judge: "clip + aesthetic",
    safety: { flagged, concepts: flagged ? [4] : [] },
  });

  it("comes privately as a report, without pictures that may not be seen", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await startBatch(alice, file(3));
    // The third rewrite's picture is flagged, and the second prompt lost most.
    await world.loop.runNext(undefined, (item) => ({
      baseline: judged(0.3, 5),
      optimized: judged(0.3, item === 1 ? 4 : 6, item === 2),
    }));
    const result = await handle.waitFor(isFinal);
    const id = /Job `(\w+)`/.exec(textOf(result))![1]!;

    const answer = await alice.slash("show", { id, evaluation: true });
    expect(answer.ephemeral).toBe(true);
    const message = await answer.waitFor((m) => m.attachments.length === 1);
    expect(message.attachments[0]!.filename).toBe(`${id}-evaluation.zip`);
    const entries = await unzip(await alice.download(message.attachments[0]!));
    expect([...entries.keys()]).toEqual(["report.html", "report.json", "pictures.csv"]);
    const { rewriters, prompts } = JSON.parse(String(entries.get("report.json")));
    expect(prompts).toBe(3);
    expect(rewriters[0]).toMatchObject({
      name: "promptist",
      against: { gains: { reward: { mean: expect.closeTo(1 / 3, 9), n: 3 } }, worst: [{ prompt: 1 }] },
    });
    const page = String(entries.get("report.html"));
    const withheld = page.match(/withheld: the safety checker flagged it/g) ?? [];
    const shown = page.match(/src="data:image\/webp/g) ?? [];
    // The flagged one in "helped most" and in the sample; all others are there.
    expect([withheld.length, shown.length]).toEqual([2, 10]);
    const rows = parse(entries.get("pictures.csv")!, { columns: true });
    expect(rows).toHaveLength(6);

    const bob = await world.local.member("bob").slash("show", { id, evaluation: true });
    await bob.waitFor((m) => m.content.startsWith("Only the person who asked for this"));
  });

  it("needs a finished batch with scores", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await startBatch(alice, file(2));
    await world.loop.runNext();
    const id = /Job `(\w+)`/.exec(textOf(await handle.waitFor(isFinal)))![1]!;
    const answer = await alice.slash("show", { id, evaluation: true });
    await answer.waitFor(
      (m) => m.content === "Only a finished batch whose pictures have scores can be evaluated.",
    );
  });
});

describe("pairs of a comparison", () => {
  it("are taken out under that name, told apart by their seeds", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await alice.slash("compare", { prompt: "A cat", seed: 7, pairs: 3 });
    const waiting = await handle.waitFor((m) => hasButton(m, "Cancel"));
    const menus = await alice.press(waiting, "Take pairs out");
    expect(menus.message?.content).toBe(
      "Choose the pairs to take out. Pictures that are already drawn stay.",
    );
    const [menu] = menus.message!.components.flatMap((row) => row.components ?? []);
    expect(menu?.options?.map(({ label }) => label)).toEqual([
      "Pair 1, seed 7",
      "Pair 2, seed 8",
      "Pair 3, seed 9",
    ]);
    await alice.select(menus.message, "Pairs 1 to 3", ["1"]);
    await menus.waitFor((m) => m.content === "1 pair taken out; 2 left to draw.");
  });
});

describe("a report that is attached again", () => {
  it("asks for the same rows: texts, seeds and settings, also of prompts that look like formulas", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const prompts = ["=1+1 cats, red", 'A "quoted" dog', "-x"];
    const first = await startBatch(
      alice,
      { name: "p.json", data: JSON.stringify(prompts) },
      { seed: 9, steps: 12, guidance: 3.5, negative: "blurry, '", size: "128x64", scheduler: "ddim" },
    );
    const enqueued = (await world.queue.open())[0]!;
    const menus = await alice.press(first.message, "Take prompts out");
    await alice.select(menus.message, "Prompts 1 to 3", ["1"]);
    await menus.waitFor((m) => m.content.includes("1 prompt taken out"));
    await world.loop.runNext();
    const report = await first.waitFor(isFinal);
    const before = (await world.queue.get(enqueued.id))!;
    const csv = await alice.download(report.attachments.find((it) => it.filename === "report.csv")!);

    const again = await alice.slash("batch", { file: { name: "report.csv", data: csv.toString() } });
    expect(textOf(await again.waitFor((m) => hasButton(m, "Start")))).toContain(
      "Seeds and settings come from the report.",
    );
    const enqueuedAgain = nextEvent(world.events, "job.enqueued");
    await alice.press(again.message, "Start");
    const after = (await world.queue.get((await enqueuedAgain).jobId))!;
    expect(after.image).toMatchObject({ ...before.image, seed: expect.any(Number) });
    const kept = before.items.filter(({ cancelled }) => !cancelled);
    expect(after.items.map(({ prompt, rewrite, seed }) => ({ prompt, rewrite, seed }))).toEqual(
      kept.map(({ prompt, rewrite, seed }) => ({ prompt, rewrite, seed })),
    );

    const odd = "original,optimized,seed,steps\na,b,1,10\nc,d,2,11\n";
    const own = await alice.slash("batch", { file: { name: "r.csv", data: odd } });
    const shown = textOf(await own.waitFor((m) => hasButton(m, "Start")));
    expect(shown).toContain("Prompts 1 and 2 have settings of their own, from the file.");
    const steps = await alice.slash("batch", { file: { name: "r.csv", data: "prompt,steps\na,5000\n" } });
    await steps.waitFor((m) => m.content.includes("The option `steps` takes a whole number from 1 to 100"));
  });
});

describe("a messy file", () => {
  it("is named part by part in the preview, and each row is drawn with its own settings", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const rows = Array.from({ length: 12 }, () => ",1,,").join("\n");
    const data = `prompt,steps,sampler,theme\na cat,10,Euler a,fur\n${rows}\na dog,20,Heun,fur\na fox,5000,,\n`;
    const handle = await alice.slash("batch", { file: { name: "p.csv", data } });
    const preview = await handle.waitFor((m) => hasButton(m, "Start"));
    for (const line of [
      "Prompts 1 and 2 have settings of their own, from the file.",
      "- lines 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 2 more: the prompt is empty",
      "- line 16: The option steps takes a whole number from 1 to 100",
      "- line 15: `Heun` is not a sampler of ours, so the usual one is taken",
      "Not read: `theme`.",
    ])
      expect(textOf(preview)).toContain(line);
    expect(preview.attachments.map(({ filename }) => filename)).toEqual(["left-out.txt"]);
    const list = (await alice.download(preview.attachments[0]!)).toString();
    expect(list).toContain("lines 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 14: the prompt is empty");

    const enqueued = nextEvent(world.events, "job.enqueued");
    await alice.press(preview, "Start");
    const job = (await world.queue.get((await enqueued).jobId))!;
    expect(job.items.map((item) => imageOf(job, item))).toMatchObject([
      { steps: 10, scheduler: "euler-ancestral" },
      { steps: 20, scheduler: job.image.scheduler },
    ]);
    await world.loop.runNext();
    const result = await handle.waitFor(isFinal);
    const report = result.attachments.find(({ filename }) => filename === "report.csv")!;
    expect(parse(await alice.download(report), { columns: true })).toMatchObject([
      { original: "a cat", steps: "10", scheduler: "euler-ancestral" },
      { original: "a dog", steps: "20", scheduler: "pndm" },
    ]);
  });

  it("has the negative prompt of the settings in each row too", async () => {
    const world = await startWorld();
    await world.settings.set("server", world.local.guildId, "alwaysNegative", "blood", "admin");
    const data = "prompt,negative_prompt\na cat,ugly\na dog,\n";
    await startBatch(world.local.member("alice"), { name: "p.csv", data });
    const [job] = await world.queue.open();
    expect(job?.items.map((item) => imageOf(job, item).negative)).toEqual(["ugly, blood", "blood"]);
  });
});
