import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AppEvents } from "../../src/core/events.js";
import { SIDES } from "../../src/core/side.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { startBatch } from "../support/batch.js";
import { ownText } from "../support/own-text.js";

/** Real discord.js, real queue, real workers and real (miniature) models; only the pictures are poor. */

const SEVEN = [
  "A cat in the rain",
  "A fantasy castle",
  "Fear",
  "A cyberpunk detective standing in neon rain with a robotic arm",
  "A beautiful sunset over the mountains",
  "Portrait of a warrior",
  "The starry night by Van Gogh",
];
const WAIT = { timeoutMs: 60_000 };
const isPid = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;
const phases: AppEvents["phase.started"][0][] = [];
const exits: AppEvents["worker.exited"][0][] = [];

beforeAll(async () => {
  folder = temporaryFolder();
  app = await startApp(folder.path);
  app.events.on("phase.started", (event) => phases.push(event));
  app.events.on("worker.exited", (event) => exits.push(event));
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

test("/compare makes a rewrite and two pictures from one seed, one model at a time, each in a process that ends", async () => {
  const alice = app.local.member("alice");
  phases.length = exits.length = 0;
  const handle = await alice.slash("compare", { prompt: "A cat in the rain", seed: 7, steps: 4 });
  const message = await handle.waitFor((m) => m.attachments.length >= 2, WAIT);

  expect(phases.map(({ phase }) => phase)).toEqual(["text", "image"]);
  await expect.poll(() => exits.length).toBe(2);
  for (const { pid } of exits) expect(isPid(pid)).toBe(false);

  const [job] = await Promise.all(readdirSync(app.config.picturesDir).map((id) => app.queue.get(id)));
  const item = job!.items[0]!;
  expect(job!.state).toBe("done");
  const texts = SIDES.map((side) =>
    ownText(join(app.config.picturesDir, job!.id, item.pictures[side]!.file)),
  );
  expect(texts.map((text) => text.seed)).toEqual([7, 7]);
  expect(texts[0]).toMatchObject({
    prompt: "A cat in the rain",
    steps: 4,
    guidance: 2,
    scheduler: "pndm",
  });
  expect(texts[1]!.prompt).toBe(item.rewrite);
  const pair = { original: "A cat in the rain", rewrite: item.rewrite };
  expect(texts).toMatchObject([
    { side: "baseline", ...pair },
    { side: "optimized", ...pair },
  ]);

  const files = await Promise.all(message.attachments.map((attachment) => alice.download(attachment)));
  for (const file of files) expect((await sharp(file).metadata()).format).toMatch(/png|jpeg|webp/);
});

test("/optimize posts the rewrite and never starts an image phase", async () => {
  phases.length = 0;
  const alice = app.local.member("alice");
  const handle = await alice.slash("optimize", { prompt: "A fantasy castle" });
  await handle.done();
  await expect
    .poll(async () => (await app.queue.depth()).undelivered + (await app.queue.depth()).running, {
      timeout: WAIT.timeoutMs,
    })
    .toBe(0);
  await expect.poll(() => phases.map(({ phase }) => phase), { timeout: 60_000 }).toEqual(["text"]);
  await handle.waitFor((m) => JSON.stringify(m).includes("fantasy castle"), WAIT);
});

test("/batch of pairs posts a contact sheet and prompts.json and never loads Promptist", async () => {
  phases.length = 0;
  const pairs = SEVEN.slice(0, 3).map((original) => ({
    original,
    optimized: `${original}, highly detailed`,
  }));
  const handle = await startBatch(app.local.member("bob"), {
    name: "prompts.json",
    data: JSON.stringify(pairs),
  });
  const message = await handle.waitFor(
    (m) => m.attachments.some(({ filename }) => filename === "prompts.json"),
    WAIT,
  );
  expect(phases.map(({ phase }) => phase)).toEqual(["image"]);
  const record = message.attachments.find(({ filename }) => filename === "prompts.json")!;
  const posted = JSON.parse(Buffer.from(await app.local.member("bob").download(record)).toString("utf8"));
  expect(posted).toEqual(pairs);
  // Discord lists a file shown in an embed only in the embed.
  const sheet = message.embeds[0]?.image?.url ?? "";
  expect(sheet).toMatch(/contact-sheet/);
  const { width, height } = await sharp(await app.local.member("bob").download({ url: sheet })).metadata();
  expect(Math.min(width, height)).toBeGreaterThan(200);
});

test("twenty waiting comparisons load each model once", async () => {
  phases.length = 0;
  const people = ["alice", "bob"].map((name) => app.local.member(name));
  const handles = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      people[i % 2]!.slash("compare", { prompt: `${SEVEN[i % 7]} ${i}`, seed: i, steps: 1 }),
    ),
  );
  // A rewrite that changes nothing has one picture.
  await Promise.all(
    handles.map((handle) => handle.waitFor((m) => m.attachments.length >= 1, { timeoutMs: 120_000 })),
  );
  // The first command may get its own phase before the others arrive.
  expect(phases.filter(({ phase }) => phase === "text").length).toBeLessThanOrEqual(2);
  expect(phases.filter(({ phase }) => phase === "image").length).toBeLessThanOrEqual(2);
}, 180_000);

test("cancelling a running job stops it between two steps and says so", async () => {
  const alice = app.local.member("alice");
  const running = new Promise<void>((resolve) => {
    app.events.on("job.progress", ({ phase, steps }) => {
      if (phase === "image" && steps > 50) resolve();
    });
  });
  const handle = await alice.slash("compare", { prompt: "Fear", steps: 100, seed: 1 });
  await running;
  await alice.press(handle.message, "Cancel");
  await handle.waitFor((m) => /cancelled/i.test(JSON.stringify(m)), WAIT);
});

test("a restart finishes running work and keeps what is done", async () => {
  const alice = app.local.member("alice");
  const drawn = new Promise<string>((resolve) => {
    app.events.on("job.item", ({ jobId, phase, item }) => {
      if (phase === "image" && item === 1) resolve(jobId);
    });
  });
  const handle = await startBatch(alice, { name: "seven.txt", data: SEVEN.join("\n") });
  const jobId = await drawn;
  await app.stop();
  const first = join(app.config.picturesDir, jobId, "1-baseline.png");
  const before = readFileSync(first);

  app = await startApp(folder.path);
  // The restarted local Discord kept its messages, so the command's own answer becomes the result.
  const { id } = handle.message!;
  await app.local
    .member("alice")
    .waitFor((m) => m.id === id && m.attachments.some(({ filename }) => filename === "prompts.json"), WAIT);
  const job = await app.queue.get(jobId);
  expect(job?.state).toBe("done");
  expect(
    job?.items.every((item) =>
      existsSync(join(app.config.picturesDir, jobId, item.pictures.optimized!.file)),
    ),
  ).toBe(true);
  expect(readFileSync(first).equals(before)).toBe(true);
}, 120_000);

test("a second program on the same data folder is refused with a sentence", async () => {
  await expect(startApp(folder.path)).rejects.toThrow(/Another Promptist is running/);
});
