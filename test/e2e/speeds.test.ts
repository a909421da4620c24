import { execFile } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "csv-parse/sync";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPngText } from "../../src/pictures/png.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { startBatch } from "../support/batch.js";
import { hasResult, jobOf, textOf } from "../support/message.js";
import { writeTurboLora } from "../support/turbo-lora.js";

/** Speeds with the real loop, workers and (miniature) models, and a LoRA with made-up numbers. */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const WAIT = { timeoutMs: 100_000 };
const pixelsOf = (file: string | Buffer) => sharp(file).raw().toBuffer();

let folder: ReturnType<typeof temporaryFolder>;
let checkpoints: string;
beforeAll(() => {
  folder = temporaryFolder();
  checkpoints = join(folder.path, "checkpoints");
});
afterAll(() => folder?.remove());

const promptist = async (...args: string[]) => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(ROOT, "bin", "promptist.js"), ...args, "--json"],
    {
      cwd: folder.path,
      env: {
        ...process.env,
        CHECKPOINTS_DIR: checkpoints,
        DATA_DIR: join(folder.path, "cli"),
        DEVICE: "cpu",
        IMAGE_STEPS: "3",
        UNCHECKED_PICTURES: "show",
      },
    },
  );
  return JSON.parse(stdout);
};

describe("on the command line", () => {
  const generate = (name: string, ...args: string[]) =>
    promptist("generate", "A cat", "--seed", "7", "--out", join(folder.path, `${name}.png`), ...args);

  test("turbo without its LoRA is refused with what to do, and one of other shapes with its name", async () => {
    // The miniature has one of its own, which fits no model that somebody has put here.
    mkdirSync(checkpoints, { recursive: true });
    const published = join(checkpoints, "stable-diffusion-v1-5");
    symlinkSync(join(ROOT, "checkpoints/miniature/stable-diffusion"), published, "dir");
    const refusal = (promise: Promise<unknown>) =>
      promise.then(
        () => null,
        ({ code, stdout }) => ({ exit: code, ...JSON.parse(stdout).error }),
      );
    expect(await refusal(generate("refused", "--speed", "turbo"))).toMatchObject({
      exit: 1,
      code: "INPUT_SPEED",
      message: expect.stringContaining("promptist checkpoints pull lcm-lora"),
    });
    writeTurboLora(checkpoints, "lcm-lora-sdv1-5", 768);
    expect(await refusal(generate("refused", "--speed", "turbo"))).toMatchObject({
      code: "INPUT_SPEED",
      message: expect.stringContaining("lcm-lora-sdv1-5 has other shapes"),
    });
    rmSync(published);
    expect(await generate("own", "--speed", "turbo")).toMatchObject({
      settings: { speed: "turbo", steps: 4, guidance: 1, scheduler: "lcm" },
      checkpoint: "miniature + lcm-lora-miniature:1",
      calls: 4,
    });
  });

  test("a speed draws what its options draw, in a grid too", async () => {
    writeTurboLora(checkpoints);
    const turbo = await generate("turbo", "--speed", "turbo");
    expect(turbo).toMatchObject({
      settings: { speed: "turbo", steps: 4, guidance: 1, scheduler: "lcm" },
      checkpoint: "miniature + lcm-lora-sdv1-5:1",
      calls: 4,
    });
    const written = ["--lora", "lcm-lora-sdv1-5", "--scheduler", "lcm", "--steps", "4", "--guidance", "1"];
    await generate("written", ...written);
    const pixels = await pixelsOf(turbo.file);
    expect(pixels.equals(await pixelsOf(join(folder.path, "written.png")))).toBe(true);
    const longer = await generate("longer", "--speed", "turbo", "--steps", "5");
    expect(longer.calls).toBe(5);

    const out = join(folder.path, "grid");
    const grid = await promptist(
      "grid",
      "A cat",
      "--x",
      "speed=full,turbo,fast",
      "--seed",
      "7",
      "--out",
      out,
    );
    expect(grid.cells.map(({ settings }: { settings: object }) => settings)).toMatchObject([
      { speed: "full", steps: 3, scheduler: "pndm" },
      { speed: "turbo", steps: 4 },
      { speed: "fast", steps: 20, scheduler: "dpm++2m-karras" },
    ]);
    expect(pixels.equals(await pixelsOf(grid.cells[1].file))).toBe(true);
    const full = await generate("full");
    expect((await pixelsOf(full.file)).equals(await pixelsOf(grid.cells[0].file))).toBe(true);
    // What a picture of ours says is enough to draw it again.
    const said = await promptist("info", turbo.file);
    expect(said.pictures[0].image).toMatchObject({ speed: "turbo", steps: 4, scheduler: "lcm" });
  });
});

