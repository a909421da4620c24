import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InferenceError } from "../../../src/core/errors.js";
import type { PictureSize, SchedulerName } from "../../../src/core/options.js";
import type { DiffusionModel } from "../../../src/inference/diffusion/model.js";
import {
  drawPicture,
  type Picture,
  type PictureRequest,
  type PromptTokenizer,
  type StartPicture,
} from "../../../src/inference/diffusion/pipeline.js";
import { StableDiffusion } from "../../../src/inference/diffusion/stable-diffusion.js";
import { secondPass } from "../../../src/inference/upscaling/second-pass.js";
import { readPicture } from "../../../src/pictures/read-picture.js";
import { fitToSize } from "../../../src/pictures/resize.js";

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
  /** Of one that is drawn over after it was made larger: the picture, and the longest side of a tile. */
  start?: string;
  tile?: number | null;
  changes: Record<string, unknown>;
  prompt: number[];
  negative: number[];
}

const golden = fileURLToPath(new URL("../../golden/", import.meta.url));
const casesIn = (folder: string): Case[] =>
  JSON.parse(readFileSync(join(golden, folder, "cases.json"), "utf8"));
const cases = casesIn("pipeline");
const fromPictures = casesIn("img2img");
const secondPasses = casesIn("second-pass");

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
    const picture = await drawPicture(model, tokenizerOf(one), { ...requestOf(one), from });
    await expectLike(folder, one, picture);
  }

  async function expectLike(folder: string, one: Case, picture: Picture): Promise<void> {
    const reference = await readPicture(join(golden, folder, `${one.id}.png`));
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

  it.each(secondPasses)("over a larger picture: $id", async (one) => {
    const start = await readPicture(join(golden, "img2img", one.start!));
    const from = { picture: fitToSize(start, one.size!, "default"), strength: one.strength! };
    const model = configured(models.get(one.checkpoint)!, one.changes);
    const request = { ...requestOf(one), from };
    const steps: number[] = [];
    const picture = await secondPass(model, tokenizerOf(one), request, {
      tile: one.tile ?? undefined,
      onStep: (done, of) => steps.push(done / of),
    });
    await expectLike("second-pass", one, picture);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(steps.at(-1)).toBe(1);
  });

  it("draws over a larger picture in tiles where memory does not hold it whole", async () => {
    const [, one] = secondPasses;
    const start = await readPicture(join(golden, "img2img", one!.start!));
    const from = { picture: fitToSize(start, { width: 160, height: 160 }, "default"), strength: 0.2 };
    const whole = configured(models.get(one!.checkpoint)!, one!.changes);
    const sizes = new Set<number>();
    const model: DiffusionModel = {
      ...whole,
      encode: (image, size) => {
        sizes.add(Math.max(size.width, size.height));
        if (size.width > 128) throw new InferenceError("OUT_OF_MEMORY", "no room for so large a picture");
        return whole.encode(image, size);
      },
    };
    const { width, height, calls } = await secondPass(model, tokenizerOf(one!), { ...requestOf(one!), from });
    expect([width, height, calls]).toEqual([160, 160, 8]);
    expect([...sizes]).toEqual([160, 96]);
  });
});
