import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it, onTestFinished } from "vitest";
import { Retention } from "../../src/pictures/retention.js";
import { PictureFolder } from "../../src/pictures/store.js";
import { hasButton, toldPrivately } from "../support/batch.js";
import { isFinal, nextEvent, startWorld } from "../support/bot-world.js";
import { textOf } from "../support/message.js";

describe("a job over a limit", () => {
  it("waits outside the line with the reason, and moves up by itself when one of those in it is done", async () => {
    const world = await startWorld();
    await world.settings.set("server", world.local.guildId, "userLimit", 1, "admin");
    const alice = world.local.member("alice");
    const first = await alice.slash("optimize", { prompt: "one" });
    await first.done();
    const second = await alice.slash("optimize", { prompt: "two" });
    const waiting = await second.waitFor((m) => textOf(m).includes("Waits outside the queue"));
    expect(textOf(waiting)).toContain(
      "Waits outside the queue: you have 1 job in it, the most allowed at once. It joins the queue by itself when that one is done.",
    );
    expect(hasButton(waiting, "Cancel")).toBe(true);
    const bob = await world.local.member("bob").slash("optimize", { prompt: "three" });
    await bob.waitFor((m) => textOf(m).includes("place 2"));
    const list = await alice.slash("queue");
    expect(textOf(list.message)).toContain("outside, until another job of this person is done: Optimize by");

    await world.loop.runNext();
    await first.waitFor(isFinal);
    await second.waitFor((m) => textOf(m).includes("In the queue for rewriting: place 2."));
    await world.loop.runNext();
    await world.loop.runNext();
    await second.waitFor(isFinal);
  });

  it("is refused at the cap of the program, or of the server if that is lower", async () => {
    const limits = {
      ...{ maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 },
      inLine: { channel: 1 },
      open: { user: 2 },
    };
    const world = await startWorld({ bot: { limits } });
    // More than the program allows is no more than it allows.
    await world.settings.set("server", world.local.guildId, "userCap", 50, "admin");
    const alice = world.local.member("alice");
    await (await alice.slash("optimize", { prompt: "one" })).done();
    const second = await alice.slash("optimize", { prompt: "two" });
    await second.waitFor((m) => textOf(m).includes("this channel has 1 job in it"));
    const third = await alice.slash("optimize", { prompt: "three" });
    expect((await toldPrivately(third)).content).toMatch(/^You have 2 open jobs, the most allowed here\./);
    await alice.press(second.message, "Cancel");
    await second.waitFor(isFinal);
    await (await alice.slash("optimize", { prompt: "four" })).done();
    expect((await world.queue.depth()).queued).toBe(2);
  });
});

