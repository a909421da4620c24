import { InputError } from "../../../core/errors.js";
import { readSchedulerConfig, type SchedulerConfig } from "./config.js";
import { type NoiseSchedule, noiseSchedule } from "./noise-schedule.js";
import { addNoise, levelOf, predictNoise } from "./prediction.js";
import type { Scheduler } from "./scheduler.js";
import { spacedTimesteps } from "./timesteps.js";

/** Evaluations per Runge-Kutta step, and timesteps that the warm-up takes. */
const ORDER = 4;

/** Weights of the four evaluations of a classical Runge-Kutta step. */
const RUNGE_KUTTA = [1 / 6, 1 / 3, 1 / 3, 1 / 6] as const;

/**
 * Adams-Bashforth weights for the newest to the oldest noise; Liu et al., 2022, formula (12), and its lower
 * orders for the first steps, as the PLMS sampler of latent-diffusion starts.
 */
const ADAMS_BASHFORTH = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
] as const;

/**
 * PNDM: Liu et al., "Pseudo Numerical Methods for Diffusion Models on Manifolds", 2022 (arXiv 2202.09778).
 *
 * Each transfer from t to s is the paper's formula (9), with a_t = alphasCumprod[t]:
 *
 *     x_s = sqrt(a_s / a_t) x_t - (a_s - a_t) e / (a_t sqrt(1 - a_s) + sqrt(a_t (1 - a_t) a_s))
 *
 * | here   | paper    |
 * |--------|----------|
 * | from   | t        |
 * | to     | t - delta|
 * | noise  | e', the combination of the last noises (12), or of one Runge-Kutta step (13) |
 *
 * With `skip_prk_steps`, as Stable Diffusion is configured, the second timestep is evaluated twice (a Heun
 * step) in place of the Runge-Kutta warm-up: n steps are n + 1 evaluations.
 */
export class PndmScheduler implements Scheduler {
  timesteps: readonly number[] = [];
  readonly initNoiseSigma = 1;
  readonly #config: SchedulerConfig;
  readonly #schedule: NoiseSchedule;
  #stride = 0;
  /** Index of the first evaluation. */
  #begin = 0;
  #warmUp: readonly number[] = [];
  /** The last noises, oldest first. */
  #noises: Float32Array[] = [];
  /** Where the running Runge-Kutta or Heun step began. */
  #origin: Float32Array | null = null;
  #rungeKuttaSum: Float32Array | null = null;

