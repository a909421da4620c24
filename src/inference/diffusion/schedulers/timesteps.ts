import { InputError } from "../../../core/errors.js";
import { roundHalfToEven } from "../../numbers/round.js";
import type { SchedulerConfig } from "./config.js";
import { linspace64 } from "./noise-schedule.js";

/**
 * Falling timesteps spread over the training schedule; Lin et al., 2023, table 2. "linspace" holds both ends,
 * "leading" leaves a gap at the noisy end, "trailing" one at the clean end.
 * @param whole whether linspace's timesteps are rounded; the algorithms that interpolate keep the fractions,
 *   in float32
 * @throws InputError INPUT_OPTION if a timestep would lie outside the training schedule
 */
export function spacedTimesteps(config: SchedulerConfig, steps: number, whole: boolean): number[] {
  const { num_train_timesteps: trained, steps_offset: offset } = config;
  const timesteps = (() => {
    switch (config.timestep_spacing) {
      case "linspace":
        return linspace64(0, trained - 1, steps)
          .reverse()
          .map(whole ? roundHalfToEven : Math.fround);
      case "leading": {
        const stride = Math.floor(trained / steps);
        return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * stride + offset);
      }
      case "trailing":
        return trailing(trained, steps, trained);
    }
  })();
  return requireTrained(
    timesteps,
    trained,
    steps,
    config.timestep_spacing === "leading" ? trained - offset : trained,
  );
}

/**
 * "trailing" as `numpy.arange(top, 0, -trained / steps)` counts it, including its rounding of the stride, but
 * without the extra timestep -1 that the rounding adds for 62 of the first 1000 numbers of steps, such as 61.
 */
export function trailing(top: number, steps: number, trained: number): number[] {
  const stride = trained / steps;
  const first = top;
  const delta = first - stride - first;
  const count = Math.min(Math.ceil(top / stride), steps);
  return Array.from({ length: count }, (_, i) => roundHalfToEven(first + i * delta) - 1);
}

/**
 * The timesteps unchanged, if the model was trained on all of them.
 * @param limit largest number of steps for which it was, for the message
 */
export function requireTrained(timesteps: number[], trained: number, steps: number, limit: number): number[] {
  const inside = timesteps.every((t) => t >= 0 && t <= trained - 1);
  if (steps > limit || !inside) throw tooManySteps(steps, limit);
  return timesteps;
}

/**
 * Falling timesteps of a model that was distilled on `original_inference_steps` of them: as many, spread over those,
 * so there cannot be more. Throws InputError INPUT_OPTION for more.
 */
export function distilledTimesteps(config: SchedulerConfig, steps: number): number[] {
  const { num_train_timesteps: trained, original_inference_steps: distilled } = config;
  const limit = Math.min(distilled, trained);
  if (steps > limit) throw tooManySteps(steps, limit);
  const stride = Math.floor(trained / limit);
  const falling = Array.from({ length: limit }, (_, i) => (limit - i) * stride - 1);
  return Array.from({ length: steps }, (_, i) => falling[Math.floor(i * (limit / steps))]!);
}

const tooManySteps = (steps: number, limit: number): InputError =>
  new InputError(
    "INPUT_OPTION",
    `This scheduler takes at most ${limit} steps on this checkpoint, got ${steps}. Ask for fewer steps.`,
    { option: "steps", value: steps, limit },
  );