describe("a picture as it forms", () => {
  const webp = (background: string) =>
    sharp({ create: { width: 32, height: 32, channels: 3, background } })
      .webp()
      .toBuffer();

  it("is shown with the progress where the channel wants it, beside the side that is ready", async () => {
    const world = await startWorld();
    await world.settings.set("channel", world.local.channelId("general"), "preview", true, "admin");
    const alice = world.local.member("alice");
    const enqueued = nextEvent(world.events, "job.enqueued");
    const handle = await alice.slash("compare", { prompt: "A cat", seed: 1 });
    const { jobId } = await enqueued;
    expect((await world.queue.get(jobId))?.preview).toBe(true);
    await world.loop.rewrite(await world.loop.claim("text"));
    const claim = await world.loop.claim("image");
    world.loop.progress(claim, "baseline", 5, 50);
    const look = { jobId, item: 0, side: "baseline", harmless: true } as const;
    world.events.emit("job.preview", { ...look, data: await webp("red") });
    const forming = await handle.waitFor((m) => m.embeds[0]?.image !== undefined);
    expect(textOf(forming)).toContain("drawing as written, step 5 of 50");
    expect(forming.embeds[0]?.image?.url).toContain(`${jobId}-preview.webp`);

    await world.loop.drawBaseline(claim);
    world.loop.progress(claim, "optimized", 1, 50);
    const half = await handle.waitFor((m) => m.attachments.length === 1 && m.embeds[0]?.image === undefined);
    expect(half.attachments[0]?.filename).toContain("-baseline.png");
    world.events.emit("job.preview", { ...look, side: "optimized", data: await webp("blue") });
    const both = await handle.waitFor((m) => m.embeds[0]?.image !== undefined);
    expect(both.attachments.map(({ id }) => id)).toEqual(half.attachments.map(({ id }) => id));
    await world.loop.draw(claim);
    const result = await handle.waitFor(isFinal);
    expect(JSON.stringify(result)).not.toContain("preview.webp");
  });

  it("is not shown unasked, nor of a blind comparison, nor where pictures are hidden", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const ids: string[] = [];
    for (const blind of [false, true]) {
      const enqueued = nextEvent(world.events, "job.enqueued");
      if (blind) await world.settings.set("server", world.local.guildId, "preview", true, "admin");
      await (await alice.slash("compare", { prompt: "A cat", blind })).done();
      ids.push((await enqueued).jobId);
    }
    for (const id of ids) expect((await world.queue.get(id))?.preview).toBe(false);
    await world.settings.set("server", world.local.guildId, "spoiler", true, "admin");
    const hidden = await alice.slash("compare", { prompt: "A dog" }, { channel: "gallery" });
    await hidden.done();
    const jobs = await world.queue.open();
    for (const { id } of jobs.slice(0, 2)) await world.queue.cancel(id);
    await world.loop.rewrite(await world.loop.claim("text"));
    const claim = await world.loop.claim("image");
    world.loop.progress(claim, "baseline", 1, 2);
    const { id: jobId } = claim.job;
    world.events.emit("job.preview", {
      jobId,
      item: 0,
      side: "baseline",
      data: await webp("red"),
      harmless: true,
    });
    world.loop.progress(claim, "baseline", 2, 2);
    const shown = await hidden.waitFor((m) => textOf(m).includes("step 2 of 2"));
    expect(shown.embeds[0]?.image).toBeUndefined();
    expect(shown.attachments).toEqual([]);
  });
});

describe("pictures that were deleted to make room", () => {
  it("are missing with the reason, and Redraw asks for the same ones", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const enqueued = nextEvent(world.events, "job.enqueued");
    const delivered = nextEvent(world.events, "job.delivered");
    const handle = await alice.slash("compare", { prompt: "A cat", seed: 11, steps: 20 });
    const { jobId } = await enqueued;
    await world.loop.runNext();
    await handle.waitFor(isFinal);
    await delivered;
    const retention = new Retention({
      records: world.records,
      events: world.events,
      pictures: new PictureFolder(world.picturesDir),
      limits: { picturesMs: null, picturesBytes: 1, jobsMs: null, jobsBytes: null },
    });
    onTestFinished(() => retention.stop());
    expect((await retention.prune()).pictures).toEqual([jobId]);

    const shown = await alice.slash("show", { id: jobId });
    const message = await shown.waitFor(isFinal);
    expect(textOf(message)).toMatch(/The pictures were deleted <t:\d+:D> to make room\. Redraw makes/);
    expect(textOf(message)).toContain("A cat**, highly detailed, artstation**");
    expect(message.attachments).toEqual([]);
    await (await alice.press(message, "Redraw")).done();
    const [again] = await world.queue.open();
    const before = await world.queue.get(jobId);
    expect(again).toMatchObject({ parentId: jobId, phase: "image", kind: "compare", image: before!.image });
    expect(again?.items[0]).toMatchObject({ rewrite: before?.items[0]?.rewrite, seed: 11 });
  });
});

describe("a job that failed and lost its pictures", () => {
  it("draws them anew when it is retried", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await alice.slash("compare", { prompt: "A cat" });
    await handle.done();
    await world.loop.rewrite(await world.loop.claim("text"));
    const claim = await world.loop.claim("image");
    await world.loop.drawBaseline(claim);
    const folder = join(world.picturesDir, claim.job.id);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "x"), "x");
    await world.loop.fail(claim, "OUT_OF_MEMORY");
    await handle.waitFor(isFinal);
    await world.store.records.picturesPruned(claim.job.id);
    expect((await world.queue.requeue(claim.job.id))?.id).toBe(claim.job.id);
    expect(await world.queue.get(claim.job.id)).toMatchObject({
      picturesPrunedAt: null,
      phase: "image",
      items: [{ pictures: { baseline: null } }],
    });
  });
});
