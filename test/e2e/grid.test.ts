import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApp, temporaryFolder } from "../support/app.js";
import { ownText } from "../support/own-text.js";

/** The compiled program with the real miniature models. */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const WAIT = { timeoutMs: 60_000 };

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

const promptist = (...args: string[]) =>
  promisify(execFile)(process.execPath, [join(ROOT, "bin", "promptist.js"), ...args], {
    cwd: folder.path,
    env: {
      ...process.env,
      CHECKPOINTS_DIR: join(ROOT, "checkpoints"),
      DATA_DIR: join(folder.path, "cli"),
      DEVICE: "cpu",
    },
  });

describe("promptist grid", () => {
  test("draws each cell with its options, and all as one picture", async () => {
    const out = join(folder.path, "drawn");
    const axes = ["--x", "steps=2,4", "--y", "scheduler=pndm,euler"];
    const { stdout } = await promptist("grid", "A cat", ...axes, "--seed", "7", "--out", out, "--json");
    const result = JSON.parse(stdout);
    expect(result.cells.map(({ settings }: { settings: object }) => settings)).toMatchObject([
      { steps: 2, scheduler: "pndm", seed: 7 },
      { steps: 4, scheduler: "pndm", seed: 7 },
      { steps: 2, scheduler: "euler", seed: 7 },
      { steps: 4, scheduler: "euler", seed: 7 },
    ]);
    expect(result).toMatchObject({ optimized: null, checkpoints: { promptist: null } });
    // A cell is the picture that the same options draw alone.
    const alone = join(folder.path, "alone.png");
    await promptist(
      "generate",
      "A cat",
      "--steps",
      "4",
      "--scheduler",
      "euler",
      "--seed",
      "7",
      "--out",
      alone,
    );
    const pixels = (file: string) => sharp(file).raw().toBuffer();
    expect((await pixels(result.cells[3].file)).equals(await pixels(alone))).toBe(true);
    expect(ownText(result.cells[3].file)).toMatchObject({
      steps: 4,
      scheduler: "euler",
      prompt: "A cat",
    });
    expect((await sharp(result.file).metadata()).width).toBeGreaterThan(1000);
  }, 120_000);

  test("draws one rewrite in all cells, and refuses an axis in words", async () => {
    const out = join(folder.path, "rewritten");
    const { stdout } = await promptist(
      "grid",
      "A cat",
      "--x",
      "seed=1-3",
      "--text",
      "rewrite",
      "--steps",
      "2",
      "--out",
      out,
      "--json",
    );
    const result = JSON.parse(stdout);
    expect(result.optimized).toMatch(/^A cat./i);
    expect(result.cells.map(({ settings }: { settings: { seed: number } }) => settings.seed)).toEqual([
      1, 2, 3,
    ]);
    expect(ownText(result.cells[2].file)).toMatchObject({
      side: "optimized",
      original: "A cat",
      rewrite: result.optimized,
    });
    const refused = promptist("grid", "A cat", "--x", "colour=red", "--out", join(folder.path, "none"));
    await expect(refused).rejects.toMatchObject({
      stderr: expect.stringContaining(
        "There is no axis colour. An axis is a name and values, such as steps=",
      ),
    });
    expect(existsSync(join(folder.path, "none"))).toBe(false);
  }, 120_000);
});

test("/grid keeps the cells that are drawn over a restart, and rewrites the prompt once", async () => {
  const data = join(folder.path, "data");
  let app = await startApp(data);
  const stored = new Promise<string>((resolve) =>
    app.events.once("job.enqueued", ({ jobId }) => resolve(jobId)),
  );
  const texts: number[] = [];
  app.events.on("job.progress", ({ output, item }) => {
    if (output === "rewrite") texts.push(item);
  });
  const twoDrawn = new Promise<void>((resolve) => {
    let drawn = 0;
    app.events.on("job.item", ({ phase }) => {
      if (phase === "image" && ++drawn === 2) resolve();
    });
  });
  const alice = app.local.member("alice");
  await alice.slash("grid", {
    prompt: "A cat in the rain",
    x: "steps=40,41",
    y: "guidance=3,7.5",
    text: "rewrite",
    seed: 7,
  });
  const id = await stored;
  await twoDrawn;
  await app.stop();
  expect(new Set(texts)).toEqual(new Set([0]));

  app = await startApp(data);
  const before = (await app.queue.get(id))!;
  const kept = before.items.filter(({ pictures }) => pictures.optimized !== null);
  expect(kept.length).toBeGreaterThanOrEqual(2);
  const rewrites = new Set(before.items.map(({ rewrite }) => rewrite));
  expect(rewrites.size).toBe(1);
  await expect.poll(async () => (await app.queue.get(id))?.state, { timeout: WAIT.timeoutMs }).toBe("done");
  const job = (await app.queue.get(id))!;
  for (const { index, pictures } of kept) expect(job.items[index]?.pictures).toEqual(pictures);
  expect(job.sheets).toMatchObject([{ number: 1, items: [0, 1, 2, 3] }]);
  expect(job.items.every(({ pictures }) => pictures.baseline === null && pictures.optimized !== null)).toBe(
    true,
  );
  const file = join(app.config.picturesDir, id, job.sheets[0]!.file);
  expect(ownText(file)).toMatchObject({
    grid: { x: { name: "steps", values: ["40", "41"] }, y: { name: "guidance", values: ["3", "7.5"] } },
  });
  await app.stop();
}, 120_000);
