import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { expect, test } from "vitest";
import type { PictureJudgement } from "../../src/core/judgement.js";
import type { Settings } from "../../src/core/settings.js";
import { withPngText } from "../../src/pictures/png-text.js";
import { isFinal, makeBot, PASSED, startWorld, type World } from "../support/bot-world.js";
import { oneDevice } from "../support/paces.js";

/** Going on from pictures: attached ones, and those of a result; on the local Discord with the real bot and queue. */

const FLAGGED: PictureJudgement = { ...PASSED, safety: { flagged: true, concepts: [4] } };

const text = (message: { content: string; embeds: readonly { description?: string }[] } | null | undefined) =>
  `${message?.content ?? ""}\n${message?.embeds[0]?.description ?? ""}`;

const plain = (width: number, height: number, background = "navy") =>
  sharp({ create: { width, height, channels: 3, background } });

const attached = async (name: string, picture: Sharp) => ({ name, data: await picture.toBuffer() });

async function onlyJob({ queue }: Pick<World, "queue">) {
  await expect.poll(async () => (await queue.open()).length).toBe(1);
  return (await queue.open())[0]!;
}

/** A finished comparison and its message. */
async function result(world: World, options: Record<string, string | number | boolean> = {}) {
  const alice = world.local.member("alice");
  const handle = await alice.slash("compare", { prompt: "A cat", seed: 7, ...options });
  const job = await onlyJob(world);
  await world.loop.runNext();
  return { alice, job, message: await handle.waitFor(isFinal) };
}

const buttons = (message: { readonly components: readonly unknown[] }) =>
  message.components.flatMap((row) =>
    (row as { components: { label?: string }[] }).components.map(({ label }) => label ?? ""),
  );

test("/compare image: stores the attached pixels alone, upright, and says the source and its strength", async () => {
  const world = await startWorld();
  const alice = world.local.member("alice");
  const turned = plain(40, 80)
    .jpeg()
    .withExif({ IFD0: { Copyright: "a secret" } })
    .withMetadata({ orientation: 6 });
  const image = await attached("photo.jpg", turned);
  const handle = await alice.slash("compare", { prompt: "A cat", image, strength: 0.6, pairs: 2 });
  const job = await onlyJob(world);
  const { from } = job.image;
  expect(from).toMatchObject({ strength: 0.6, accepts: ["unchecked"] });
  expect(from?.sources.baseline).toEqual(from?.sources.optimized);
  expect(from?.sources.baseline).toMatchObject({
    file: "source.png",
    sha256: expect.stringMatching(/^\w{64}$/),
  });
  expect(job.image.size).toEqual({ width: 512, height: 512 });
  expect(job.items.map(({ notes }) => notes)).toEqual([[{ code: "cropped" }], [{ code: "cropped" }]]);
  const stored = await sharp(join(world.picturesDir, job.id, "source.png")).metadata();
  expect(stored).toMatchObject({ format: "png", width: 80, height: 40 });
  expect(stored.exif).toBeUndefined();
  await world.loop.runNext();
  const message = await handle.waitFor(isFinal);
  expect(text(message)).toContain("from a picture, strength 0.6");
  expect(text(message)).toContain("The attached picture has another shape, so its middle is used.");
});

test("a moving picture gives its first frame, and a size of its own shape is not cropped", async () => {
  const world = await startWorld();
  const frames = Buffer.concat([
    await plain(64, 96, "red").raw().toBuffer(),
    await plain(64, 96, "lime").raw().toBuffer(),
  ]);
  const moving = sharp(frames, { raw: { width: 64, height: 192, channels: 3, pageHeight: 96 } });
  const image = await attached("moving.webp", moving.webp({ lossless: true }));
  await world.local.member("alice").slash("compare", { prompt: "A cat", image, size: "512x768" });
  const job = await onlyJob(world);
  expect(job.items[0]!.notes).toEqual([{ code: "first-frame" }]);
  expect(job.image).toMatchObject({ from: { strength: 0.8 }, size: { width: 512, height: 768 } });
  const { channels } = await sharp(join(world.picturesDir, job.id, "source.png")).stats();
  expect(channels.map(({ mean }) => Math.round(mean))).toEqual([255, 0, 0]);
});

