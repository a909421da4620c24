import type { LocalDiscord } from "local-discord/testing";
import { describe, expect, it } from "vitest";
import { startBatch } from "../support/batch.js";
import { isFinal, makeBot, nextEvent, startWorld } from "../support/bot-world.js";
import { textOf } from "../support/message.js";
import { oneDevice } from "../support/paces.js";
import { within } from "../support/within.js";

const lastLine = (description: string) => description.split("\n").at(-1) ?? "";

/** The last line of each edit of a reply, in the order in which Discord saw them. */
function edits(local: LocalDiscord): string[] {
  return local.transcript.rest("PATCH", /messages\/%40original$/).map(({ request }) => {
    const { embeds } = request as { embeds: { description: string }[] };
    return lastLine(embeds[0]?.description ?? "");
  });
}

describe("the message of a job", () => {
  it("shows place, loading, bar and step of each phase, in this order", async () => {
    const { local, loop } = await startWorld();
    const handle = await local.member("alice").slash("compare", { prompt: "A cat", seed: 1 });
    const shows = (part: string) => handle.waitFor((m) => textOf(m).includes(part));
    await shows("Starting…");
    const text1 = await loop.claim("text");
    await shows("Rewriting: loading Promptist…");
    loop.progress(text1, "rewrite", 31, 75);
    await shows("▰▰▰▰▱▱▱▱▱▱ 41 %\nrewriting, token 31 of 75");
    await loop.rewrite(text1);
    await shows("Drawing starts…");
    const image = await loop.claim("image");
    await shows("Drawing: loading Stable Diffusion…");
    loop.progress(image, "baseline", 12, 50);
    await shows("drawing as written, step 12 of 50");
    loop.progress(image, "optimized", 50, 50);
    const last = await shows("100 %\ndrawing the rewrite, step 50 of 50");
    expect(last.components).toHaveLength(1);
    await loop.draw(image);
    const result = await handle.waitFor(isFinal);
    expect(
      local
        .member("alice")
        .messages()
        .map(({ id }) => id),
    ).toEqual([result.id]);
    const order = ["Starting", "Promptist", "token 31", "Drawing starts", "Stable", "step 12", "step 50"];
    // A picture that is ready makes an edit of its own, whose last line is that of the one before.
    expect(
      edits(local)
        .slice(0, -1)
        .filter((line, i, all) => line !== all[i - 1])
        .map((line, i) => line.includes(order[i] ?? "?")),
    ).toEqual(order.map(() => true));
  });

  it("says which prompt of a batch is at work", async () => {
    const { local, loop } = await startWorld();
    const handle = await startBatch(local.member("alice"), { name: "a.txt", data: "a\nb\nc\nd" });
    const claim = await loop.claim("text");
    loop.progress(claim, "rewrite", 1, 2, 2);
    await handle.waitFor((m) => textOf(m).includes("62 %\nrewriting, token 1 of 2 · prompt 3 of 4"));
  });

  it("follows the queue as others come, leave and take turns", async () => {
    const { local, loop } = await startWorld();
    const first = await local.member("alice").slash("optimize", { prompt: "one" });
    const second = await local.member("alice").slash("optimize", { prompt: "two" });
    const place = (handle: typeof first, what: string) =>
      handle.waitFor((m) => lastLine(textOf(m)) === `In the queue for rewriting: ${what}.`);
    await place(second, "place 2");
    const third = await local.member("bob").slash("optimize", { prompt: "three" });
    // Users take turns: bob's first comes before alice's second.
    await place(third, "place 2");
    await place(second, "place 3");
    await local.member("alice").press(first.message, "Cancel");
    await place(third, "place 2");
    await loop.rewrite(await loop.claim("text"));
    await third.waitFor((m) => lastLine(textOf(m)) === "Starting…");
  });

  it("is never called next while nothing runs, and is while something does", async () => {
    const { local, loop } = await startWorld();
    const first = await local.member("alice").slash("optimize", { prompt: "one" });
    await first.waitFor((m) => lastLine(textOf(m)) === "Starting…");
    const claim = await loop.claim("text");
    const second = await local.member("bob").slash("optimize", { prompt: "two" });
    await second.waitFor((m) => lastLine(textOf(m)) === "In the queue for rewriting: next.");
    await loop.rewrite(claim);
    await second.waitFor((m) => lastLine(textOf(m)) === "Starting…");
  });

  it("says that a failed try is tried again, not that it starts", async () => {
    const { local, loop, queue } = await startWorld();
    const handle = await local.member("alice").slash("optimize", { prompt: "one" });
    await handle.done();
    await queue.retry(await loop.claim("text"), "WORKER_DIED", "died", 60_000);
    await handle.waitFor((m) => textOf(m).includes("This attempt failed. The bot tries again in a moment."));
  });

  it("shows the time left by what such work took, and by its own pace once that is known", async () => {
    const estimateMs = ({ pictures }: { pictures: number }) => pictures * 60_000;
    const { local, loop } = await startWorld({ bot: { paces: () => oneDevice(estimateMs) } });
    const handle = await local.member("alice").slash("compare", { prompt: "A cat" });
    await handle.done();
    await loop.rewrite(await loop.claim("text"));
    const claim = await loop.claim("image");
    loop.progress(claim, "baseline", 1, 50);
    await handle.waitFor(
      (m) => lastLine(textOf(m)) === "drawing as written, step 1 of 50 · about 2 min left",
    );
    const startedAt = performance.now();
    await expect.poll(() => performance.now() - startedAt, { timeout: 5_000 }).toBeGreaterThan(1_100);
    loop.progress(claim, "optimized", 26, 50);
    // Three quarters took a second or somewhat more.
    await handle.waitFor((m) => /step 26 of 50 · about \d s left$/.test(textOf(m)));
  });
});

