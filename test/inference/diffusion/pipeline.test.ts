import { describe, expect, it } from "vitest";
import { InferenceError, InputError } from "../../../src/core/errors.js";
import { SCHEDULERS } from "../../../src/core/options.js";
import { drawPicture, type PictureRequest } from "../../../src/inference/diffusion/pipeline.js";
import { AnalyticModel } from "./analytic-model.js";

/** The prompt "50" stands for the picture with the value 0.5; a second word does not fit. */
const tokenizer = {
  encode(text: string) {
    const [first = "", ...rest] = text.split(" ");
    return { ids: [Number(first), 0, 0], truncated: rest.length > 0 ? rest.join(" ") : null };
  },
};

const request: PictureRequest = {
  prompt: "50",
  negative: "",
  seed: 7,
  steps: 10,
  guidance: 1,
  scheduler: "pndm",
  size: null,
};

/** The byte that a latent value decodes to. */
const byteOf = (value: number): number => Math.round(Math.min(Math.max(value / 2 + 0.5, 0), 1) * 255);

describe("drawPicture on a denoiser that knows the answer", () => {
  it.each(SCHEDULERS)("%s ends at the picture of the prompt", async (scheduler) => {
    const picture = await drawPicture(new AnalyticModel(), tokenizer, { ...request, scheduler, steps: 20 });
    const mean = picture.pixels.reduce((sum, byte) => sum + byte, 0) / picture.pixels.length;
    expect(Math.abs(mean - byteOf(0.5))).toBeLessThan(1);
    // SD 1.5's PNDM and DDIM stop at the first training timestep, with 3 % noise left.
    const worst = picture.pixels.reduce((max, byte) => Math.max(max, Math.abs(byte - byteOf(0.5))), 0);
    expect(worst).toBeLessThan(16);
  });

  it("draws the checkpoint's own size, and others when asked", async () => {
    const model = new AnalyticModel();
    expect(await drawPicture(model, tokenizer, request)).toMatchObject({ width: 32, height: 32 });
    const picture = await drawPicture(model, tokenizer, { ...request, size: { width: 128, height: 64 } });
    expect(picture).toMatchObject({ width: 128, height: 64 });
    expect(picture.pixels.length).toBe(3 * 128 * 64);
    expect(model.calls.at(-1)?.shape).toEqual([1, 4, 8, 16]);
  });

  it("guides away from the negative prompt", async () => {
    const model = new AnalyticModel();
    const guided = { ...request, scheduler: "euler", prompt: "20", negative: "10", guidance: 4 } as const;
    const picture = await drawPicture(model, tokenizer, guided);
    // e_u + w (e_c - e_u) is the noise of a picture with the value 0.1 + 4 (0.2 - 0.1).
    expect(picture.pixels.every((byte) => Math.abs(byte - byteOf(0.5)) <= 1)).toBe(true);
    expect(model.calls.every((call) => call.shape[0] === 2)).toBe(true);
  });

  it("evaluates one row if there is no guidance", async () => {
    const model = new AnalyticModel();
    await drawPicture(model, tokenizer, { ...request, guidance: 1 });
    expect(model.calls.every((call) => call.shape[0] === 1)).toBe(true);
  });

  it("draws the same for the same seed, and differs between seeds", async () => {
    const draw = (seed: number) =>
      drawPicture(new AnalyticModel(), tokenizer, { ...request, scheduler: "ddim", seed });
    const first = await draw(1);
    expect((await draw(1)).pixels).toEqual(first.pixels);
    expect((await draw(2)).pixels).not.toEqual(first.pixels);
    expect((await draw(2 ** 53 - 1)).pixels).not.toEqual(first.pixels);
  });

  it("reports each evaluation in steps as asked for, and which words were cut", async () => {
    const seen: [number, number][] = [];
    const picture = await drawPicture(
      new AnalyticModel(),
      tokenizer,
      { ...request, prompt: "50 and more" },
      { onStep: (done, of) => seen.push([done, of]) },
    );
    expect(seen).toEqual([...Array.from({ length: 10 }, (_, i) => [i + 1, 10]), [10, 10]]);
    expect(picture).toMatchObject({ calls: 11, truncated: "and more" });
    expect(picture.seconds).toBeGreaterThan(0);
  });
});

