import type { Rgb } from "../../pictures/rgb.js";
import type { DiffusionModel, LatentShape } from "./model.js";

/** Largest share of the drawing time that previews may take. */
const SHARE = 0.02;

/**
 * R, G and B from the four latent channels of Stable Diffusion 1.x and 2.x, a least-squares fit over decoded
 * pictures (keturn, "Decoding latents to RGB without upscaling", Hugging Face forums, 2022). Good for colours
 * and outlines, where there is no TAESD.
 */
const LATENT_TO_RGB = [
  [0.298, 0.207, 0.208],
  [0.187, 0.286, 0.173],
  [-0.158, 0.189, 0.264],
  [-0.184, -0.271, -0.473],
] as const;
const STABLE_DIFFUSION_SCALE = 0.18215;

/**
 * Shows previews at most every `everyMs`, or less often if they would cost more than SHARE.
 */
export class Previews {
  #nextAt: number;

  readonly #model: DiffusionModel;
  readonly #everyMs: number;
  readonly #emit: (picture: Rgb) => Promise<void>;
  readonly #now: () => number;

  constructor(
    model: DiffusionModel,
    everyMs: number,
    emit: (picture: Rgb) => Promise<void>,
    now: () => number = () => performance.now(),
  ) {
    this.#model = model;
    this.#everyMs = everyMs;
    this.#emit = emit;
    this.#now = now;
    this.#nextAt = now() + everyMs;
  }

  /** @param latents [1, C, h, w] as the model would take them at its next step */
  async show(latents: Float32Array, shape: LatentShape): Promise<void> {
    const started = this.#now();
    if (started < this.#nextAt) return;
    await this.#emit(await this.#small(latents, shape));
    const took = this.#now() - started;
    this.#nextAt = started + Math.max(this.#everyMs, took / SHARE);
  }

  async #small(latents: Float32Array, shape: LatentShape): Promise<Rgb> {
    const { tiny, config } = this.#model;
    const { latentChannels, scalingFactor, vaeScaleFactor } = config;
    const [, , height, width] = shape;
    const size = { width: width * vaeScaleFactor, height: height * vaeScaleFactor };
    if (tiny)
      return { pixels: interleaved(await tiny.decode(latents, shape), size.width * size.height), ...size };
    if (latentChannels === LATENT_TO_RGB.length && scalingFactor === STABLE_DIFFUSION_SCALE)
      return { pixels: projected(latents, width * height), width, height };
    // There is no known fit for these latents, so decode them.
    const image = await this.#model.decode(
      latents.map((x) => x / scalingFactor),
      shape,
    ); // [1, 3, H, W]
    return { pixels: interleaved(image, size.width * size.height), ...size };
  }
}

/** @param latents [1, 4, h, w] in the model's scale; returns [h, w, 3] */
export function projected(latents: Float32Array, plane: number): Uint8Array {
  const pixels = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let color = 0; color < 3; color++) {
      let value = 0;
      for (const [channel, weights] of LATENT_TO_RGB.entries())
        value += latents[channel * plane + i]! * weights[color]!;
      pixels[3 * i + color] = toByte(value);
    }
  }
  return pixels;
}

/** [1, 3, H, W] to [H, W, 3] */
function interleaved(image: Float32Array, plane: number): Uint8Array {
  const pixels = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++)
    for (let color = 0; color < 3; color++) pixels[3 * i + color] = toByte(image[color * plane + i]!);
  return pixels;
}

/** -1..1 to 0..255. */
const toByte = (value: number): number => Math.round(Math.min(Math.max(value / 2 + 0.5, 0), 1) * 255);