  constructor(published: Readonly<Record<string, unknown>>) {
    this.#config = readSchedulerConfig(published, ["set_alpha_to_one", "skip_prk_steps"], {
      set_alpha_to_one: false,
    });
    this.#schedule = noiseSchedule(this.#config, false);
  }

  setTimesteps(steps: number): void {
    const { num_train_timesteps: trained, skip_prk_steps: skipWarmUp } = this.#config;
    const rising = spacedTimesteps(this.#config, steps, true).reverse();
    this.#stride = Math.floor(trained / steps);
    if (skipWarmUp) {
      this.#warmUp = [];
      this.timesteps = [...rising.slice(0, -1), ...rising.slice(-2, -1), ...rising.slice(-1)].reverse();
    } else {
      if (steps < ORDER) {
        throw new InputError(
          "INPUT_OPTION",
          `PNDM with its warm-up needs at least ${ORDER} steps, got ${steps}.`,
          {
            option: "steps",
            value: steps,
            limit: ORDER,
          },
        );
      }
      const half = Math.floor(this.#stride / 2);
      const between = rising.slice(-ORDER).flatMap((t) => [t, t + half]);
      this.#warmUp = between
        .slice(0, -1)
        .flatMap((t) => [t, t])
        .slice(1, -1)
        .reverse();
      this.timesteps = [...this.#warmUp, ...rising.slice(0, 1 - ORDER).reverse()];
    }
    this.#begin = 0;
    this.#noises = [];
    this.#origin = null;
    this.#rungeKuttaSum = null;
  }

  /** @throws InputError INPUT_OPTION in the middle of a path with Runge-Kutta's warm-up */
  start(clean: Float32Array, noise: Float32Array, index: number): Float32Array {
    if (index > 0 && this.#warmUp.length > 0)
      throw new InputError(
        "INPUT_OPTION",
        "PNDM with its warm-up can't begin with a picture. Choose another scheduler.",
        { option: "scheduler", value: "pndm" },
      );
    this.#begin = index;
    return addNoise(clean, noise, levelOf(this.#schedule.alphasCumprod[this.timesteps[index]!]!));
  }

  scaleModelInput(sample: Float32Array): Float32Array {
    return sample;
  }

  step(modelOutput: Float32Array, index: number, sample: Float32Array): Float32Array {
    return index < this.#warmUp.length
      ? this.#rungeKuttaStep(modelOutput, index, sample)
      : this.#multistep(modelOutput, index, sample);
  }

  #rungeKuttaStep(output: Float32Array, index: number, sample: Float32Array): Float32Array {
    const stage = index % ORDER;
    const from = this.#warmUp[index - stage]!;
    const to = this.timesteps[index]! - (index % 2 === 0 ? Math.floor(this.#stride / 2) : 0);
    if (stage === 0) {
      this.#noises.push(output);
      this.#origin = sample;
    }
    const soFar = stage === 0 ? null : this.#rungeKuttaSum;
    const weight = RUNGE_KUTTA[stage]!;
    const sum = output.map((o, i) => (soFar === null ? 0 : soFar[i]!) + weight * o);
    this.#rungeKuttaSum = sum;
    // The first three stages continue with only the newest noise, the last with the weighted sum of all four.
    return this.#transfer(this.#origin ?? sample, from, to, stage === ORDER - 1 ? sum : output);
  }

  #multistep(output: Float32Array, index: number, sample: Float32Array): Float32Array {
    const timestep = this.timesteps[index]!;
    if (index === this.#begin + 1) {
      // The second evaluation was at the end of the first transfer: repeat that transfer with the mean of
      // both.
      const first = this.#noises[this.#noises.length - 1];
      if (first === undefined || this.#origin === null)
        throw new RangeError("PNDM cannot start at its second step");
      const mean = output.map((o, i) => (o + first[i]!) / 2);
      const origin = this.#origin;
      this.#origin = null;
      return this.#transfer(origin, timestep + this.#stride, timestep, mean);
    }
    this.#noises = [...this.#noises.slice(1 - ORDER), output];
    if (index === this.#begin) this.#origin = sample;
    return this.#transfer(sample, timestep, timestep - this.#stride, this.#adamsBashforth());
  }

  #adamsBashforth(): Float32Array {
    const newestFirst = this.#noises.toReversed();
    const weights = ADAMS_BASHFORTH[newestFirst.length - 1]!;
    return newestFirst[0]!.map((_, i) =>
      newestFirst.reduce((sum, noise, k) => sum + weights[k]! * noise[i]!, 0),
    );
  }

  #transfer(sample: Float32Array, from: number, to: number, output: Float32Array): Float32Array {
    const { alphasCumprod } = this.#schedule;
    const aFrom = alphasCumprod[from]!;
    const aFinal = this.#config.set_alpha_to_one ? 1 : alphasCumprod[0]!;
    const aTo = to >= 0 ? alphasCumprod[to]! : aFinal;
    const noise = predictNoise(this.#config.prediction_type, sample, output, levelOf(aFrom));
    const denominator = aFrom * Math.sqrt(1 - aTo) + Math.sqrt(aFrom * (1 - aFrom) * aTo);
    const sampleWeight = Math.sqrt(aTo / aFrom);
    const noiseWeight = (aTo - aFrom) / denominator;
    return sample.map((x, i) => sampleWeight * x - noiseWeight * noise[i]!);
  }
}
