import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PictureSize, SchedulerName } from "../../../src/core/options.js";
import type { DiffusionModel } from "../../../src/inference/diffusion/model.js";
import {
  drawPicture,
  type PictureRequest,
  type PromptTokenizer,
  type StartPicture,
} from "../../../src/inference/diffusion/pipeline.js";
import { StableDiffusion } from "../../../src/inference/diffusion/stable-diffusion.js";
import { readPicture } from "../../../src/pictures/read-picture.js";

interface Case {
  id: string;
  checkpoint: string;
  scheduler: SchedulerName;
  steps: number;
  guidance: number;
  seed: number;
  size: PictureSize | null;
  /** Of a picture that begins with another. */
  strength?: number;
  changes: Record<string, unknown>;
  prompt: number[];
  negative: number[];
}

const golden = fileURLToPath(new URL("../../golden/", import.meta.url));
const casesIn = (folder: string): Case[] =>
  JSON.parse(readFileSync(join(golden, folder, "cases.json"), "utf8"));
const cases = casesIn("pipeline");
const fromPictures = casesIn("img2img");

/** The cases hold token ids, not text: tokenizers have their own tests. */
const tokenizerOf = ({ prompt, negative }: Case): PromptTokenizer => ({
  encode: (text) => ({ ids: text === "prompt" ? prompt : negative, truncated: null }),
});
const requestOf = ({ scheduler, steps, guidance, seed, size }: Case): PictureRequest => ({
  prompt: "prompt",
  negative: "negative",
  scheduler,
  steps,
  guidance,
  seed,
  size,
});

/** The model with changed values in its scheduler_config.json. */
function configured(model: StableDiffusion, changes: Record<string, unknown>): DiffusionModel {
  return {
    config: { ...model.config, scheduler: { ...model.config.scheduler, ...changes } },
    encodeText: (ids) => model.encodeText(ids),
    predictNoise: (latents, shape, timestep, text) => model.predictNoise(latents, shape, timestep, text),
    decode: (latents, shape) => model.decode(latents, shape),
    encode: (image, size) => model.encode(image, size),
    release: () => model.release(),
  };
}

describe("drawPicture beside diffusers' StableDiffusionPipeline, in fp32 on the CPU", () => {
  let cacheDir: string;
  const models = new Map<string, StableDiffusion>();
  beforeAll(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), "promptist-pipeline-"));
    for (const name of new Set(cases.map((one) => one.checkpoint))) {
      const directory = join(golden, "sd-small", name);
      const device = { name: "cpu", note: null } as const;
      models.set(
        name,
        await StableDiffusion.open({ directory, device, precision: "fp32", cacheDir, threads: 2 }),
      );
    }
  });
  afterAll(async () => {
    for (const model of models.values()) await model.release();
    await rm(cacheDir, { recursive: true, force: true });
  });

  /** Draws the case and compares it with the picture in `folder`. */
  async function expectPicture(folder: string, one: Case, from: StartPicture | null): Promise<void> {
    const model = configured(models.get(one.checkpoint)!, one.changes);
    const reference = await readPicture(join(golden, folder, `${one.id}.png`));
    const picture = await drawPicture(model, tokenizerOf(one), { ...requestOf(one), from });
    expect([picture.width, picture.height]).toEqual([reference.width, reference.height]);
    expect(picture.pixels.length).toBe(reference.pixels.length);
    let sum = 0;
    let worst = 0;
    for (const [i, byte] of picture.pixels.entries()) {
      const difference = Math.abs(byte - reference.pixels[i]!);
      sum += difference;
      worst = Math.max(worst, difference);
    }
    expect(sum / picture.pixels.length).toBeLessThan(0.5);
    expect(worst).toBeLessThanOrEqual(3);
  }

  it.each(cases)("$id", (one) => expectPicture("pipeline", one, null));

  it.each(fromPictures)("from a picture: $id", async (one) => {
    const { width, height } = one.size!;
    const picture = await readPicture(join(golden, "img2img", `start-${width}x${height}.png`));
    await expectPicture("img2img", one, { picture, strength: one.strength! });
  });
});
