import type { Precision } from "../../core/options.js";
import type { FloatType } from "../../onnx/graph.js";
import type { Device } from "./device.js";

/** What `auto` resolves to. */
export type FixedPrecision = Exclude<Precision, "auto">;

const FLOATS: Readonly<Record<Precision, readonly FloatType[]>> = {
  auto: ["float16", "float32"],
  fp16: ["float16"],
  fp32: ["float32"],
};

/** The types to try on a device, best first; see `openDevice`. */
export const floatsToTry = (precision: Precision): readonly FloatType[] => FLOATS[precision];

export const floatOf = (precision: FixedPrecision): FloatType =>
  precision === "fp16" ? "float16" : "float32";

/** The meaning of `precision` on a device: `auto` is fp32 on the CPU, which has no float16 arithmetic. */
export function precisionOn({ name, checked }: Device, precision: Precision): FixedPrecision {
  if (precision !== "auto") return precision;
  return name === "cpu" || checked?.float === "float32" ? "fp32" : "fp16";
}