describe("drawPicture from a picture", () => {
  const grey = (value: number, width = 64, height = 32) => ({
    pixels: new Uint8Array(3 * width * height).fill(value),
    width,
    height,
  });

  it("takes its share of the steps, in the picture's size", async () => {
    const model = new AnalyticModel();
    const seen: [number, number][] = [];
    const picture = await drawPicture(
      model,
      tokenizer,
      { ...request, scheduler: "ddim", steps: 10, from: { picture: grey(9), strength: 0.35 } },
      { onStep: (done, of) => seen.push([done, of]) },
    );
    expect(picture).toMatchObject({ width: 64, height: 32, calls: 3 });
    expect(model.calls.map(({ shape }) => shape)).toEqual(Array(3).fill([1, 4, 4, 8]));
    expect(seen).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it.each([
    [0, "strength must be a number from 0.01 to 1, got 0."],
    [1.5, "strength must be a number from 0.01 to 1, got 1.5."],
    [0.05, "With 10 steps, strength 0.05 takes none of them. Give at least 0.1, or more steps."],
  ])("refuses strength %s", async (strength, sentence) => {
    const model = new AnalyticModel();
    const drawing = drawPicture(model, tokenizer, {
      ...request,
      steps: 10,
      from: { picture: grey(9), strength },
    });
    await expect(drawing).rejects.toThrow(sentence);
    expect(model.calls).toEqual([]);
  });

  it("refuses PNDM's warm-up, which can't begin in the middle", async () => {
    const model = new AnalyticModel();
    const warm = Object.assign(model, {
      config: { ...model.config, scheduler: { ...model.config.scheduler, skip_prk_steps: false } },
    });
    const from = { picture: grey(9), strength: 0.5 };
    const drawing = drawPicture(warm, tokenizer, { ...request, scheduler: "pndm", steps: 10, from });
    await expect(drawing).rejects.toThrow("PNDM with its warm-up can't begin with a picture.");
  });
});

describe("drawPicture stops", () => {
  it("before the first evaluation if it is already cancelled", async () => {
    const model = new AnalyticModel();
    const drawing = drawPicture(model, tokenizer, request, { signal: AbortSignal.abort() });
    await expect(drawing).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(drawing).rejects.toBeInstanceOf(InferenceError);
    expect(model.calls.length).toBe(0);
  });

  it("after the running evaluation if a message cancels it meanwhile", async () => {
    const controller = new AbortController();
    const model = new AnalyticModel();
    // Like a message handler: runs between two evaluations, never inside one.
    model.beforeCall = () => {
      if (model.calls.length === 2) setImmediate(() => controller.abort());
    };
    const drawing = drawPicture(model, tokenizer, request, { signal: controller.signal });
    await expect(drawing).rejects.toMatchObject({ code: "CANCELLED" });
    expect(model.calls.length).toBe(3);
  });

  it("rather than draw a picture from values that are not numbers", async () => {
    const model = new AnalyticModel();
    model.spoil.noise = Number.NaN;
    await expect(drawPicture(model, tokenizer, request)).rejects.toThrow("UNet's output is not a number");
    expect(model.calls.length).toBe(1);
    model.spoil = { noise: 0, image: Number.NaN };
    await expect(drawPicture(model, tokenizer, request)).rejects.toThrow("decoder's output is not a number");
  });
});

describe("a picture of one colour", () => {
  /** A model that loses the picture while it computes in float16. */
  class Losing extends AnalyticModel {
    inFp16 = true;
    left = 0;
    constructor(readonly canLeave: boolean) {
      super();
    }
    override async predictNoise(...args: Parameters<AnalyticModel["predictNoise"]>) {
      const noise = await super.predictNoise(...args);
      return this.inFp16 ? noise : noise.map((value, i) => value + (i % 2 === 0 ? 0.5 : -0.5));
    }
    async leaveFp16() {
      this.left++;
      this.inFp16 = false;
      return this.canLeave;
    }
    takeRedone() {
      return this.left > 0;
    }
  }
  const plain = { ...request, scheduler: "euler" } as const;

  it("is drawn again, once, without float16, and that is said", async () => {
    const model = new Losing(true);
    const picture = await drawPicture(model, tokenizer, plain);
    expect([picture.notes, model.left]).toEqual([["redone"], 1]);
    expect(new Set(picture.pixels).size).toBeGreaterThan(1);
    expect(model.calls.length).toBe(20);
    // The second try starts from the same noise at the first timestep.
    expect(model.calls.slice(10)).toEqual(model.calls.slice(0, 10));
  });

  it("is the model's own where nothing computes in float16, and that is said too", async () => {
    const picture = await drawPicture(new AnalyticModel(), tokenizer, plain);
    expect(picture.notes).toEqual(["plain"]);
    const model = new Losing(false);
    expect((await drawPicture(model, tokenizer, plain)).notes).toContain("plain");
    expect([model.left, model.calls.length]).toEqual([1, 10]);
  });
});

describe("drawPicture draws", () => {
  it.each([
    ["the longest prompt that a command takes", `50 ${"🐎".repeat(5997)}`],
    ["its rewrite, which may be twice as long", `50 ${"x".repeat(11_997)}`],
  ])("%s", async (_, prompt) => {
    const model = new AnalyticModel();
    const picture = await drawPicture(model, tokenizer, { ...request, prompt });
    expect(picture.pixels.length).toBeGreaterThan(0);
  });
});

describe("drawPicture refuses", () => {
  it.each([
    [{ prompt: " \n" }, "INPUT_EMPTY", "empty"],
    [{ prompt: "x".repeat(12_001) }, "INPUT_TOO_LONG", "12000"],
    [{ negative: "x".repeat(12_001) }, "INPUT_TOO_LONG", "negative"],
    [{ steps: 0 }, "INPUT_OPTION", "from 1 to 1000"],
    [{ steps: 2.5 }, "INPUT_OPTION", "whole"],
    [{ steps: 1001 }, "INPUT_OPTION", "from 1 to 1000"],
    [{ steps: 1000 }, "INPUT_OPTION", "at most 999"],
    [{ guidance: -1 }, "INPUT_OPTION", "guidance"],
    [{ guidance: Number.NaN }, "INPUT_OPTION", "guidance"],
    [{ seed: -1 }, "INPUT_OPTION", "seed"],
    [{ seed: 2 ** 53 }, "INPUT_OPTION", "seed"],
    [{ scheduler: "heun" as never }, "INPUT_OPTION", "pndm, ddim"],
    [{ size: { width: 100, height: 64 } }, "INPUT_OPTION", "multiple of 8"],
    [{ size: { width: 64, height: 1032 } }, "INPUT_OPTION", "height must be a whole number from 32 to 1024"],
    [{ size: { width: 8, height: 64 } }, "INPUT_OPTION", "width"],
  ] as const)("%o", async (changes, code, words) => {
    const model = new AnalyticModel();
    const drawing = drawPicture(model, tokenizer, { ...request, ...changes });
    await expect(drawing).rejects.toBeInstanceOf(InputError);
    await expect(drawing).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(model.calls.length).toBe(0);
  });
});