test("a picture that can't be used is refused privately, and nothing of it is kept", async () => {
  const world = await startWorld({ bot: { uncheckedPictures: "withhold" } });
  const alice = world.local.member("alice");
  const bomb = plain(9000, 9000).png({ compressionLevel: 9 });
  for (const [image, sentence] of [
    [{ name: "a.png", data: Buffer.from("words") }, "Attach a PNG, JPEG or WebP file."],
    [await attached("a.png", bomb), "pixels, or one side is far longer"],
    [await attached("a.png", plain(2000, 10).png()), "one side is far longer than the other"],
    [
      { name: "a.png", data: (await plain(64, 64).png().toBuffer()).subarray(0, 90) },
      "The picture is damaged.",
    ],
  ] as const) {
    const handle = await alice.slash("compare", { prompt: "A cat", image });
    const message = await handle.waitFor((m) => m.content !== "" || m.embeds.length > 0);
    expect(text(message)).toContain(sentence);
  }
  const few = await attached("a.png", plain(64, 64).png());
  const none = await alice.slash("compare", { prompt: "A cat", image: few, steps: 2, strength: 0.3 });
  expect(text(await none.waitFor((m) => m.content !== "" || m.embeds.length > 0))).toContain("0.5");
  const noImage = await alice.slash("compare", { prompt: "A cat", strength: 0.3 });
  expect(noImage.message?.content).toContain("Attach a picture as `image`");
  expect(await world.queue.open()).toEqual([]);
  expect(existsSync(world.picturesDir) ? readdirSync(world.picturesDir) : []).toEqual([]);
});

test("a job over a cap leaves no picture behind, and erasing takes along what waits", async () => {
  const world = await startWorld({
    bot: {
      limits: {
        maxPromptLength: 1000,
        maxBatch: 20,
        maxFileBytes: 10_000,
        maxSteps: 100,
        maxPairs: 4,
        open: { user: 1 },
      },
    },
  });
  const alice = world.local.member("alice");
  const image = await attached("a.png", plain(64, 64).png());
  await alice.slash("compare", { prompt: "A cat", image });
  const job = await onlyJob(world);
  await alice.slash("compare", { prompt: "A dog", image });
  await alice.waitFor((m) => text(m).includes("open job"));
  expect(readdirSync(world.picturesDir)).toEqual([job.id]);
  const erased = await alice.slash("mydata erase", { confirm: true });
  await erased.waitFor((m) => m.content.includes("deleted"));
  expect(readdirSync(world.picturesDir)).toEqual([]);
});

test("a draft keeps its picture until Start, and Discard deletes it", async () => {
  const world = await startWorld();
  const alice = world.local.member("alice");
  const image = await attached("a.png", plain(64, 64).png());
  const from = {
    name: "b.png",
    data: await plain(8, 8)
      .png()
      .toBuffer()
      .then((data) =>
        withPngText(data, {
          parameters: "a dog\nSteps: 150, Sampler: Euler, CFG scale: 6, Seed: 5, Size: 512x512",
        }),
      ),
  };
  for (const [press, left] of [
    ["Discard", 0],
    ["Start", 1],
  ] as const) {
    const handle = await alice.slash("compare", { from, image, strength: 0.5 });
    const draft = await handle.waitFor((m) => m.components.length > 0);
    expect(text(draft)).toContain("from a picture, strength 0.5");
    expect(readdirSync(world.picturesDir)).toHaveLength(1);
    await alice.press(draft, press);
    await expect.poll(async () => (await world.queue.open()).length).toBe(left);
    await expect.poll(() => readdirSync(world.picturesDir).length).toBe(left);
  }
  const [job] = await world.queue.open();
  expect(readdirSync(world.picturesDir)).toEqual([job!.id]);
});

test("Vary draws each side from its own picture with another seed, also after a restart", async () => {
  const world = await startWorld();
  const { alice, job, message } = await result(world);
  expect(buttons(message)).toEqual(
    expect.arrayContaining(["Vary (small)", "Vary (large)", "Use left", "Use right"]),
  );
  await alice.press(message, "Vary (small)");
  const varied = await onlyJob(world);
  expect(varied).toMatchObject({
    kind: "compare",
    parentId: job.id,
    image: {
      from: {
        strength: 0.4,
        sources: {
          baseline: { file: "source-baseline.png", safety: PASSED.safety },
          optimized: { file: "source-optimized.png", safety: PASSED.safety },
        },
      },
    },
    items: [{ prompt: "A cat", rewrite: "A cat, highly detailed, artstation" }],
  });
  expect(varied.image.seed).not.toBe(7);
  const { sources } = varied.image.from!;
  expect(sources.baseline.sha256).not.toBe(sources.optimized.sha256);
  await world.bot.stop();
  const bot = makeBot(world);
  await bot.start();
  try {
    await world.loop.runNext();
    const after = await alice.waitFor((m) => isFinal(m) && text(m).includes("from a picture, strength 0.4"));
    await alice.press(after, "New seed");
    const again = await onlyJob(world);
    expect(again).toMatchObject({ parentId: varied.id, image: { from: { strength: 0.4, sources } } });
    expect(readdirSync(join(world.picturesDir, again.id)).sort()).toEqual([
      "source-baseline.png",
      "source-optimized.png",
    ]);
  } finally {
    await bot.stop();
  }
});

