import type { NormalSource } from "../../numbers/torch-random.js";
import { readSchedulerConfig, type SchedulerConfig } from "./config.js";
import { type NoiseSchedule, noiseSchedule } from "./noise-schedule.js";
import { addNoise, levelOf, predictClean, predictNoise } from "./prediction.js";
import type { Scheduler } from "./scheduler.js";
import { distilledTimesteps } from "./timesteps.js";

/** gamma: the share of each stride that is drawn as fresh noise. The scheduler's own default in diffusers. */
const GAMMA = 0.3;

/**
 * Strategic stochastic sampling of a trajectory consistency model: Zheng et al., "Trajectory Consistency
 * Distillation", 2024 (arXiv 2402.19159), algorithm 4. For checkpoints and LoRAs that were distilled for it.
 *
 * From t to the next timestep n, by way of s = floor((1 - gamma) n):
 *
 *     x_s = sqrt(a_s) x_0 + sqrt(1 - a_s) e
 *     x_n = sqrt(a_n / a_s) x_s + sqrt(1 - a_n / a_s) z      fresh noise z, except after the last step, where n = 0
 */
export class TcdScheduler implements Scheduler {
  timesteps: readonly number[] = [];
  readonly initNoiseSigma = 1;
  readonly #config: SchedulerConfig;
  readonly #schedule: NoiseSchedule;

  constructor(published: Readonly<Record<string, unknown>>) {
    this.#config = readSchedulerConfig(
      published,
      ["thresholding", "rescale_betas_zero_snr", "original_inference_steps"],
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
    const { prediction_type: type } = this.#config;
    const { alphasCumprod } = this.#schedule;
    const here = levelOf(alphasCumprod[this.timesteps[index]!]!);
    const isLast = index === this.timesteps.length - 1;
    const next = isLast ? 0 : this.timesteps[index + 1]!;
    // In float32, as torch multiplies them.
    const between = Math.floor(Math.fround(next * Math.fround(1 - GAMMA)));
    const aBetween = alphasCumprod[between]!;
    const to = levelOf(aBetween);
    const clean = predictClean(type, sample, modelOutput, here);
    const noise = predictNoise(type, sample, modelOutput, here);
    const noised = clean.map((x0, i) => to.signal * x0 + to.noise * noise[i]!);
    if (isLast) return noised;
    const added = levelOf(alphasCumprod[next]! / aBetween);
    const fresh = random.randn(sample.length);
    return noised.map((x, i) => added.signal * x + added.noise * fresh[i]!);
  }
}
