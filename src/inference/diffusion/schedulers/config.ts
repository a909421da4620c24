import { z } from "zod";
import { CheckpointError } from "../../../core/errors.js";

/** All published Stable Diffusions were trained with 1,000. */
const MOST_STEPS = 100_000;

const schema = z.object({
  num_train_timesteps: z.int().min(2).max(MOST_STEPS),
  beta_start: z.number().gt(0).lt(1),
  beta_end: z.number().gt(0).lt(1),
  beta_schedule: z.enum(["linear", "scaled_linear", "squaredcos_cap_v2"]),
  trained_betas: z.array(z.number().gte(0).lte(1)).min(2).max(MOST_STEPS).nullable(),
  rescale_betas_zero_snr: z.boolean(),
  prediction_type: z.enum(["epsilon", "v_prediction"]),
  timestep_spacing: z.enum(["linspace", "leading", "trailing"]),
  steps_offset: z.int().min(0).max(MOST_STEPS),
  set_alpha_to_one: z.boolean(),
  clip_sample: z.boolean(),
  clip_sample_range: z.number().gt(0),
  thresholding: z.literal(false),
  // PNDM
  skip_prk_steps: z.boolean(),
  // Euler and DPM-Solver++
  use_karras_sigmas: z.boolean(),
  use_exponential_sigmas: z.literal(false),
  use_beta_sigmas: z.literal(false),
  use_lu_lambdas: z.literal(false),
  use_flow_sigmas: z.literal(false),
  sigma_min: z.number().gt(0).nullable(),
  sigma_max: z.number().gt(0).nullable(),
  final_sigmas_type: z.enum(["zero", "sigma_min"]),
  interpolation_type: z.literal("linear"),
  timestep_type: z.literal("discrete"),
  // DPM-Solver++
  solver_order: z.union([z.literal(1), z.literal(2)]),
  algorithm_type: z.literal("dpmsolver++"),
  /** Values of other solvers of its kind stand for midpoint, as in diffusers. */
  solver_type: z
    .enum(["midpoint", "heun", "logrho", "bh1", "bh2"])
    .transform((type) => (type === "heun" ? type : "midpoint")),
  /** Learned variances would lie in extra channels of the UNet; the other values say nothing to a solver. */
  variance_type: z.enum(["fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log"]).nullable(),
  use_dynamic_shifting: z.literal(false),
  lower_order_final: z.boolean(),
  euler_at_final: z.boolean(),
  lambda_min_clipped: z.union([z.number(), z.literal("-inf").transform(() => Number.NEGATIVE_INFINITY)]),
  // LCM
  original_inference_steps: z.int().min(1).max(MOST_STEPS),
  timestep_scaling: z.number().gt(0),
});

/** The complete values of a `scheduler_config.json`, under the file's names. */
export type SchedulerConfig = z.output<typeof schema>;

/** Defaults that the diffusers classes share; each class overrides what differs. */
const COMMON_DEFAULTS: z.input<typeof schema> = {
  num_train_timesteps: 1000,
  beta_start: 0.0001,
  beta_end: 0.02,
  beta_schedule: "linear",
  trained_betas: null,
  rescale_betas_zero_snr: false,
  prediction_type: "epsilon",
  timestep_spacing: "leading",
  steps_offset: 0,
  set_alpha_to_one: true,
  clip_sample: false,
  clip_sample_range: 1,
  thresholding: false,
  skip_prk_steps: false,
  use_karras_sigmas: false,
  use_exponential_sigmas: false,
  use_beta_sigmas: false,
  use_lu_lambdas: false,
  use_flow_sigmas: false,
  sigma_min: null,
  sigma_max: null,
  final_sigmas_type: "zero",
  interpolation_type: "linear",
  timestep_type: "discrete",
  solver_order: 2,
  algorithm_type: "dpmsolver++",
  solver_type: "midpoint",
  variance_type: null,
  use_dynamic_shifting: false,
  lower_order_final: true,
  euler_at_final: false,
  lambda_min_clipped: "-inf",
  original_inference_steps: 50,
  timestep_scaling: 10,
};

/** Keys that every algorithm reads. */
const COMMON_KEYS: readonly (keyof SchedulerConfig)[] = [
  "num_train_timesteps",
  "beta_start",
  "beta_end",
  "beta_schedule",
  "trained_betas",
  "prediction_type",
  "timestep_spacing",
  "steps_offset",
];

/**
 * Reads a published `scheduler_config.json` for one algorithm, whichever class wrote it: the file's values
 * override the algorithm's defaults, and keys of other algorithms are ignored. This is diffusers'
 * `from_config`.
 * @param keys keys that this algorithm reads besides the common ones
 * @param defaults defaults of this algorithm that differ from the common ones
 * @throws CheckpointError CHECKPOINT_ARCHITECTURE naming each unsupported value
 */
export function readSchedulerConfig(
  published: Readonly<Record<string, unknown>>,
  keys: readonly (keyof SchedulerConfig)[],
  defaults: Partial<z.input<typeof schema>> = {},
): SchedulerConfig {
  const given = [...COMMON_KEYS, ...keys].flatMap((key) => {
    const value = published[key];
    // Python writes None for a switch that was never set.
    const unset = value === undefined || (value === null && key.startsWith("use_"));
    return unset ? [] : [[key, value] as const];
  });
  const result = schema.safeParse({ ...COMMON_DEFAULTS, ...defaults, ...Object.fromEntries(given) });
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `scheduler_config.json asks for something this scheduler does not do (${problems}). Choose another scheduler or edit the file.`,
    { cause: result.error },
  );
}
