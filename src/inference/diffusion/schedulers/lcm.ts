import type { NormalSource } from "../../numbers/torch-random.js";
import { readSchedulerConfig, type SchedulerConfig } from "./config.js";
import { type NoiseSchedule, noiseSchedule } from "./noise-schedule.js";
import { addNoise, levelOf, predictClean } from "./prediction.js";
import type { Scheduler } from "./scheduler.js";
import { distilledTimesteps } from "./timesteps.js";

/** Spread of the data in the boundary condition; Song et al., "Consistency Models", 2023, appendix C. */
const SIGMA_DATA = 0.5;

/**
 * Multistep sampling of a latent consistency model: Luo et al., "Latent Consistency Models", 2023 (arXiv
 * 2310.04378), algorithm 3. For checkpoints that were distilled for it.
 *
 *     f  = c_skip x_t + c_out x_0                          consistency function
 *     c_skip = d^2 / (T^2 + d^2),  c_out = T / sqrt(T^2 + d^2),  T = timestep_scaling * t,  d = SIGMA_DATA
 *     x_s = sqrt(a_s) f + sqrt(1 - a_s) z                  fresh noise z, except after the last step
 */
export class LcmScheduler implements Scheduler {
  timesteps: readonly number[] = [];
  readonly initNoiseSigma = 1;
  readonly #config: SchedulerConfig;
  readonly #schedule: NoiseSchedule;

  constructor(published: Readonly<Record<string, unknown>>) {
    this.#config = readSchedulerConfig(
      published,
      [
        "clip_sample",
        "clip_sample_range",
        "thresholding",
        "rescale_betas_zero_snr",
        "original_inference_steps",
        "timestep_scaling",
      ],
      { beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" },
    );
    this.#schedule = noiseSchedule(this.#config, false);
  }

  setTimesteps(steps: number): void {
    this.timesteps = distilledTimesteps(this.#config, steps);
  }

  start(clean: Float32Array, noise: Float32Array, index: number): Float32Array {
    return addNoise(clean, noise, levelOf(this.#schedule.alphasCumprod[this.timesteps[index]!]!));
  }

  scaleModelInput(sample: Float32Array): Float32Array {
    return sample;
  }

  step(modelOutput: Float32Array, index: number, sample: Float32Array, random: NormalSource): Float32Array {
    const { prediction_type: type, clip_sample: clips, clip_sample_range: bound } = this.#config;
    const { alphasCumprod } = this.#schedule;
    const timestep = this.timesteps[index]!;
    const scaled = timestep * this.#config.timestep_scaling;
    const skip = SIGMA_DATA ** 2 / (scaled ** 2 + SIGMA_DATA ** 2);
    const out = scaled / Math.sqrt(scaled ** 2 + SIGMA_DATA ** 2);
    const clean = predictClean(type, sample, modelOutput, levelOf(alphasCumprod[timestep]!));
    const kept = clips ? clean.map((x) => Math.min(Math.max(x, -bound), bound)) : clean;
    const denoised = kept.map((x0, i) => out * x0 + skip * sample[i]!);
    if (index === this.timesteps.length - 1) return denoised;
    const next = levelOf(alphasCumprod[this.timesteps[index + 1]!]!);
    const fresh = random.randn(sample.length);
    return denoised.map((f, i) => next.signal * f + next.noise * fresh[i]!);
  }
}
