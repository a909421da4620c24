import { readSchedulerConfig, type SchedulerConfig } from "./config.js";
import { type NoiseSchedule, noiseSchedule } from "./noise-schedule.js";
import { addNoise, levelOfSigma } from "./prediction.js";
import type { Scheduler } from "./scheduler.js";
import { type SigmaPath, sigmaPath } from "./sigma-path.js";
import { spacedTimesteps } from "./timesteps.js";

/**
 * Euler's method on the probability flow: Karras et al., "Elucidating the Design Space of Diffusion-Based
 * Generative Models", 2022 (arXiv 2206.00364), algorithm 1 without its second-order correction.
 *
 * Samples here are the paper's: clean latents plus sigma times noise, not scaled to unit variance.
 *
 *     d = (x - D) / sigma          the paper's d_i, with D its denoised x (`denoise`)
 *     x' = x + (sigma' - sigma) d
 */
export class EulerScheduler implements Scheduler {
  timesteps: readonly number[] = [];
  initNoiseSigma = 1;
  readonly #config: SchedulerConfig;
  readonly #schedule: NoiseSchedule;
  #sigmas: Float32Array = new Float32Array();

  constructor(published: Readonly<Record<string, unknown>>) {
    this.#config = readSchedulerConfig(
      published,
      [
        "rescale_betas_zero_snr",
        "use_karras_sigmas",
        "use_exponential_sigmas",
        "use_beta_sigmas",
        "sigma_min",
        "sigma_max",
        "final_sigmas_type",
        "interpolation_type",
        "timestep_type",
      ],
      { timestep_spacing: "linspace" },
    );
    this.#schedule = noiseSchedule(this.#config, true);
  }

  setTimesteps(steps: number): void {
    const path = eulerPath(this.#config, this.#schedule, steps);
    this.timesteps = path.timesteps;
    this.#sigmas = path.sigmas;
    this.initNoiseSigma = eulerNoiseSigma(this.#config, path.sigmas);
  }

  start(clean: Float32Array, noise: Float32Array, index: number): Float32Array {
    return addNoise(clean, noise, { signal: 1, noise: this.#sigmas[index]! });
  }

  scaleModelInput(sample: Float32Array, index: number): Float32Array {
    return toUnitVariance(sample, this.#sigmas[index]!);
  }

  step(modelOutput: Float32Array, index: number, sample: Float32Array): Float32Array {
    const sigma = this.#sigmas[index]!;
    const direction = derivative(this.#config.prediction_type, sample, modelOutput, sigma);
    const stride = this.#sigmas[index + 1]! - sigma;
    return sample.map((x, i) => x + stride * direction[i]!);
  }
}

/** The path of both Euler algorithms. */
export function eulerPath(config: SchedulerConfig, schedule: NoiseSchedule, steps: number): SigmaPath {
  const path = sigmaPath(config, schedule, spacedTimesteps(config, steps, false), (plain) => [
    plain[0]!,
    plain[plain.length - 1]!,
  ]);
  return { timesteps: path.timesteps.map(Math.fround), sigmas: path.sigmas };
}

/**
 * Spread of the initial latents: at the noisiest timestep they are noise alone, below it signal and noise.
 */
export function eulerNoiseSigma(config: SchedulerConfig, sigmas: Float32Array): number {
  const highest = sigmas[0]!;
  return config.timestep_spacing === "leading" ? Math.sqrt(highest * highest + 1) : highest;
}

/** x / sqrt(sigma^2 + 1): what the UNet was trained on. */
export function toUnitVariance(sample: Float32Array, sigma: number): Float32Array {
  const scale = Math.sqrt(sigma * sigma + 1);
  return sample.map((x) => x / scale);
}

/**
 * (x - D) / sigma, where D is the denoised sample:
 * epsilon: D = x - sigma o; v_prediction: D = x / (sigma^2 + 1) - o sigma / sqrt(sigma^2 + 1).
 */
export function derivative(
  type: SchedulerConfig["prediction_type"],
  sample: Float32Array,
  output: Float32Array,
  sigma: number,
): Float32Array {
  if (type === "epsilon") return output;
  const { signal, noise } = levelOfSigma(sigma);
  return sample.map((x, i) => (x - (signal * signal * x - noise * output[i]!)) / sigma);
}
