import { readFile } from "node:fs/promises";
import { parse } from "csv-parse/sync";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dayOf } from "../../src/core/quota.js";
import { readPngText } from "../../src/pictures/png.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { startBatch } from "../support/batch.js";
import { hasResult, jobOf } from "../support/message.js";

/** Styles and the use of the card with the real loop, workers and (miniature) models. */

const WAIT = { timeoutMs: 100_000 };
const PROMPT = "a red apple";

let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;

beforeAll(async () => {
  folder = temporaryFolder();
  app = await startApp(folder.path, { IMAGE_STEPS: "2" });
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

const draw = async (options: Record<string, string | number>) => {
  const handle = await app.local.member("alice").slash("compare", { seed: 5, ...options });
  const message = await handle.waitFor(hasResult, WAIT);
  const job = (await app.queue.get(jobOf(message)))!;
  const item = job.items[0]!;
  const bytes = await Promise.all(
    [item.pictures.baseline, item.pictures.optimized].map((picture) =>
      readFile(`${app.config.picturesDir}/${job.id}/${picture!.file}`),
    ),
  );
  const pixels = await Promise.all(bytes.map((png) => sharp(png).raw().toBuffer()));
  return { message, job, item, bytes, pixels };
};

test("both sides are drawn as their texts with the style's words; Promptist reads the prompt alone", async () => {
  const admin = app.local.member("admin");
  await admin.slash("style save", { title: "Blue", words: "a blue {prompt}, at night", without: "red" });
  const styled = await draw({ prompt: PROMPT, style: "blue" });
  const plain = await draw({ prompt: PROMPT });
  expect(styled.item.prompt).toBe(PROMPT);
  expect(styled.item.rewrite).toBe(plain.item.rewrite);
  expect(styled.pixels[0]!.equals(plain.pixels[0]!)).toBe(false);
  // The same texts written out are the same pictures.
  const written = await draw({ prompt: `a blue ${PROMPT}, at night`, negative: "red" });
  expect(written.item.prompt).toBe(`a blue ${PROMPT}, at night`);
  expect(styled.pixels[0]!.equals(written.pixels[0]!)).toBe(true);
  const { parameters, promptist } = readPngText(styled.bytes[1]!);
  expect(parameters).toMatch(
    new RegExp(`^a blue ${styled.item.rewrite}, at night\nNegative prompt: red\nSteps: 2`),
  );
  expect(JSON.parse(promptist!)).toMatchObject({
    prompt: `a blue ${styled.item.rewrite}, at night`,
    negative: "red",
    style: { name: "Blue", prompt: "a blue {prompt}, at night", negative: "red" },
    plain: { prompt: styled.item.rewrite, negative: "" },
    original: PROMPT,
  });

  // A picture without a style is drawn without the channel's.
  await admin.slash("settings set", { name: "style", value: "woodcut" });
  const bare = await draw({ from: { name: "picture.png", data: plain.bytes[0]! } as never });
  expect(bare.pixels[0]!.equals(plain.pixels[0]!)).toBe(true);
  await admin.slash("settings reset", { name: "style" });

  // A picture's file, and a report, draw the same again when the style is gone.
  await admin.slash("style remove", { title: "blue" });
  const again = await draw({
    prompt: PROMPT,
    from: { name: "picture.png", data: styled.bytes[0]! } as never,
  });
  expect(again.job.image).toMatchObject({ negative: "", style: { name: "Blue" } });
  expect(again.pixels[0]!.equals(styled.pixels[0]!)).toBe(true);

  const used = await app.store.usage.spent({ userId: app.local.member("alice").id });
  const spent = [styled, plain, written, bare, again].flatMap(({ item: { rewriteMs, pictures } }) => [
    rewriteMs ?? 0,
    pictures.baseline?.ms ?? 0,
    pictures.optimized?.ms ?? 0,
  ]);
  expect(used.map(({ day }) => day)).toContain(dayOf(Date.now()));
  const total = used.reduce((sum, { ms }) => sum + ms, 0);
  expect(Math.abs(total - spent.reduce((sum, ms) => sum + ms, 0))).toBeLessThan(spent.length);
});

test("a report with a style draws the same pictures again", async () => {
  const alice = app.local.member("alice");
  const file = { name: "prompts.csv", data: `prompt,style,seed\n${PROMPT},woodcut,5\na cat,,6\n` };
  const first = await (await startBatch(alice, file)).waitFor(hasResult, WAIT);
  const csv = await alice.download(first.attachments.find(({ filename }) => filename === "report.csv")!);
  const [row, other] = parse(csv, { columns: true }) as Record<string, string>[];
  expect(row).toMatchObject({
    original: PROMPT,
    style: "woodcut",
    style_negative: "photo, gradients, gloss",
  });
  expect(other).toMatchObject({ style: "", style_prompt: "" });
  const second = await (await startBatch(alice, { name: "report.csv", data: csv })).waitFor(hasResult, WAIT);
  const [before, after] = await Promise.all(
    [first, second].map(async (it) => (await app.queue.get(jobOf(it)))!),
  );
  const pixels = (job: NonNullable<typeof before>) =>
    Promise.all(
      job.items.map((item) =>
        sharp(`${app.config.picturesDir}/${job.id}/${item.pictures.optimized!.file}`).raw().toBuffer(),
      ),
    );
  const [a, b] = [await pixels(before!), await pixels(after!)];
  expect(a.map((one, i) => one.equals(b[i]!))).toEqual([true, true]);
  expect(after!.items[1]!.image?.style ?? after!.image.style).toBeUndefined();
});
