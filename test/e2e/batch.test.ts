import { join } from "node:path";
import { parse } from "csv-parse/sync";
import type { ApiMessage } from "local-discord/testing";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AppEvents } from "../../src/core/events.js";
import type { Job, Picture } from "../../src/core/job.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { hasButton, startBatch } from "../support/batch.js";
import { jobOf, textOf } from "../support/message.js";

/** Batches with the real loop and workers, and (miniature) models. */

const WAIT = { timeoutMs: 100_000 };

let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;
const seen = {
  progress: [] as AppEvents["job.progress"][0][],
  sheets: [] as AppEvents["job.sheet"][0][],
};

beforeAll(async () => {
  folder = temporaryFolder();
  app = await startApp(folder.path, { PREVIEW: "on", MAX_SIDE: "512" });
  app.events.on("job.progress", (event) => seen.progress.push(event));
  app.events.on("job.sheet", (event) => seen.sheets.push(event));
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

const pixels = (job: Job, picture: Picture | null) =>
  sharp(join(app.config.picturesDir, job.id, picture?.file ?? ""))
    .raw()
    .toBuffer();
const isDone = (message: ApiMessage) => message.embeds[0]?.color === 0x22c55e;

/** The pixels of a job's picture; its texts tell the pair that it belongs to. */
const pixelsOf = (of: Job, picture: Picture | null): Promise<Buffer> =>
  sharp(join(app.config.picturesDir, of.id, picture?.file ?? ""))
    .raw()
    .toBuffer();

describe("a batch of eleven", () => {
  let first: Job;
  let report: ApiMessage;

  test("posts a sheet after ten, and the second with the report and the checkpoints' hashes", async () => {
    const alice = app.local.member("alice");
    const pairs = Array.from({ length: 11 }, (_, i) => ({
      original: `A cat number ${i}`,
      optimized: `A cat number ${i}, highly detailed`,
    }));
    const handle = await startBatch(
      alice,
      { name: "pairs.json", data: JSON.stringify(pairs) },
      { steps: 2, guidance: 3, scheduler: "euler-ancestral", negative: "blurry" },
    );
    const sheet = await alice.waitFor((m) => textOf(m).startsWith("Prompts 1 to 10 of 11."), WAIT);
    expect(sheet.embeds[0]?.image?.url).toContain("contact-sheet-1.png");
    report = await handle.waitFor(isDone, WAIT);
    expect(textOf(report)).toContain("11 prompts, 22 pictures.");
    first = (await app.queue.get(jobOf(report)))!;
    expect(first.sheets.map(({ items }) => items.length)).toEqual([10, 1]);
    expect(seen.sheets).toHaveLength(2);
    expect(first.hashes.diffusion).toMatch(/^[0-9a-f]{64}$/);
    expect(first.hashes.promptist).toBeNull();
  });

  test("is drawn again from its report, with every row the same to the last pixel", async () => {
    const alice = app.local.member("alice");
    const csv = await alice.download(report.attachments.find((it) => it.filename === "report.csv")!);
    const handle = await startBatch(alice, { name: "report.csv", data: csv.toString() });
    const again = (await app.queue.get(jobOf(await handle.waitFor(isDone, WAIT))))!;
    expect(again.id).not.toBe(first.id);
    expect(again.parentId).toBeNull();
    expect(again.items).toHaveLength(11);
    for (const [i, item] of again.items.entries()) {
      const before = first.items[i]!;
      const [a, b] = await Promise.all([
        pixels(first, before.pictures.baseline),
        pixels(again, item.pictures.baseline),
      ]);
      expect(a.equals(b)).toBe(true);
      const [c, d] = await Promise.all([
        pixels(first, before.pictures.optimized),
        pixels(again, item.pictures.optimized),
      ]);
      expect(c.equals(d)).toBe(true);
      expect(a.equals(c)).toBe(false);
    }
    // Seeds must differ between rows, or the check above would prove little.
    const [a, b] = await Promise.all([1, 2].map((i) => pixels(first, first.items[i]!.pictures.baseline)));
    expect(a!.equals(b!)).toBe(false);
  });

  test("draws the same pixels as /compare with one row's options", async () => {
    const alice = app.local.member("alice");
    const csv = await alice.download(report.attachments.find((it) => it.filename === "report.csv")!);
    const row = (parse(csv, { columns: true }) as Record<string, string>[])[6]!;
    const handle = await alice.slash("compare", {
      prompt: row.original!,
      seed: Number(row.seed),
      steps: Number(row.steps),
      guidance: Number(row.guidance),
      scheduler: row.scheduler!,
      negative: row.negative!,
    });
    const message = await handle.waitFor((m) => m.attachments.length >= 2 && isDone(m), WAIT);
    const job = (await app.queue.get(jobOf(message)))!;
    const row7 = await pixelsOf(first, first.items[6]!.pictures.baseline);
    expect((await pixelsOf(job, job.items[0]!.pictures.baseline)).equals(row7)).toBe(true);
    // Another prompt with the same seed gives another picture, so the equal pixels above are no coincidence.
    expect((await pixelsOf(job, job.items[0]!.pictures.optimized)).equals(row7)).toBe(false);
  });
});

describe("pictures that the parent job drew", () => {
  test("are copied, not drawn: the baseline stays the same for another rewrite", async () => {
    const alice = app.local.member("alice");
    const handle = await alice.slash("compare", { prompt: "A fantasy castle", seed: 3, steps: 2 });
    const parent = await handle.waitFor((m) => m.attachments.length >= 2 && isDone(m), WAIT);
    const before = (await app.queue.get(jobOf(parent)))!;
    seen.progress.length = 0;
    const press = await alice.press(parent, "Edit prompt");
    const edited = await alice.submitModal(press, { text: "A fantasy castle by night" });
    const child = await edited.waitFor((m) => m.attachments.length >= 2 && isDone(m), WAIT);
    expect(new Set(seen.progress.map(({ output }) => output))).toContain("baseline");

    seen.progress.length = 0;
    const { message: menus } = await alice.press(parent, "Reword");
    const menu = menus!.components
      .flatMap((it) => it.components ?? [])
      .find((it) => it.placeholder === "Leave out added words")!;
    const words = menu.options!.map(({ value }) => value);
    const again = await alice.select(menus, "Leave out added words", words);
    // Without the added words both pictures are the same, and one is shown.
    const fewer = await again.waitFor((m) => m.attachments.length === 1 && isDone(m), WAIT);
    const after = (await app.queue.get(jobOf(fewer)))!;
    const drawn = new Set(
      seen.progress.filter(({ jobId }) => jobId === after.id).map(({ output }) => output),
    );
    expect(drawn.has("baseline")).toBe(false);
    expect(after.parentId).toBe(before.id);
    const [a, b] = await Promise.all(
      [before, after].map((job) => pixelsOf(job, job.items[0]!.pictures.baseline)),
    );
    expect(a!.equals(b!)).toBe(true);
    expect(after.items[0]!.pictures.baseline?.ms).toBeNull();
    expect(jobOf(child)).not.toBe(after.id);
  });
});

describe("words beyond the image model's 77 tokens", () => {
  test("are named even for a rewrite without pictures: the prompt's, and those that the rewrite added", async () => {
    const alice = app.local.member("alice");
    const prompt = `A cat ${"very ".repeat(75)}happy zebra`;
    const handle = await alice.slash("optimize", { prompt });
    const message = await handle.waitFor(isDone, WAIT);
    expect(textOf(message)).toMatch(/The image model can't read the end of the prompt: `.*zebra`/);
    const short = await alice.slash("optimize", { prompt: "A cat" });
    expect(textOf(await short.waitFor(isDone, WAIT))).not.toContain("The image model can't read");
  });
});

describe("a prompt that is longer than Promptist reads", () => {
  const long = `An old lighthouse, ${"a small boat, ".repeat(65)}the last words`;

  test.each(["optimize", "compare"])("is rewritten, and its end is kept and told: /%s", async (command) => {
    const alice = app.local.member("alice");
    const handle = await alice.slash(command, { prompt: long });
    const message = await handle.waitFor(isDone, WAIT);
    expect(textOf(message)).toMatch(
      /Promptist can't read such a long prompt to its end\. .*`a small boat, a small boat/,
    );
    const job = (await app.queue.get(jobOf(message)))!;
    expect(job).toMatchObject({ state: "done", failures: [] });
    expect(job.items[0]!.rewrite).toContain(`${long}, `);
    expect(job.items[0]!.notes).toContainEqual(expect.objectContaining({ code: "unread" }));
  });

  test("is named in the draft and the result of its batch, and the others are drawn", async () => {
    const alice = app.local.member("alice");
    const data = `A cat\n${long}\nA rose`;
    const handle = await alice.slash("batch", { file: { name: "prompts.txt", data } });
    const preview = await handle.waitFor((m) => hasButton(m, "Start"));
    expect(textOf(preview)).toContain("Prompt 2 is too long for Promptist to read to the end.");
    await alice.press(preview, "Start");
    const message = await handle.waitFor(isDone, WAIT);
    expect(textOf(message)).toContain("3 prompts, 6 pictures.");
    expect(textOf(message)).toContain("Promptist can't read prompt 2 to its end.");
  });
});

describe("a preview", () => {
  test("is a small WebP in the picture's shape, shown in the message while it is drawn", async () => {
    const looked = new Promise<AppEvents["job.preview"][0]>((resolve) => {
      app.events.once("job.preview", resolve);
    });
    const alice = app.local.member("alice");
    // Large enough to take several times the interval of previews on a fast machine.
    const options = { prompt: "A red house", seed: 4, steps: 100, size: "512x256" };
    const handle = await alice.slash("compare", options);
    const { data, side } = await looked;
    expect(side).toBe("baseline");
    const { format, width, height } = await sharp(data).metadata();
    expect({ format, ratio: width / height }).toEqual({ format: "webp", ratio: 2 });
    await handle.waitFor((m) => m.embeds[0]?.image?.url.includes("preview.webp") === true, WAIT);
    await alice.press(handle.message, "Cancel");
    await handle.waitFor((m) => textOf(m).includes("was cancelled"), WAIT);
  });
});
