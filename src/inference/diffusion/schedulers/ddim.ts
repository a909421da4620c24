import { readSchedulerConfig, type SchedulerConfig } from "./config.js";
import { type NoiseSchedule, noiseSchedule } from "./noise-schedule.js";
import { addNoise, levelOf, predictClean, predictNoise } from "./prediction.js";
import type { Scheduler } from "./scheduler.js";
import { spacedTimesteps } from "./timesteps.js";

/**
 * DDIM, deterministic (sigma_t = 0): Song et al., "Denoising Diffusion Implicit Models", 2020
 * (arXiv 2010.02502).
 *
 * Formula (12), with a = alphasCumprod, t = `from` and s = `to`, the timestep one stride lower:
 *
 *     x_s = sqrt(a_s) x_0 + sqrt(1 - a_s) e        "predicted x_0" and "direction pointing to x_t"
 */
export class DdimScheduler implements Scheduler {
  timesteps: readonly number[] = [];
  readonly initNoiseSigma = 1;
  readonly #config: SchedulerConfig;
  readonly #schedule: NoiseSchedule;
  #stride = 0;

  constructor(published: Readonly<Record<string, unknown>>) {
    this.#config = readSchedulerConfig(
      published,
      ["set_alpha_to_one", "clip_sample", "clip_sample_range", "thresholding", "rescale_betas_zero_snr"],
      { clip_sample: true },
    );
    this.#schedule = noiseSchedule(this.#config, false);
  }

  setTimesteps(steps: number): void {
    this.timesteps = spacedTimesteps(this.#config, steps, true);
    this.#stride = Math.floor(this.#config.num_train_timesteps / steps);
  }

  start(clean: Float32Array, noise: Float32Array, index: number): Float32Array {
    return addNoise(clean, noise, levelOf(this.#schedule.alphasCumprod[this.timesteps[index]!]!));
  }

  scaleModelInput(sample: Float32Array): Float32Array {
    return sample;
  }

  step(modelOutput: Float32Array, index: number, sample: Float32Array): Float32Array {
    const { prediction_type: type, clip_sample: clips, clip_sample_range: bound } = this.#config;
    const { alphasCumprod } = this.#schedule;
    const from = this.timesteps[index]!;
    const to = from - this.#stride;
    const aFinal = this.#config.set_alpha_to_one ? 1 : alphasCumprod[0]!;
    const here = levelOf(alphasCumprod[from]!);
    const next = levelOf(to >= 0 ? alphasCumprod[to]! : aFinal);
    const noise = predictNoise(type, sample, modelOutput, here);
    const clean = predictClean(type, sample, modelOutput, here);
    const kept = clips ? clean.map((x) => Math.min(Math.max(x, -bound), bound)) : clean;
    return kept.map((x0, i) => next.signal * x0 + next.noise * noise[i]!);
  }
}
