import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ApiMessage } from "local-discord/testing";
import { describe, expect, it } from "vitest";
import type { PictureJudgement } from "../../src/core/judgement.js";
import { hasButton } from "../support/batch.js";
import { isFinal, nextEvent, PASSED, startWorld, type World } from "../support/bot-world.js";
import { textOf } from "../support/message.js";
import { oneDevice } from "../support/paces.js";

const FLAGGED: PictureJudgement = { ...PASSED, safety: { flagged: true, concepts: [4] } };

/** The picture in the embed, which Discord does not list among the files, and the files beside it. */
const names = (message: ApiMessage | null | undefined) => [
  ...(message?.embeds ?? []).flatMap(({ image }) =>
    image?.url === undefined ? [] : [basename(new URL(image.url).pathname)],
  ),
  ...(message?.attachments ?? []).map(({ filename }) => filename),
];

/** The job that a command or press makes. */
async function jobOf(world: World, act: () => Promise<unknown>) {
  const stored = nextEvent(world.events, "job.enqueued");
  await act();
  const { jobId } = await stored;
  return (await world.queue.get(jobId))!;
}

const SMALL = { prompt: "A cat", x: "steps=10,20", y: "guidance=3,7.5", seed: 7 };

async function finished(world: World, options: Record<string, string | number> = SMALL) {
  const handle = await world.local.member("alice").slash("grid", options);
  await handle.waitFor((message) => message.embeds.length > 0);
  await world.loop.runNext();
  const message = await handle.waitFor(isFinal);
  const id = /Job `(\w+)`/.exec(textOf(message))![1]!;
  return { message, job: (await world.queue.get(id))! };
}

