/**
 * The noise levels that a diffusion model was trained on, in the float32 steps of PyTorch and numpy: rounding
 * at the same places makes them equal bit for bit.
 */
import type { SchedulerConfig } from "./config.js";

const { fround } = Math;

export interface NoiseSchedule {
  /** a_t for t = 0 .. T-1, falling from nearly 1 (clean) to nearly 0 (noise). */
  readonly alphasCumprod: Float32Array;
  /** sqrt((1 - a_t) / a_t), rising. */
  readonly sigmas: Float32Array;
}

/** Largest beta of the cosine schedule; Nichol and Dhariwal, "Improved DDPM", 2021, section 3.2. */
const MAX_COSINE_BETA = 0.999;

/**
 * Replaces a last a_t of zero, which would make sigma infinite: float16's smallest number, as in diffusers.
 */
const ALMOST_ZERO = 2 ** -24;

/** @param keepLastAboveZero for algorithms that divide by a_t at the noisiest timestep */
export function noiseSchedule(config: SchedulerConfig, keepLastAboveZero: boolean): NoiseSchedule {
  let alphasCumprod = cumulativeProduct(betasOf(config).map((beta) => 1 - beta));
  if (config.rescale_betas_zero_snr) {
    alphasCumprod = rescaleToZeroTerminalSnr(alphasCumprod);
    if (keepLastAboveZero) alphasCumprod[alphasCumprod.length - 1] = ALMOST_ZERO;
  }
  return { alphasCumprod, sigmas: alphasCumprod.map((a) => Math.sqrt(fround(fround(1 - a) / a))) };
}

function betasOf(config: SchedulerConfig): Float32Array {
  if (config.trained_betas !== null) return Float32Array.from(config.trained_betas);
  const { beta_start: start, beta_end: end, num_train_timesteps: count } = config;
  switch (config.beta_schedule) {
    case "linear":
      return linspace32(start, end, count);
    case "scaled_linear":
      return linspace32(Math.sqrt(start), Math.sqrt(end), count).map((root) => root * root);
    case "squaredcos_cap_v2":
      return Float32Array.from({ length: count }, (_, t) =>
        Math.min(1 - cosineAlphaBar((t + 1) / count) / cosineAlphaBar(t / count), MAX_COSINE_BETA),
      );
  }
}

/** Improved DDPM, formula (17), with s = 0.008. */
const cosineAlphaBar = (t: number): number => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;

/** `torch.linspace` in float32, which counts from both ends and fuses multiply and add. */
function linspace32(start: number, end: number, count: number): Float32Array {
  const [first, last] = [fround(start), fround(end)];
  const step = fround(fround(last - first) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < Math.floor(count / 2) ? first + step * i : last - step * (count - 1 - i),
  );
}

/** `torch.cumprod`: accumulates in float64, stores float32. */
function cumulativeProduct(factors: Float32Array): Float32Array {
  let product = 1;
  return factors.map((factor) => {
    product *= factor;
    return product;
  });
}

/** Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", 2023, algorithm 1. */
function rescaleToZeroTerminalSnr(alphasCumprod: Float32Array): Float32Array {
  const roots = alphasCumprod.map(Math.sqrt);
  const [first, last] = [roots[0]!, roots[roots.length - 1]!];
  const stretch = fround(first / fround(first - last));
  const squares = roots.map((root) => fround(fround(root - last) * stretch)).map((root) => root * root);
  // diffusers converts to betas and multiplies again; that detour rounds, so we take it too.
  const alphas = squares.map((square, t) => (t === 0 ? square : square / squares[t - 1]!));
  return cumulativeProduct(alphas.map((alpha) => 1 - fround(1 - alpha)));
}

/** `numpy.interp` over a table with one entry per whole timestep; values beyond the ends equal the ends. */
export function interpolate(table: Float32Array, at: number): number {
  const low = Math.floor(at);
  if (low < 0) return table[0]!;
  if (low >= table.length - 1) return table[table.length - 1]!;
  return (table[low + 1]! - table[low]!) * (at - low) + table[low]!;
}

/** rho of Karras et al., 2022: "we use rho = 7". */
const KARRAS_RHO = 7;

/**
 * Noise levels after Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models",
 * 2022, formula (5): sigma_i = (max^(1/rho) + i / (N - 1) * (min^(1/rho) - max^(1/rho)))^rho.
 * @returns `count` falling levels in float64
 */
export function karrasSigmas(sigmaMin: number, sigmaMax: number, count: number): number[] {
  const from = sigmaMax ** (1 / KARRAS_RHO);
  const to = sigmaMin ** (1 / KARRAS_RHO);
  const ramp = linspace64(0, 1, count);
  return ramp.map((r) => (from + r * (to - from)) ** KARRAS_RHO);
}

/**
 * The (fractional) timestep whose training noise level is `sigma`: linear in log sigma, clamped at the ends.
 */
export function timestepOfSigma(sigma: number, trainingSigmas: Float32Array): number {
  const logSigmas = trainingSigmas.map(Math.log);
  const logSigma = Math.log(Math.max(sigma, 1e-10));
  const above = logSigmas.findIndex((value) => value > logSigma);
  const low = Math.min(Math.max((above < 0 ? logSigmas.length : above) - 1, 0), logSigmas.length - 2);
  const span = fround(logSigmas[low]! - logSigmas[low + 1]!);
  const weight = Math.min(Math.max((logSigmas[low]! - logSigma) / span, 0), 1);
  return (1 - weight) * low + weight * (low + 1);
}

/** `numpy.linspace`: both ends are exact. */
export function linspace64(start: number, end: number, count: number): number[] {
  const step = (end - start) / (count - 1);
  return Array.from({ length: count }, (_, i) =>
    i === count - 1 && i > 0 ? end : start + (i > 0 ? i * step : 0),
  );
}