describe("devices that are set aside", () => {
  const FAILED = "The graphics card has stopped working; it is tried again and again. Your place is kept.";

  it("are told in every waiting message and in /queue once none works, until one is back", async () => {
    let haveFailed = false;
    const { local, events } = await startWorld({
      bot: { haveDevicesFailed: () => haveFailed },
    });
    const alice = local.member("alice");
    const waiting = await alice.slash("compare", { prompt: "one" });
    await waiting.waitFor((m) => textOf(m).includes("Starting…"));
    const failure = { phase: "image", code: "WORKER_DIED", reason: "lost", retryMs: 10_000 } as const;
    haveFailed = true;
    events.emit("device.set-aside", { device: "cuda:1", ...failure });
    await waiting.waitFor((m) => lastLine(textOf(m)) === FAILED);
    const late = await local.member("bob").slash("compare", { prompt: "two" });
    await late.waitFor((m) => lastLine(textOf(m)) === FAILED);
    const list = textOf((await alice.slash("queue")).message);
    expect(list).toContain("The graphics card has stopped working");
    expect(list).not.toContain("done in about");
    haveFailed = false;
    events.emit("device.back", { device: "cuda:1", phase: "image" });
    await waiting.waitFor((m) => textOf(m).includes("Starting…"));
  });
});

describe("a paused queue", () => {
  const PAUSED = "Paused by an admin; your place is kept.";

  it("is named in every waiting message, in new ones and in /queue, until it is resumed", async () => {
    const { local, queue, loop } = await startWorld({ bot: { paces: () => oneDevice(() => 3_000) } });
    const alice = local.member("alice");
    const running = await alice.slash("compare", { prompt: "one" });
    await running.done();
    const claim = await loop.claim("text");
    const waiting = await local.member("bob").slash("optimize", { prompt: "two" });
    await waiting.waitFor((m) =>
      lastLine(textOf(m)).startsWith("In the queue for rewriting: next. Done in about"),
    );
    await queue.setPaused(true);
    await waiting.waitFor((m) => lastLine(textOf(m)) === PAUSED);
    const late = await local.member("bob").slash("compare", { prompt: "three" });
    await late.waitFor((m) => lastLine(textOf(m)) === PAUSED);
    await loop.rewrite(claim);
    await running.waitFor((m) => lastLine(textOf(m)) === PAUSED);
    const list = textOf((await alice.slash("queue")).message);
    expect(list).toContain("An admin paused the queue");
    expect(list).not.toContain("done in about");
    await queue.setPaused(false);
    await running.waitFor((m) => lastLine(textOf(m)) === "Drawing starts…");
    await late.waitFor((m) => lastLine(textOf(m)).startsWith("In the queue for rewriting: place 2."));
  });

  it("is named after a restart, too", async () => {
    const world = await startWorld();
    const handle = await world.local.member("alice").slash("optimize", { prompt: "A cat" });
    await handle.done();
    await world.bot.stop();
    await world.queue.setPaused(true);
    const bot = makeBot(world);
    await bot.start();
    await handle.waitFor((m) => lastLine(textOf(m)) === PAUSED);
    await bot.stop();
  });
});