describe("a grid", () => {
  it("of up to four pictures starts at once and draws the prompt as written, with no rewrite", async () => {
    const world = await startWorld();
    const { message, job } = await finished(world);
    expect(job).toMatchObject({ kind: "grid", state: "done", image: { seed: 7 } });
    expect(job.items.map(({ only, rewrite, seed, image }) => ({ only, rewrite, seed, image }))).toEqual(
      [
        { guidance: 3, steps: 10 },
        { guidance: 3, steps: 20 },
        { guidance: 7.5, steps: 10 },
        { guidance: 7.5, steps: 20 },
      ].map((image) => ({ only: "baseline", rewrite: null, seed: 7, image })),
    );
    expect(names(message)).toEqual([`${job.id}-grid.png`]);
    expect(textOf(message)).toContain("A cat");
    expect(textOf(message)).toContain("→ **steps** `10`, `20`\n↓ **guidance** `3`, `7.5`");
  });

  it("with more pictures tells its cost first, and Start makes it the job's message", async () => {
    const estimateMs = ({ texts, pictures, steps }: { texts: number; pictures: number; steps: number }) =>
      texts * 1000 + pictures * 1000 + steps * 100;
    const world = await startWorld({ bot: { paces: () => oneDevice(estimateMs) } });
    const alice = world.local.member("alice");
    const options = { prompt: "A cat", x: "steps=10-30 (+10)", y: "seed=1-2", text: "rewrite" };
    const handle = await alice.slash("grid", options);
    const draft = await handle.waitFor((message) => hasButton(message, "Start"));
    expect(textOf(draft)).toContain("6 pictures in a grid, 3 across and 2 down.");
    expect(textOf(draft)).toContain("All are drawn from the rewrite.");
    // One rewrite for all, six pictures, 120 steps.
    expect(textOf(draft)).toContain("Takes about 20 s on this machine.");
    expect((await world.queue.depth()).queued).toBe(0);
    const job = await jobOf(world, () => alice.press(draft, "Start"));
    expect(job.grid).toEqual({
      x: { name: "steps", values: ["10", "20", "30"] },
      y: { name: "seed", values: ["1", "2"] },
    });
    expect(job.items.map(({ seed, only }) => [seed, only])).toEqual(
      [1, 1, 1, 2, 2, 2].map((seed) => [seed, "optimized"]),
    );
    await world.loop.runNext();
    const result = await handle.waitFor(isFinal);
    expect(textOf(result)).toContain("A cat, highly detailed, artstation");
    // The seeds are an axis, so there is no other one to choose.
    expect(hasButton(result, "New seed")).toBe(false);
  });

  it.each([
    [
      { x: "colour=red" },
      /`colour` is not known. `x` takes a name and values, such as `steps=10,20,30,50`; the names are steps,/,
    ],
    [{ x: "steps=10,many" }, /`many` can't be used for `steps`, which takes a whole number from 1 to 100\./],
    [{ x: "steps=10,20", y: "steps=1" }, /Both axes are `steps`\./],
    [{ x: "seed=1-6", y: "guidance=1-5" }, /would have 30 pictures, and no more than 25 are allowed here/],
    [{ x: "steps=10", y: "seed=1-100" }, /would have 100 pictures/],
  ])("%j is refused privately, in words", async (axes, sentence) => {
    const world = await startWorld();
    const refused = await world.local.member("alice").slash("grid", { prompt: "A cat", ...axes });
    expect(refused.ephemeral).toBe(true);
    expect(refused.message?.content).toMatch(sentence);
    expect((await world.queue.depth()).queued).toBe(0);
  });

  it("has as many pictures as the server allows, and no word that it refuses", async () => {
    const world = await startWorld();
    const { guildId } = world.local;
    await world.settings.set("server", guildId, "maxCells", 3, "admin");
    await world.settings.set("server", guildId, "refusedWords", ["blood"], "admin");
    const alice = world.local.member("alice");
    const large = await alice.slash("grid", SMALL);
    expect(large.message?.content).toContain("4 pictures, and no more than 3 are allowed here");
    const word = await alice.slash("grid", { prompt: "A cat", x: "negative=blurry,blood" });
    expect(word.message?.content).toContain("`blood` is not allowed here");
  });

  it("completes its axes with examples and what they stand for", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const all = await alice.autocomplete("grid", { prompt: "A cat", x: "" }, "x");
    expect(all.map(({ value }) => value)).toContain("steps=10,20,30,50");
    const own = await alice.autocomplete("grid", { prompt: "A cat", x: "steps=10-50 (+20)" }, "x");
    expect(own[0]).toEqual({ name: "steps=10-50 (+20) → 10, 30, 50", value: "steps=10-50 (+20)" });
    const next = await alice.autocomplete(
      "grid",
      { prompt: "A cat", x: "seed=1", y: "scheduler=euler,dd" },
      "y",
    );
    expect(next[0]?.value).toBe("scheduler=euler,ddim");
  });

  it("opens one cell for whoever asks, who compares or posts it with the same options", async () => {
    const world = await startWorld();
    const { message, job } = await finished(world);
    const bob = world.local.member("bob");
    const opened = await bob.select(message, "Open one picture: compare or post it", ["3"]);
    await expect.poll(() => names(opened.message)).toEqual(["4-baseline.png"]);
    expect(opened.ephemeral).toBe(true);
    expect(textOf(opened.message)).toContain("**steps 20 · guidance 7.5**");
    const refused = await bob.press(opened.message, "Post it here");
    expect(refused.message?.content ?? refused.followUps[0]?.content).toContain("Only the person who asked");

    const alice = world.local.member("alice");
    const cell = await alice.select(message, "Open one picture: compare or post it", ["1"]);
    await expect.poll(() => names(cell.message)).toHaveLength(1);
    const pair = await jobOf(world, () => alice.press(cell.message, "Compare with its rewrite"));
    expect(pair).toMatchObject({
      kind: "compare",
      parentId: job.id,
      image: { steps: 20, guidance: 3, seed: 7 },
    });
    expect(pair.items).toMatchObject([{ prompt: "A cat", rewrite: null, seed: 7 }]);
    expect(pair.items[0]?.only).toBeUndefined();
    await world.loop.runNext();
    const posted = nextEvent(world.events, "job.enqueued");
    const press = await alice.press(cell.message, "Post it here");
    const single = (await world.queue.get((await posted).jobId))!;
    expect(single).toMatchObject({ kind: "compare", phase: "image", image: { steps: 20, guidance: 3 } });
    expect(single.items).toMatchObject([{ prompt: "A cat", rewrite: null, only: "baseline", seed: 7 }]);
    await world.loop.runNext();
    const result = await press.waitFor(isFinal);
    expect(names(result)).toEqual([`${single.id}-7-baseline.png`]);
    expect(result.embeds[0]?.title).toBe("As written");
    // From there on it is a result as any other.
    const drawn = await jobOf(world, () => alice.press(result, "Draw the pair"));
    expect(drawn.items).toMatchObject([{ prompt: "A cat", rewrite: null, seed: 7 }]);
    expect(drawn.items[0]?.only).toBeUndefined();
  });

  it("is drawn again from a new seed or for another prompt, with all its cells", async () => {
    const world = await startWorld();
    const { message, job } = await finished(world);
    const alice = world.local.member("alice");
    const again = await jobOf(world, () => alice.press(message, "New seed"));
    expect(again).toMatchObject({ kind: "grid", grid: job.grid, parentId: job.id });
    expect(again.image.seed).not.toBe(7);
    expect(again.items.map(({ image }) => image)).toEqual(job.items.map(({ image }) => image));
    expect(new Set(again.items.map(({ seed }) => seed))).toEqual(new Set([again.image.seed]));
    const history = await alice.slash("history");
    const repeat = await alice.select(history.message, "Do one again, from a new seed", [job.id]);
    const draft = await repeat.waitFor((it) => hasButton(it, "Start"));
    expect(textOf(draft)).toContain("4 pictures in a grid, 2 across and 2 down.");
  });

  it("loses cells that are taken out, and says so", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await alice.slash("grid", SMALL);
    await handle.waitFor((it) => hasButton(it, "Take pictures out"));
    const menu = await alice.press(handle.message, "Take pictures out");
    await alice.select(menu.message, "Pictures 1 to 4", ["3"]);
    const taken = async () => (await world.queue.open())[0]?.items.map(({ cancelled }) => cancelled);
    await expect.poll(taken).toEqual([false, false, false, true]);
    await handle.waitFor((it) => textOf(it).includes("3 of 4 pictures left."));
  });

  it("posts a flagged cell blank, and never opens it, outside age-restricted channels", async () => {
    const world = await startWorld();
    const handle = await world.local.member("alice").slash("grid", SMALL);
    await handle.waitFor((message) => message.embeds.length > 0);
    await world.loop.runNext(undefined, (item) => ({ baseline: item === 2 ? FLAGGED : PASSED }));
    const message = await handle.waitFor(isFinal);
    const id = /Job `(\w+)`/.exec(textOf(message))![1]!;
    const shown = await fetch(message.embeds[0]!.image!.url);
    const variant = await readFile(join(world.picturesDir, id, "contact-sheet-1-withheld.png"));
    expect(Buffer.from(await shown.arrayBuffer()).equals(variant)).toBe(true);
    expect(textOf(message)).toContain("is withheld");
    const cell = await world.local
      .member("alice")
      .select(message, "Open one picture: compare or post it", ["2"]);
    await expect.poll(() => textOf(cell.message)).toContain("is withheld");
    expect(names(cell.message)).toEqual([]);
  });

  it("is shown again by /show, and Info has its cells and report", async () => {
    const world = await startWorld();
    const { message, job } = await finished(world);
    const alice = world.local.member("alice");
    const shown = await alice.slash("show", { id: job.id });
    await shown.waitFor((it) => names(it).includes(`${job.id}-grid.png`));
    const info = await alice.press(message, "Info");
    await expect.poll(() => names(info.message)).toHaveLength(4);
    expect(textOf(info.message)).toContain("→ **steps** `10`, `20`");
    const part = await alice.slash("show", { id: job.id, part: 1 });
    await part.waitFor((it) => names(it).some((name) => name.endsWith(".zip")));
  });

  it("is erased with everything else of a person", async () => {
    const world = await startWorld();
    const { job } = await finished(world);
    await world.local.member("alice").slash("mydata erase", { confirm: true });
    await expect.poll(async () => world.queue.get(job.id)).toBeUndefined();
  });
});
