import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findAtStart } from "../../../src/checkpoints/library/find-models.js";
import { tinyDecoderAmong } from "../../../src/checkpoints/library/found-tiny-decoder.js";
import { CheckpointError } from "../../../src/core/errors.js";
import { drawPicture, type PromptTokenizer } from "../../../src/inference/diffusion/pipeline.js";
import {
  StableDiffusion,
  type StableDiffusionOptions,
} from "../../../src/inference/diffusion/stable-diffusion.js";
import { chooseModels } from "../../../src/inference/loop/model-choice.js";
import { readPicture } from "../../../src/pictures/read-picture.js";
import type { Rgb } from "../../../src/pictures/rgb.js";

const golden = (name: string) => fileURLToPath(new URL(`../../golden/${name}`, import.meta.url));
const MINIATURE = fileURLToPath(new URL("../../../checkpoints/miniature", import.meta.url));
const TAESD = golden("taesd");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "promptist-tiny-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = (options: Partial<StableDiffusionOptions>, checkpoint = golden("sd-small/sd1")) =>
  StableDiffusion.open({
    directory: checkpoint,
    device: { name: "cpu", note: null },
    precision: "fp32",
    cacheDir: join(folder, "graphs"),
    threads: 2,
    ...options,
  });

const ids: number[] = JSON.parse(readFileSync(join(TAESD, "picture.json"), "utf8"));
const tokenizer: PromptTokenizer = { encode: () => ({ ids, truncated: null }) };
const request = { prompt: "prompt", negative: "", seed: 4, steps: 4, guidance: 1, scheduler: "lcm" } as const;
const draw = (model: StableDiffusion, previews: Rgb[]) =>
  drawPicture(
    model,
    tokenizer,
    { ...request, size: { width: 64, height: 64 } },
    { preview: { everyMs: 0, emit: async (picture) => void previews.push(picture) } },
  );

describe("TAESD beside a checkpoint", () => {
  it("makes the previews, and leaves the picture to the VAE", async () => {
    const [plain, tiny] = [await open({}), await open({ tinyDecoder: TAESD })];
    try {
      const [few, previews]: [Rgb[], Rgb[]] = [[], []];
      const pictures = [await draw(plain, few), await draw(tiny, previews)];
      expect(pictures[1]!.pixels).toEqual(pictures[0]!.pixels);
      // Without it a preview has one pixel a latent.
      expect(few[0]!.width).toBe(8);
      expect(previews[0]!.width).toBe(64);
      expect(tiny.notes).toEqual(plain.notes);
    } finally {
      await Promise.all([plain.release(), tiny.release()]);
    }
  });

  it("makes the picture where it is asked to, as diffusers does, without the VAE in memory", async () => {
    const [plain, tiny] = [await open({}), await open({ tinyDecoder: TAESD, decoder: "taesd" })];
    try {
      expect(tiny.weightBytes).toBeLessThan(plain.weightBytes);
      const reference = await readPicture(join(TAESD, "picture.png"));
      const differences = (picture: Rgb) => picture.pixels.map((x, i) => Math.abs(x - reference.pixels[i]!));
      const picture = await draw(tiny, []);
      expect(picture.pixels).toHaveLength(reference.pixels.length);
      expect(Math.max(...differences(picture))).toBeLessThanOrEqual(3);
      expect(Math.max(...differences(await draw(plain, [])))).toBeGreaterThan(30);
    } finally {
      await Promise.all([plain.release(), tiny.release()]);
    }
  });

  it("is left alone where the latents are others, and refused as the decoder", async () => {
    const miniature = join(MINIATURE, "stable-diffusion");
    const model = await open({ tinyDecoder: TAESD }, miniature);
    expect(model.tiny).toBeNull();
    expect(model.notes).toEqual([]);
    await model.release();
    await expect(open({ tinyDecoder: TAESD, decoder: "taesd" }, miniature)).rejects.toThrow(
      /decodes the latents of Stable Diffusion 1.x and 2.x.*DECODER=vae/,
    );
  });

  it("that is damaged costs the previews and not the picture", async () => {
    const broken = join(folder, "broken");
    cpSync(TAESD, broken, { recursive: true });
    writeFileSync(join(broken, "config.json"), "{");
    const model = await open({ tinyDecoder: broken });
    expect(model.tiny).toBeNull();
    expect(model.notes.join()).toMatch(/TAESD is not used for previews: .*config.json/);
    await model.release();
    await expect(open({ tinyDecoder: broken, decoder: "taesd" })).rejects.toThrow(CheckpointError);
  });

  it("that is asked for and nowhere is refused with what to run", () => {
    const choice = chooseModels({
      checkpointsDir: folder,
      miniatureDir: MINIATURE,
      promptist: undefined,
      diffusion: golden("sd-small/sd1"),
      clip: undefined,
      decoder: "taesd",
      device: "cpu",
      weights: "int8",
      precision: "fp32",
      cacheDir: folder,
      threads: 0,
    });
    expect(() => choice.diffusion).toThrow("promptist checkpoints pull taesd");
  });
});

describe("TAESD is found", () => {
  const find = async (checkpointsDir: string, modelsDirs: string[] = []) => {
    const places = { checkpointsDir, modelsDirs, miniatureDir: MINIATURE, cacheDir: join(folder, "index") };
    return tinyDecoderAmong(await findAtStart(places), places);
  };

  it("where pull puts it, before other programs' folders", async () => {
    const own = join(folder, "own");
    const comfy = join(folder, "comfy");
    expect(await find(own, [comfy])).toBeNull();
    const file = join(comfy, "models", "vae_approx", "taesd_decoder.pth");
    cpSync(join(TAESD, "taesd_decoder.pth"), file);
    // Of another model's latents, with the same shapes.
    cpSync(
      join(TAESD, "taesd_decoder.safetensors"),
      join(comfy, "models/vae_approx/taesdxl_decoder.safetensors"),
    );
    expect(await find(own, [comfy])).toBe(file);
    cpSync(TAESD, join(own, "taesd"), { recursive: true });
    expect(await find(own, [comfy])).toBe(join(own, "taesd"));
  });
});
