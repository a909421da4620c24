import { kindOf } from "../../core/devices.js";
import type { Precision } from "../../core/options.js";
import type { Device } from "./device.js";
import type { Plan } from "./plan.js";

/** What `auto` resolves to. */
export type FixedPrecision = Exclude<Precision, "auto">;

const PLANS_OF: Readonly<Record<Precision, readonly Plan[]>> = {
  auto: ["fp16", "mixed", "fp32"],
  fp16: ["fp16", "mixed"],
  fp32: ["fp32"],
};

/** The plans to try on a device, cheapest first; see `openDevice`. fp16 is a promise about memory. */
export const plansToTry = (precision: Precision): readonly Plan[] => PLANS_OF[precision];

/** The plan of `precision` on a device: `auto` is fp32 on the CPU, which has no float16 arithmetic. */
export function planOn({ name, checked }: Device, precision: Precision): Plan {
  if (checked !== undefined && plansToTry(precision).includes(checked.plan)) return checked.plan;
  return precision === "fp32" || (precision === "auto" && kindOf(name) === "cpu") ? "fp32" : "fp16";
}

/** Type of the weights under a plan. */
export const precisionOf = (plan: Plan): FixedPrecision => (plan === "fp32" ? "fp32" : "fp16");
