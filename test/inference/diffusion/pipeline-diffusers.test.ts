import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PictureSize, SchedulerName } from "../../../src/core/options.js";
import type { DiffusionModel } from "../../../src/inference/diffusion/model.js";
import {
  drawPicture,
  type PictureRequest,
  type PromptTokenizer,
} from "../../../src/inference/diffusion/pipeline.js";
import { StableDiffusion } from "../../../src/inference/diffusion/stable-diffusion.js";

interface Case {
  id: string;
  checkpoint: string;
  scheduler: SchedulerName;
  steps: number;
  guidance: number;
  seed: number;
  size: PictureSize | null;
  changes: Record<string, unknown>;
  prompt: number[];
  negative: number[];
}

const golden = fileURLToPath(new URL("../../golden/", import.meta.url));
const cases: Case[] = JSON.parse(readFileSync(join(golden, "pipeline/cases.json"), "utf8"));

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

  it.each(cases)("$id", async (one) => {
    const model = configured(models.get(one.checkpoint)!, one.changes);
    const reference = await sharp(join(golden, "pipeline", `${one.id}.png`))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const picture = await drawPicture(model, tokenizerOf(one), requestOf(one));
    expect([picture.width, picture.height]).toEqual([reference.info.width, reference.info.height]);
    expect(picture.pixels.length).toBe(reference.data.length);
    let sum = 0;
    let worst = 0;
    for (const [i, byte] of picture.pixels.entries()) {
      const difference = Math.abs(byte - reference.data[i]!);
      sum += difference;
      worst = Math.max(worst, difference);
    }
    expect(sum / picture.pixels.length).toBeLessThan(0.5);
    expect(worst).toBeLessThanOrEqual(3);
  });
});
