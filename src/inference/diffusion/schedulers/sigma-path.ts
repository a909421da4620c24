import type { SchedulerConfig } from "./config.js";
import { interpolate, karrasSigmas, type NoiseSchedule, timestepOfSigma } from "./noise-schedule.js";

export interface SigmaPath {
  /** One per step, falling; with Karras levels the fractional timesteps of those levels. */
  readonly timesteps: readonly number[];
  /** One more than timesteps: the last is the level after the last step. float32. */
  readonly sigmas: Float32Array;
}

/**
 * The noise levels (ratio of noise to signal) that a path visits.
 * @param spaced timesteps of the plain path
 * @param karrasFrom the levels between which Karras' path runs, noisiest first
 */
export function sigmaPath(
  config: SchedulerConfig,
  schedule: NoiseSchedule,
  spaced: readonly number[],
  karrasFrom: (plain: readonly number[]) => readonly [number, number],
): SigmaPath {
  const plain = spaced.map((t) => interpolate(schedule.sigmas, t));
  const last = config.final_sigmas_type === "zero" ? 0 : schedule.sigmas[0]!;
  if (!config.use_karras_sigmas) return { timesteps: spaced, sigmas: Float32Array.of(...plain, last) };
  const [highest, lowest] = karrasFrom(plain);
  const levels = karrasSigmas(config.sigma_min ?? lowest, config.sigma_max ?? highest, spaced.length);
  return {
    timesteps: levels.map((sigma) => timestepOfSigma(sigma, schedule.sigmas)),
    sigmas: Float32Array.of(...levels, last),
  };
}
