import { describe, expect, it } from "vitest";
import type { DiffusionModel } from "../../../src/inference/diffusion/model.js";
import { Previews, projected } from "../../../src/inference/diffusion/preview.js";
import type { Rgb } from "../../../src/pictures/rgb.js";

/** Only what previews need; `decode` can simulate the time that decoding takes. */
function modelOf(latentChannels: number, scalingFactor: number, decode: () => void = () => {}) {
  const model = {
    config: { latentChannels, scalingFactor, vaeScaleFactor: 8 },
    decode: async (latents: Float32Array, [, , h, w]: readonly number[]) => {
      decode();
      return new Float32Array(3 * h! * 8 * w! * 8).fill(latents[0]!);
    },
  };
  return model as unknown as DiffusionModel;
}

describe("previews", () => {
  it("take at most a fiftieth of the time, however slow the decoder is", async () => {
    let time = 0;
    let spent = 0;
    const shown: number[] = [];
    const model = modelOf(12, 1, () => {
      time += 30;
      spent += 30;
    });
    const previews = new Previews(
      model,
      100,
      async () => {
        shown.push(time);
      },
      () => time,
    );
    for (let step = 0; step < 1_000; step++) {
      time += 10;
      await previews.show(new Float32Array(12), [1, 12, 1, 1]);
    }
    expect(shown.length).toBeGreaterThan(3);
    expect(spent / time).toBeLessThanOrEqual(0.02 + 30 / time);
    for (const [i, at] of shown.entries())
      if (i > 0) expect(at - shown[i - 1]!).toBeGreaterThanOrEqual(1_500);
  });

  it("come as often as requested if they cost next to nothing", async () => {
    let time = 0;
    const shown: Rgb[] = [];
    const previews = new Previews(
      modelOf(4, 0.18215),
      100,
      async (picture) => {
        shown.push(picture);
      },
      () => time,
    );
    for (let step = 0; step < 100; step++) {
      time += 10;
      await previews.show(new Float32Array(4 * 6), [1, 4, 2, 3]);
    }
    expect(shown).toHaveLength(10);
    // Latents of zero decode to middle grey, and the preview has the latents' size.
    expect(shown[0]).toEqual({ width: 3, height: 2, pixels: new Uint8Array(18).fill(128) });
  });

  it("are decoded, with the scale divided out, if no projection fits the latents", async () => {
    let time = 0;
    const shown: Rgb[] = [];
    const previews = new Previews(
      modelOf(12, 0.5),
      1,
      async (picture) => {
        shown.push(picture);
      },
      () => time,
    );
    time = 1;
    await previews.show(new Float32Array(12).fill(0.25), [1, 12, 1, 1]);
    expect(shown[0]?.width).toBe(8);
    expect(shown[0]?.pixels.every((value) => value === 191)).toBe(true);
  });

  it("of Stable Diffusion's latents weigh the four channels into red, green and blue", () => {
    const latents = new Float32Array([1, 0, 0, 1, 0, 0, 0, -2]);
    // Two pixels: channel 0 is (1, 0), channel 1 (0, 1), channel 2 (0, 0), channel 3 (0, -2).
    const byte = (value: number) => Math.round((value / 2 + 0.5) * 255);
    expect([...projected(latents, 2)]).toEqual([
      byte(0.298),
      byte(0.207),
      byte(0.208),
      byte(0.187 + 2 * 0.184),
      byte(0.286 + 2 * 0.271),
      255,
    ]);
  });
});
