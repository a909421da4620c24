import { roundHalfToEven } from "../../numbers/round.js";
import { readSchedulerConfig, type SchedulerConfig } from "./config.js";
import { linspace64, type NoiseSchedule, noiseSchedule } from "./noise-schedule.js";
import { addNoise, levelOfSigma, predictClean } from "./prediction.js";
import type { Scheduler } from "./scheduler.js";
import { sigmaPath } from "./sigma-path.js";
import { requireTrained, trailing } from "./timesteps.js";

/** With fewer steps than this, the last one uses the first-order update if the file asks for it. */
const FEW_STEPS = 15;

/**
 * DPM-Solver++ (2M): Lu et al., "DPM-Solver++", 2022 (arXiv 2211.01095), algorithm 2, on the predicted clean
 * latents.
 *
 * | here        | paper                                  |
 * |-------------|----------------------------------------|
 * | here, next  | s (t_{i-1}) and t (t_i)                |
 * | signal      | alpha                                  |
 * | noise       | sigma (not the ratio, which is `#sigmas`) |
 * | h           | h_i = lambda_t - lambda_s, lambda = log(alpha / sigma) = -log of the ratio |
 * | r           | r_i = h_{i-1} / h_i                    |
 * | clean       | x_theta(x_s, s)                        |
 *
 *     D   = (1 + 1/(2r)) clean_s - 1/(2r) clean_{previous}
 *     x_t = (sigma_t / sigma_s) x_s - alpha_t (exp(-h) - 1) D
 *
 * The first step, and the last one if it ends without any noise, use D = clean_s, like the algorithm's own
 * start. `solver_type` "heun" integrates the slope of x_theta exactly, where "midpoint" takes half of it.
 */
export class DpmPlusPlus2mScheduler implements Scheduler {
  timesteps: readonly number[] = [];
  readonly initNoiseSigma = 1;
  readonly #config: SchedulerConfig;
  readonly #schedule: NoiseSchedule;
  #sigmas: Float32Array = new Float32Array();
  #previousClean: Float32Array | null = null;

  /** @param karras whether to use Karras' noise levels, overriding the file */
  constructor(published: Readonly<Record<string, unknown>>, karras: boolean) {
    const given = karras ? { ...published, use_karras_sigmas: true } : published;
    this.#config = readSchedulerConfig(
      given,
      [
        "rescale_betas_zero_snr",
        "thresholding",
        "use_karras_sigmas",
        "use_exponential_sigmas",
        "use_beta_sigmas",
        "use_lu_lambdas",
        "use_flow_sigmas",
        "final_sigmas_type",
        "solver_order",
        "algorithm_type",
        "solver_type",
        "variance_type",
        "use_dynamic_shifting",
        "lower_order_final",
        "euler_at_final",
        "lambda_min_clipped",
      ],
      { timestep_spacing: "linspace" },
    );
    this.#schedule = noiseSchedule(this.#config, true);
  }

  setTimesteps(steps: number): void {
    const { sigmas } = this.#schedule;
    const path = sigmaPath(this.#config, this.#schedule, this.#spaced(steps), () => [
      sigmas[sigmas.length - 1]!,
      sigmas[0]!,
    ]);
    const rounds = this.#config.use_karras_sigmas && this.#config.beta_schedule !== "squaredcos_cap_v2";
    this.timesteps = path.timesteps.map(rounds ? roundHalfToEven : Math.trunc);
    this.#sigmas = path.sigmas;
    this.#previousClean = null;
  }

  start(clean: Float32Array, noise: Float32Array, index: number): Float32Array {
    return addNoise(clean, noise, levelOfSigma(this.#sigmas[index]!));
  }

  scaleModelInput(sample: Float32Array): Float32Array {
    return sample;
  }

  step(modelOutput: Float32Array, index: number, sample: Float32Array): Float32Array {
    const sigma = this.#sigmas[index]!;
    const nextSigma = this.#sigmas[index + 1]!;
    const here = levelOfSigma(sigma);
    const next = levelOfSigma(nextSigma);
    const clean = predictClean(this.#config.prediction_type, sample, modelOutput, here);
    const previous = this.#previousClean;
    this.#previousClean = clean;
    const keep = next.noise / here.noise;
    // exp(-h) is the ratio of the two ratios; at the end it is 0, where h itself would be infinite.
    const gain = next.signal * (1 - nextSigma / sigma);
    if (previous === null || this.#config.solver_order === 1 || this.#endsInFirstOrder(index)) {
      return sample.map((x, i) => keep * x + gain * clean[i]!);
    }
    const h = Math.log(sigma / nextSigma);
    const r = Math.log(this.#sigmas[index - 1]! / sigma) / h;
    const slope =
      this.#config.solver_type === "midpoint" ? gain / 2 : next.signal * ((nextSigma / sigma - 1) / h + 1);
    return sample.map((x, i) => keep * x + gain * clean[i]! + (slope / r) * (clean[i]! - previous[i]!));
  }

  #endsInFirstOrder(index: number): boolean {
    const { euler_at_final, lower_order_final, final_sigmas_type } = this.#config;
    const few = this.timesteps.length < FEW_STEPS;
    const lowers = euler_at_final || (lower_order_final && few) || final_sigmas_type === "zero";
    return lowers && index === this.timesteps.length - 1;
  }

  /** Unlike the other algorithms, this one spaces `steps + 1` timesteps and leaves the cleanest out. */
  #spaced(steps: number): number[] {
    const { num_train_timesteps: trained, timestep_spacing: spacing, steps_offset: offset } = this.#config;
    const top = this.#noisiest();
    const timesteps = (() => {
      switch (spacing) {
        case "linspace":
          return linspace64(0, top - 1, steps + 1)
            .slice(1)
            .reverse()
            .map(roundHalfToEven);
        case "leading": {
          const stride = Math.floor(top / (steps + 1));
          return Array.from({ length: steps }, (_, i) => (steps - i) * stride + offset);
        }
        case "trailing":
          return trailing(top, steps, trained);
      }
    })();
    return requireTrained(timesteps, trained, steps, spacing === "leading" ? top - 1 - offset : trained);
  }

  /** One above the noisiest timestep used: those with lambda below `lambda_min_clipped` are left out. */
  #noisiest(): number {
    const lambdas = this.#schedule.sigmas.map((sigma) => -Math.log(sigma));
    return lambdas.findLastIndex((lambda) => lambda >= this.#config.lambda_min_clipped) + 1;
  }
}
