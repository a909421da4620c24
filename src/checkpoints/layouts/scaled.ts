import { createHash } from "node:crypto";
import { elementCount } from "../files/element-types.js";
import { NOT_IN_PLACE } from "../files/stored-weights.js";
import type { TensorEntry, Weights, WeightType } from "../files/weights.js";

/*
 * Weights in 8-bit floats with a scale, as ComfyUI's users share them: beside `NAME.weight` lies
 * `NAME.scale_weight` (2024) or `NAME.weight_scale` (since 2025), and the weight means weight * scale. The scale is
 * one number, or one for each row. What goes with it says how to compute in 8 bits, which is not done here:
 * `scale_input` or `input_scale`, `comfy_quant`, and a tensor `scaled_fp8` for the whole model.
 */

const EIGHT_BITS: readonly WeightType[] = ["F8_E4M3", "F8_E5M2"];
const FLOATS: readonly WeightType[] = ["F64", "F32", "F16", "BF16"];
const SCALES = ["scale_weight", "weight_scale"];
const BESIDE = ["scale_input", "input_scale", "comfy_quant"];
const OF_MODEL = /(^|\.)scaled_fp8$/;

/**
 * A view in which scaled weights are the numbers that they stand for, in float32, without their scales. Scales of
 * another kind stay, for the reader to refuse.
 */
export function descaled(weights: Weights): Weights {
  const scaleOf = new Map<string, string>();
  const dropped = new Set<string>();
  for (const name of weights.names) {
    if (!name.endsWith(".weight")) continue;
    const stem = name.slice(0, -"weight".length);
    const scale = SCALES.map((it) => stem + it).find((it) => isScaleOf(weights.get(it), weights.get(name)!));
    if (scale === undefined) continue;
    scaleOf.set(name, scale);
    for (const it of [scale, ...BESIDE.map((beside) => stem + beside)]) dropped.add(it);
  }
  if (scaleOf.size === 0) return weights;
  const names = weights.names.filter((name) => !dropped.has(name) && !OF_MODEL.test(name));
  const kept = new Set(names);
  const readFloat32 = (name: string): Float32Array => {
    const values = weights.readFloat32(name);
    const scale = scaleOf.get(name);
    if (scale === undefined) return values;
    const factors = weights.readFloat32(scale);
    const each = values.length / factors.length;
    return values.map((value, i) => value * factors[Math.floor(i / each)]!);
  };
  return {
    source: weights.source,
    names,
    fingerprint: createHash("sha256")
      .update(JSON.stringify(["descaled", weights.fingerprint]))
      .digest("hex"),
    get: (name) => {
      const entry = kept.has(name) ? weights.get(name) : undefined;
      if (entry === undefined || !scaleOf.has(name)) return entry;
      return { ...entry, type: "F32", bytes: 4 * elementCount(entry.shape), offset: NOT_IN_PLACE };
    },
    read: (name) => {
      if (!scaleOf.has(name)) return weights.read(name);
      const { buffer } = readFloat32(name);
      return new Uint8Array(buffer);
    },
    readFloat32,
  };
}

function isScaleOf(scale: TensorEntry | undefined, weight: TensorEntry): boolean {
  if (!scale || !EIGHT_BITS.includes(weight.type) || !FLOATS.includes(scale.type)) return false;
  const count = elementCount(scale.shape);
  return count === 1 || (count === weight.shape[0] && scale.shape[0] === count);
}