describe("edits", () => {
  it("come a gap apart with the newest state, and the result comes last", async () => {
    const editGapMs = 150;
    const { local, loop } = await startWorld({ bot: { timing: { editGapMs, phaseGapMs: editGapMs } } });
    const handle = await local.member("alice").slash("optimize", { prompt: "A cat" });
    await handle.done();
    const claim = await loop.claim("text");
    const startedAt = performance.now();
    let step = 0;
    while (step < 120) {
      loop.progress(claim, "rewrite", ++step, 120);
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
    await loop.rewrite(claim);
    await handle.waitFor(isFinal);
    const tookMs = performance.now() - startedAt;

    const calls = local.transcript.rest("PATCH", /messages\/%40original$/);
    expect(calls.length).toBeLessThanOrEqual(tookMs / editGapMs + 4);
    expect(calls.length).toBeGreaterThan(4);
    const statusTimes = calls.slice(0, -1).map(({ at }) => at);
    for (const [i, at] of statusTimes.entries()) {
      if (i > 0) expect(at - statusTimes[i - 1]!).toBeGreaterThan(editGapMs * 0.6);
    }
    const tokens = edits(local)
      .flatMap((line) => /token (\d+)/.exec(line)?.[1] ?? [])
      .map(Number);
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(edits(local).at(-1)).toContain("Job `");
  });

  it("that are slow are never overtaken by the result, nor overtake it", async () => {
    const { local, loop, events } = await startWorld();
    const handle = await local.member("alice").slash("optimize", { prompt: "A cat" });
    await handle.done();
    const claim = await loop.claim("text");
    await handle.waitFor((m) => textOf(m).includes("loading"));
    local.faults.onRest("PATCH", /messages\/%40original$/, { delayMs: 400 });
    loop.progress(claim, "rewrite", 5, 10);
    await new Promise((resolve) => setTimeout(resolve, 100));
    loop.progress(claim, "rewrite", 6, 10);
    const delivered = nextEvent(events, "job.delivered");
    await loop.rewrite(claim);
    loop.progress(claim, "rewrite", 7, 10);
    await delivered;
    // A status that slipped through would come within a few gaps.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(isFinal(handle.message!)).toBe(true);
    expect(edits(local).filter((line) => /token [67]/.test(line))).toEqual([]);
    expect(edits(local).at(-2)).toContain("token 5 of 10");
  });

  it("stop shortly before the token ends, and say where the result will come", async () => {
    let receipts = 0;
    // The first reading of the clock is at receipt: 14 minutes less a moment ago.
    const now = () => Date.now() - (receipts++ === 0 ? 14 * 60_000 - 300 : 0);
    const { local, loop } = await startWorld({ bot: { now } });
    const handle = await local.member("alice").slash("optimize", { prompt: "A cat" });
    await handle.waitFor((m) => textOf(m).includes("longer than Discord lets me edit"));
    const count = edits(local).length;
    const claim = await loop.claim("text");
    loop.progress(claim, "rewrite", 5, 10);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(edits(local)).toHaveLength(count);
    expect(handle.message?.components).toHaveLength(1);
  });

  it("that fail do no harm: the next one comes through", async () => {
    const { local, loop, problems } = await startWorld();
    const handle = await local.member("alice").slash("optimize", { prompt: "A cat" });
    await handle.done();
    // discord.js tries a 5xx four times.
    local.faults.onRest("PATCH", /messages\/%40original$/, { status: 502 }, 4);
    const claim = await loop.claim("text");
    await new Promise((resolve) => setTimeout(resolve, 300));
    loop.progress(claim, "rewrite", 5, 10);
    await handle.waitFor((m) => textOf(m).includes("token 5 of 10"));
    expect(problems).toContain("warn: A status was not shown (transient)");
  });

  it("go on after a restart, in the same message", async () => {
    const world = await startWorld();
    const handle = await world.local.member("alice").slash("optimize", { prompt: "A cat" });
    await handle.done();
    await world.bot.stop();
    const bot = makeBot(world);
    await bot.start();
    const claim = await world.loop.claim("text");
    world.loop.progress(claim, "rewrite", 5, 10);
    await handle.waitFor((m) => textOf(m).includes("token 5 of 10"));
    await world.loop.rewrite(claim);
    await handle.waitFor(isFinal);
    await bot.stop();
  });
});

describe("50 jobs at once", () => {
  it("are all accepted, shown and delivered without one 429", { timeout: 60_000 }, async () => {
    // The times of the real program, except that messages are edited somewhat more often.
    const timing = { editGapMs: 1_000, editsPerSecond: 20, positionsGapMs: 500 };
    const { local, loop, queue, problems } = await startWorld({ bot: { timing } });
    const people = ["alice", "bob", "admin"].map((name) => local.member(name));
    const startedAt = performance.now();
    const handles = await Promise.all(
      [...Array(50).keys()].map((i) => people[i % 3]!.slash("optimize", { prompt: `Prompt ${i}` })),
    );
    const acknowledgedMs = performance.now() - startedAt;
    await Promise.all(handles.map((handle) => handle.done({ timeoutMs: 15_000 })));
    expect((await queue.depth()).queued).toBe(50);
    for (let i = 0; i < 50; i++) {
      const claim = await loop.claim("text");
      loop.progress(claim, "rewrite", 10, 75);
      await loop.rewrite(claim);
    }
    const results = await Promise.all(
      handles.map((handle) => handle.waitFor(isFinal, { timeoutMs: 30_000 })),
    );
    expect(new Set(results.map(({ id }) => id)).size).toBe(50);
    for (const [i, result] of results.entries())
      expect(textOf(result)).toContain(`Prompt ${i}**, highly detailed`);

    const calls = local.transcript.rest();
    expect(calls.filter(({ status }) => status === 429)).toEqual([]);
    expect(acknowledgedMs).toBeLessThan(within(3_000));
    expect(problems.filter((line) => line.startsWith("error"))).toEqual([]);
    const patches = calls.filter(({ method }) => method === "PATCH").length;
    expect(patches).toBeLessThan(50 * 4);
  });
});
