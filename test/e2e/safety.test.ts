import { parse } from "csv-parse/sync";
import type { ApiMessage, InteractionHandle } from "local-discord/testing";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { judgementsOf } from "../../src/core/job.js";
import { pairScores } from "../../src/core/judgement.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { startBatch } from "../support/batch.js";
import { textOf } from "../support/message.js";
import { checkpointsWithSafetyChecker } from "../support/safety-fixture.js";

/**
 * The whole path of a flagged picture with nothing replaced: the miniature draws, the real safety checker's
 * code flags a harmless subject, the row keeps the verdict, and the kind of channel decides how the message
 * shows it.
 */

const WAIT = { timeoutMs: 100_000 };
const isDone = (message: ApiMessage) => message.embeds[0]?.color === 0x22c55e;
const SETTINGS = { steps: 12, seed: 3 };

let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;

beforeAll(async () => {
  folder = temporaryFolder();
  const CHECKPOINTS_DIR = await checkpointsWithSafetyChecker(folder.path, [
    { caption: "a pizza", threshold: 0.45 },
  ]);
  app = await startApp(folder.path, { CHECKPOINTS_DIR });
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

const compare = async (prompt: string, channel: string): Promise<InteractionHandle> => {
  const handle = await app.local.member("alice").slash("compare", { prompt, ...SETTINGS }, { channel });
  await handle.waitFor(isDone, WAIT);
  return handle;
};
const jobOf = async (message: ApiMessage | null) =>
  (await app.queue.get(/Job `(\w+)`/.exec(textOf(message))?.[1] ?? ""))!;

test("a picture of another subject passes, has scores, and is shown everywhere", async () => {
  const { message } = await compare("a rocket", "general");
  const job = await jobOf(message);
  const judgements = judgementsOf(job.items[0]!);
  const { baseline, optimized } = judgements;
  expect(baseline?.safety).toEqual({ flagged: false, concepts: [] });
  expect(optimized?.safety).toEqual({ flagged: false, concepts: [] });
  const { reward, judge } = pairScores(judgements);
  expect(judge).toContain("miniature");
  expect(textOf(message)).toContain("Judges: ");
  const info = await app.local.member("alice").press(message, "Info");
  const sign = reward! > 0 ? "+" : reward! < 0 ? "−" : "";
  await info.waitFor((m) => textOf(m).includes(`reward ${sign}`));
  expect(message?.attachments.some(({ filename }) => filename.startsWith("SPOILER_"))).toBe(false);
});

test("a flagged subject is withheld in one channel, and a spoiler in an age-restricted one", async () => {
  const { message } = await compare("a pizza", "general");
  const job = await jobOf(message);
  expect(job.items[0]?.pictures.baseline?.judgement?.safety).toEqual({ flagged: true, concepts: [0] });
  expect(textOf(message)).toContain("the safety checker flagged");
  expect(message?.attachments.some(({ filename }) => filename.includes("-baseline"))).toBe(false);

  const dark = await compare("a pizza", "after-dark");
  expect(dark.message?.attachments).not.toHaveLength(0);
  expect(dark.message?.attachments.every(({ filename }) => filename.startsWith("SPOILER_"))).toBe(true);
  expect(textOf(dark.message)).toContain("Behind a click");
});

test("a picture copied by a later job keeps its verdict and scores, and is withheld there too", async () => {
  const alice = app.local.member("alice");
  const { message } = await compare("a pizza", "general");
  const parent = await jobOf(message);
  const menus = (await alice.press(message, "Reword")).message;
  const menu = menus!.components
    .flatMap((row) => row.components ?? [])
    .find((it) => it.custom_id === `beam:${parent.id}`)!;
  const again = await alice.select(menus, menu.custom_id!, [menu.options![0]!.value]);
  const child = await jobOf(await again.waitFor(isDone, WAIT));
  expect(child.parentId).toBe(parent.id);
  // Copied, not drawn.
  expect(child.items[0]?.pictures.baseline?.ms).toBeNull();
  expect(child.items[0]?.pictures.baseline?.judgement).toEqual(parent.items[0]?.pictures.baseline?.judgement);
  expect(again.message?.attachments.some(({ filename }) => filename.includes("-baseline"))).toBe(false);
});

test("a batch has blank panels in its sheet, and its report marks the flagged rows", async () => {
  const alice = app.local.member("alice");
  const pairs = ["a pizza", "a rocket"].map((original) => ({
    original,
    optimized: `${original}, watercolor`,
  }));
  const handle = await startBatch(
    alice,
    { name: "pairs.json", data: JSON.stringify(pairs) },
    { steps: 12, seed: 3 },
  );
  const message = await handle.waitFor(isDone, WAIT);
  const report = message.attachments.find(({ filename }) => filename === "report.csv")!;
  const rows = parse(await alice.download(report), { columns: true }) as Record<string, string>[];
  expect(rows[0]?.baseline_safety).toBe("flagged");
  expect(rows[1]?.baseline_safety).toBe("passed");
  expect(Number(rows[1]?.optimized_relevance)).toBeGreaterThan(-1);
  expect(textOf(message)).toMatch(/prompt 1 as written/i);
  expect(message.attachments.some(({ filename }) => filename.endsWith("1-baseline.png"))).toBe(false);
  expect(message.attachments.some(({ filename }) => filename.endsWith("2-baseline.png"))).toBe(true);

  // The posted sheet is the variant with blank panels.
  const url = message.embeds[0]?.image?.url ?? "";
  const posted = Buffer.from(await (await fetch(url)).arrayBuffer());
  const job = await jobOf(message);
  const whole = `${app.config.picturesDir}/${job.id}/${job.sheets[0]!.file}`;
  const pixels = (file: string | Buffer) => sharp(file).raw().toBuffer();
  expect(await pixels(posted)).not.toEqual(await pixels(whole));
});
