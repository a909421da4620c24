import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PictureSize, SchedulerName } from "../../../src/core/options.js";
import { drawPicture, type PromptTokenizer } from "../../../src/inference/diffusion/pipeline.js";
import { StableDiffusion } from "../../../src/inference/diffusion/stable-diffusion.js";
import { readPicture } from "../../../src/pictures/read-picture.js";

/** Pictures, and the LoRA that they are drawn with: test/golden/lcm_lora.py */
const golden = fileURLToPath(new URL("../../golden/", import.meta.url));

interface Case {
  id: string;
  scheduler: SchedulerName;
  steps: number;
  guidance: number;
  weight: number;
  seed: number;
  size: PictureSize;
  prompt: number[];
  negative: number[];
}
const cases: Case[] = JSON.parse(readFileSync(join(golden, "lcm-lora", "cases.json"), "utf8"));

let cacheDir: string;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "promptist-lcm-lora-"));
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

const open = (weight: number | null) =>
  StableDiffusion.open({
    directory: join(golden, "sd-small", "sd1"),
    loras: weight === null ? [] : [{ file: join(golden, "lcm-lora", "lora.safetensors"), weight }],
    device: { name: "cpu", note: null },
    precision: "fp32",
    cacheDir,
    threads: 2,
  });

/** The largest difference to the reference, of 255, and the UNet's calls. */
async function compared(one: Case, weight: number | null) {
  const { scheduler, steps, guidance, seed, size, prompt, negative } = one;
  const reference = await readPicture(join(golden, "lcm-lora", `${one.id}.png`));
  const model = await open(weight);
  const rows: number[] = [];
  const counted = {
    config: { ...model.config, scheduler: { ...model.config.scheduler, clip_sample: false } },
    encodeText: (ids: number[][]) => model.encodeText(ids),
    predictNoise: (...args: Parameters<typeof model.predictNoise>) => {
      rows.push(args[1][0]);
      return model.predictNoise(...args);
    },
    decode: (...args: Parameters<typeof model.decode>) => model.decode(...args),
    encode: (...args: Parameters<typeof model.encode>) => model.encode(...args),
    release: () => model.release(),
  } as unknown as StableDiffusion;
  const tokenizer: PromptTokenizer = {
    encode: (text) => ({ ids: text === "prompt" ? prompt : negative, truncated: null }),
  };
  try {
    const request = { prompt: "prompt", negative: "negative", scheduler, steps, guidance, seed, size };
    const { pixels } = await drawPicture(counted, tokenizer, request);
    const worst = pixels.reduce((most, x, i) => Math.max(most, Math.abs(x - reference.pixels[i]!)), 0);
    return { worst, rows };
  } finally {
    await model.release();
  }
}

it.each(cases)("a picture of few steps with an LCM-LoRA is diffusers': $id", async (one) => {
  const { worst, rows } = await compared(one, one.weight);
  expect(worst).toBeLessThanOrEqual(3);
  // Guidance of 1 needs no row for the negative prompt: half the work.
  expect(rows).toEqual(Array(one.steps).fill(one.guidance > 1 ? 2 : 1));
});

it("without the LoRA it is another picture", async () => {
  expect((await compared(cases[0]!, null)).worst).toBeGreaterThan(30);
});
