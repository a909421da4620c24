import type { SchedulerConfig } from "./config.js";

/** Coefficients of one timestep: signal = sqrt(a_t), noise = sqrt(1 - a_t). */
export interface Level {
  readonly signal: number;
  readonly noise: number;
}

/** The level of a variance-preserving process with that a_t. */
export const levelOf = (alphaCumprod: number): Level => ({
  signal: Math.sqrt(alphaCumprod),
  noise: Math.sqrt(1 - alphaCumprod),
});

/** The level whose noise-to-signal ratio is `sigma`, so that signal^2 + noise^2 = 1. */
export function levelOfSigma(sigma: number): Level {
  const signal = 1 / Math.sqrt(sigma * sigma + 1);
  return { signal, noise: sigma * signal };
}

/** x_t of clean latents and noise. */
export const addNoise = (clean: Float32Array, noise: Float32Array, level: Level): Float32Array =>
  clean.map((x0, i) => level.signal * x0 + level.noise * noise[i]!);

/**
 * The model's estimate of the clean latents x_0 in x_t, from its output o:
 * epsilon: (x_t - noise * o) / signal; v_prediction: signal * x_t - noise * o
 * (Salimans and Ho, "Progressive Distillation", 2022, appendix D: v = signal * e - noise * x_0).
 */
export function predictClean(
  type: SchedulerConfig["prediction_type"],
  sample: Float32Array,
  output: Float32Array,
  { signal, noise }: Level,
): Float32Array {
  return type === "epsilon"
    ? sample.map((x, i) => (x - noise * output[i]!) / signal)
    : sample.map((x, i) => signal * x - noise * output[i]!);
}

/** The model's estimate of the noise in x_t: epsilon: o; v_prediction: signal * o + noise * x_t. */
export function predictNoise(
  type: SchedulerConfig["prediction_type"],
  sample: Float32Array,
  output: Float32Array,
  { signal, noise }: Level,
): Float32Array {
  return type === "epsilon" ? output : sample.map((x, i) => signal * output[i]! + noise * x);
}