test("Use right goes on from the rewrite's picture with an edited prompt", async () => {
  const world = await startWorld();
  const { alice, job, message } = await result(world);
  const form = await alice.press(message, "Use right");
  expect(form.modal?.title).toBe("The prompt to go on from this picture");
  await alice.submitModal(form, { text: "A cat in the snow" });
  const next = await onlyJob(world);
  expect(next).toMatchObject({ parentId: job.id, items: [{ prompt: "A cat in the snow", rewrite: null }] });
  const { sources, strength } = next.image.from!;
  expect(strength).toBe(0.7);
  expect(sources.baseline).toEqual(sources.optimized);
  expect(sources.baseline.file).toBe("source-optimized.png");
});

test("of several pairs the buttons ask for one", async () => {
  const world = await startWorld();
  const { alice, message } = await result(world, { pairs: 2 });
  const asked = await alice.press(message, "Vary (large)");
  expect(asked.ephemeral).toBe(true);
  expect(asked.message?.content).toContain("Which pair?");
  const [row] = asked.message!.components as { components: { custom_id: string }[] }[];
  await alice.select(asked.message, row!.components[0]!.custom_id, ["1"]);
  expect(await onlyJob(world)).toMatchObject({
    items: [{ prompt: "A cat" }],
    image: { from: { strength: 0.7 } },
  });
});

test("Enlarge says what each choice costs, and draws the chosen picture over from its own seed", async () => {
  const asked: unknown[] = [];
  const estimateMs = (work: unknown) => asked.push(work) * 60_000;
  const world = await startWorld({ bot: { paces: () => oneDevice(estimateMs) } });
  const { alice, job, message } = await result(world);
  asked.length = 0;
  const menu = await alice.press(message, "Enlarge");
  expect(menu.ephemeral).toBe(true);
  expect(menu.message?.content).toContain("Which picture, and how large?");
  const [row] = menu.message!.components as {
    components: { custom_id: string; options: { label: string; description: string; value: string }[] }[];
  }[];
  const { custom_id, options } = row!.components[0]!;
  expect(options.map(({ label, description }) => [label, description])).toEqual([
    ["Left, 1.5 times: 96x96", "Takes about 1 min on this machine."],
    ["Left, 2 times: 128x128", "Takes about 2 min on this machine."],
    ["Right, 1.5 times: 96x96", "Takes about 3 min on this machine."],
    ["Right, 2 times: 128x128", "Takes about 4 min on this machine."],
  ]);
  // A third of 50 steps, on a sixteenth of the usual area.
  expect(asked[1]).toEqual({ texts: 0, pictures: 1, steps: 17 / 16 });
  await alice.select(menu.message, custom_id, [options[3]!.value]);
  const larger = await onlyJob(world);
  expect(larger).toMatchObject({
    parentId: job.id,
    image: { seed: 7, size: null, from: { strength: 0.35, enlarge: 2 } },
    items: [{ prompt: "A cat", rewrite: "A cat, highly detailed, artstation", only: "optimized", seed: 7 }],
  });
  expect(readdirSync(join(world.picturesDir, larger.id))).toEqual(["source-optimized.png"]);
  const [work] = await world.queue.work();
  expect(work).toMatchObject({ pictures: 1, steps: 50 * 0.35 * 4 });
  await world.loop.runNext();
  const after = await alice.waitFor((m) => isFinal(m) && text(m).includes("2 times as large"));
  expect(buttons(after)).toEqual(expect.arrayContaining(["Use this", "Enlarge"]));
});

test("a flagged picture is gone on from only where it may be shown, and a deleted one nowhere", async () => {
  const world = await startWorld();
  const alice = world.local.member("alice");
  const handle = await alice.slash("compare", { prompt: "A cat" });
  await onlyJob(world);
  await world.loop.runNext(undefined, () => ({ baseline: FLAGGED, optimized: PASSED }));
  const message = await handle.waitFor(isFinal);
  await alice.press(message, "Vary (small)");
  await alice.waitFor((m) => text(m).includes("It can't be gone on from here"));
  const form = await alice.press(message, "Use right");
  await alice.submitModal(form, { text: "A dog" });
  const next = await onlyJob(world);
  await world.queue.cancel(next.id);

  const [parent] = readdirSync(world.picturesDir).filter((id) => id !== next.id);
  rmSync(join(world.picturesDir, parent!), { recursive: true });
  await alice.press(message, "Vary (large)");
  await alice.waitFor((m) => text(m).includes("nothing more can be drawn from it"));
  expect(await world.queue.open()).toEqual([]);
});

test("a server that withholds unchecked pictures takes them for no source either", async () => {
  const world = await startWorld();
  const settings: Settings = { unchecked: "withhold" };
  const admin = world.local.member("admin");
  await admin.slash("settings set", { name: "unchecked", value: settings.unchecked!, scope: "server" });
  const image = await attached("a.png", plain(64, 64).png());
  await world.local.member("alice").slash("compare", { prompt: "A cat", image });
  // The worker's checker decides (test/inference/loop/source-check.test.ts).
  expect((await onlyJob(world)).image.from?.accepts).toEqual([]);
});
