import type { Arithmetic, Avoided } from "../../onnx/graph.js";

/**
 * How a device computes the graphs of Stable Diffusion and the judges, cheapest first; the device's check
 * picks one (device-check.ts). `mixed`: weights of two bytes in memory, arithmetic in fp32.
 */
export const PLANS = ["fp16", "mixed", "fp32"] as const;
export type Plan = (typeof PLANS)[number];

/** What was found to compute correctly on a device. */
export interface CheckedPlan {
  readonly plan: Plan;
  readonly avoided: Avoided;
}

const ARITHMETIC = {
  fp16: { float: "float16" },
  mixed: { float: "float32", weights: "float16" },
  fp32: { float: "float32" },
} as const satisfies Record<Plan, Arithmetic>;

export const arithmeticOf = (plan: Plan): Omit<Arithmetic, "avoided"> => ARITHMETIC[plan];

/** The plans with more exact sums than this one, the next first. */
export const saferPlans = (plan: Plan): readonly Plan[] => PLANS.slice(PLANS.indexOf(plan) + 1);

const NAMES: Readonly<Record<Plan, string>> = {
  fp16: "fp16",
  mixed: "fp16 weights and fp32 sums",
  fp32: "fp32",
};

/** A plan in words. */
export const planName = (plan: Plan): string => NAMES[plan];
