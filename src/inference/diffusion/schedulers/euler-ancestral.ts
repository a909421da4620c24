import type { NormalSource } from "../../numbers/torch-random.js";
import { readSchedulerConfig, type SchedulerConfig } from "./config.js";
import { derivative, eulerNoiseSigma, eulerPath, toUnitVariance } from "./euler.js";
import { type NoiseSchedule, noiseSchedule } from "./noise-schedule.js";
import { addNoise } from "./prediction.js";
import type { Scheduler } from "./scheduler.js";

/**
 * Euler's method with fresh noise at each step: k-diffusion's ancestral sampler (Crowson, 2022), whose split
 * of the next noise level is that of DDPM (Ho et al., 2020) in terms of sigma:
 *
 *     up^2   = sigma'^2 (sigma^2 - sigma'^2) / sigma^2      variance of the fresh noise
 *     down^2 = sigma'^2 - up^2                              where Euler's step goes
 *     x' = x + (down - sigma) (x - D) / sigma + up z,   z standard normal
 */
export class EulerAncestralScheduler implements Scheduler {
  timesteps: readonly number[] = [];
  initNoiseSigma = 1;
  readonly #config: SchedulerConfig;
  readonly #schedule: NoiseSchedule;
  #sigmas: Float32Array = new Float32Array();

  constructor(published: Readonly<Record<string, unknown>>) {
    this.#config = readSchedulerConfig(published, ["rescale_betas_zero_snr"], {
      timestep_spacing: "linspace",
    });
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

  step(modelOutput: Float32Array, index: number, sample: Float32Array, random: NormalSource): Float32Array {
    const sigma = this.#sigmas[index]!;
    const next = this.#sigmas[index + 1]!;
    const direction = derivative(this.#config.prediction_type, sample, modelOutput, sigma);
    const up = Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2);
    const down = Math.sqrt(next ** 2 - up ** 2);
    // Drawn at the last step too, where `up` is 0, so that the random stream continues as in diffusers.
    const fresh = random.randn(sample.length);
    return sample.map((x, i) => x + (down - sigma) * direction[i]! + up * fresh[i]!);
  }
}
