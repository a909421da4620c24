import type { PictureSize } from "../../../src/core/options.js";
import type { DiffusionModel, LatentShape } from "../../../src/inference/diffusion/model.js";
import { readSchedulerConfig } from "../../../src/inference/diffusion/schedulers/config.js";
import { noiseSchedule } from "../../../src/inference/diffusion/schedulers/noise-schedule.js";

const scheduler = {
  _class_name: "PNDMScheduler",
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  num_train_timesteps: 1000,
  clip_sample: false,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
};
const { alphasCumprod } = noiseSchedule(readSchedulerConfig(scheduler, []), false);

/** One call to the model. */
export interface Call {
  readonly shape: LatentShape;
  readonly timestep: number;
}

/**
 * A denoiser without weights that knows the one picture of each prompt: its latents all equal the prompt's
 * first id / 100, and the predicted noise is exactly the difference between the input and them. Any correct
 * scheduler ends there. The decoder shows each latent as a square of its value, with the scaling undone.
 */
export class AnalyticModel implements DiffusionModel {
  readonly config = {
    latentChannels: 4,
    sampleSize: 4,
    vaeScaleFactor: 8,
    scalingFactor: 0.5,
    maxTokens: 3,
    scheduler,
  };
  readonly calls: Call[] = [];
  /** Runs before each prediction. */
  beforeCall: () => void = () => {};
  /** Added to the outputs of the model and the decoder. */
  spoil = { noise: 0, image: 0 };

  async encodeText(ids: readonly (readonly number[])[]) {
    return { data: Float32Array.from(ids.flat()), shape: [ids.length, this.config.maxTokens, 1] };
  }

  async predictNoise(
    latents: Float32Array,
    shape: LatentShape,
    timestep: number,
    text: { data: Float32Array; shape: readonly number[] },
  ) {
    this.beforeCall();
    this.calls.push({ shape, timestep });
    const [batch, ...rest] = shape;
    const size = rest.reduce((product, n) => product * n, 1);
    if (latents.length !== batch * size || text.shape[0] !== batch) throw new Error("shapes do not fit");
    const low = Math.floor(timestep);
    const a0 = alphasCumprod[low]!;
    const sigmaOf = (a: number): number => Math.sqrt((1 - a) / a);
    const high = alphasCumprod[Math.min(low + 1, alphasCumprod.length - 1)]!;
    const sigma = sigmaOf(a0) + (timestep - low) * (sigmaOf(high) - sigmaOf(a0));
    const signal = 1 / Math.sqrt(1 + sigma * sigma);
    return latents.map((x, i) => {
      const clean = text.data[Math.floor(i / size) * this.config.maxTokens]! / 100;
      return (x - signal * clean) / (sigma * signal) + this.spoil.noise;
    });
  }

  async decode(latents: Float32Array, [, , height, width]: LatentShape) {
    const scale = this.config.vaeScaleFactor;
    const [H, W] = [height * scale, width * scale];
    const image = new Float32Array(3 * H * W);
    for (let i = 0; i < image.length; i++) {
      const [c, y, x] = [Math.floor(i / (H * W)), Math.floor(i / W) % H, i % W];
      const latent = latents[(c * height + Math.floor(y / scale)) * width + Math.floor(x / scale)]!;
      image[i] = latent * this.config.scalingFactor + this.spoil.image;
    }
    return image;
  }

  /** The mean color of each square, without any variance. */
  async encode(image: Float32Array, { width, height }: PictureSize) {
    const { vaeScaleFactor: scale, scalingFactor, latentChannels } = this.config;
    const [w, h] = [width / scale, height / scale];
    const moments = new Float32Array(2 * latentChannels * h * w).fill(Number.NEGATIVE_INFINITY);
    for (let i = 0; i < latentChannels * h * w; i++) {
      const [c, y, x] = [Math.min(2, Math.floor(i / (h * w))), Math.floor(i / w) % h, i % w];
      moments[i] = image[(c * height + y * scale) * width + x * scale]! / scalingFactor;
    }
    return moments;
  }

  async release() {}
}