describe("in Discord", () => {
  let app: TestApp;
  beforeAll(async () => {
    writeTurboLora(checkpoints);
    app = await startApp(folder.path, {
      CHECKPOINTS_DIR: checkpoints,
      IMAGE_STEPS: "2",
      UNCHECKED_PICTURES: "show",
    });
  });
  afterAll(() => app?.stop());

  test("a result, its file and its report say the speed, and New seed draws at it again", async () => {
    const alice = app.local.member("alice");
    const handle = await alice.slash("compare", { prompt: "a red apple", seed: 5, speed: "turbo" });
    const result = await handle.waitFor(hasResult, WAIT);
    expect(textOf(result)).toContain(
      "seed 5 · speed turbo · 4 steps · guidance 1 · lcm · LoRA `lcm-lora-sdv1-5`",
    );
    const job = (await app.queue.get(jobOf(result)))!;
    expect(job.checkpoints.diffusion).toBe("miniature + lcm-lora-sdv1-5:1");
    const bytes = await readFile(
      `${app.config.picturesDir}/${job.id}/${job.items[0]!.pictures.baseline!.file}`,
    );
    const { parameters, promptist: own } = readPngText(bytes);
    expect(parameters).toMatch(
      /<lora:lcm-lora-sdv1-5:1>\nSteps: 4, Sampler: LCM, CFG scale: 1, .*Speed: turbo/,
    );
    expect(JSON.parse(own!)).toMatchObject({
      speed: "turbo",
      steps: 4,
      loras: [{ name: "lcm-lora-sdv1-5" }],
    });

    const pressed = await alice.press(result, "New seed");
    const again = await pressed.waitFor(hasResult, WAIT);
    expect((await app.queue.get(jobOf(again)))?.image).toMatchObject({
      speed: "turbo",
      loras: job.image.loras,
    });
  });

  test("rows at several speeds are drawn with a model each, and the report repeats them", async () => {
    const alice = app.local.member("alice");
    const data =
      "prompt,optimized,speed\na cat,a white cat,turbo\na hen,a brown hen,fast\na cat,a white cat,full\n";
    const handle = await startBatch(alice, { name: "cats.csv", data }, { seed: 5 });
    const result = await handle.waitFor(hasResult, WAIT);
    const job = (await app.queue.get(jobOf(result)))!;
    const picture = (index: number) =>
      readFile(`${app.config.picturesDir}/${job.id}/${job.items[index]!.pictures.baseline!.file}`);
    const models = await Promise.all(
      [0, 1, 2].map(async (i) => JSON.parse(readPngText(await picture(i)).promptist!)),
    );
    expect(models.map(({ speed, loras, steps }) => [speed, loras.length, steps])).toEqual([
      ["turbo", 1, 4],
      ["fast", 0, 20],
      ["full", 0, 2],
    ]);
    const attached = result.attachments.find(({ filename }) => filename === "report.csv")!;
    const report = Buffer.from(await (await fetch(attached.url)).arrayBuffer());
    const rows: { speed: string }[] = parse(report, { columns: true });
    expect(rows.map(({ speed }) => speed)).toEqual(["turbo", "fast", "full"]);
    const redrawn = await startBatch(alice, { name: "report.csv", data: report });
    const second = await redrawn.waitFor(hasResult, WAIT);
    const repeated = (await app.queue.get(jobOf(second)))!;
    for (const i of [0, 1, 2]) {
      const file = repeated.items[i]!.pictures.baseline!.file;
      const drawn = await pixelsOf(`${app.config.picturesDir}/${repeated.id}/${file}`);
      expect(drawn.equals(await pixelsOf(await picture(i)))).toBe(true);
    }
  });
});
