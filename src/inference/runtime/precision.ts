import type { FloatType } from "../../onnx/graph.js";
import type { Device } from "./device.js";

/** The float type of a model's weights and arithmetic; `auto`: the best that its device computes rightly. */
export type Precision = "auto" | FixedPrecision;
export type FixedPrecision = "fp16" | "fp32";

const FLOATS: Readonly<Record<Precision, readonly FloatType[]>> = {
  auto: ["float16", "float32"],
  fp16: ["float16"],
  fp32: ["float32"],
};

/** The types to try on a device, the best first; see `openDevice`. */
export const floatsToTry = (precision: Precision): readonly FloatType[] => FLOATS[precision];

export const floatOf = (precision: FixedPrecision): FloatType =>
  precision === "fp16" ? "float16" : "float32";

/** What `precision` means on a device: `auto` is fp32 on the CPU, which has no float16 arithmetic. */
export function precisionOn({ name, checked }: Device, precision: Precision): FixedPrecision {
  if (precision !== "auto") return precision;
  return name === "cpu" || checked?.float === "float32" ? "fp32" : "fp16";
}
