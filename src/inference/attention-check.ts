import { InferenceSession, Tensor } from "onnxruntime-node";
import { type FloatType, GraphBuilder } from "../onnx/graph.js";
import { type AttentionForm, attention, cast } from "../onnx/ops.js";
import { type Device, deviceOptions } from "./device.js";

/** One kind of attention that a graph uses. */
export interface AttentionSize {
  readonly heads: number;
  readonly headSize: number;
  readonly queries: number;
  readonly keys: number;
  readonly causal: boolean;
}

/** Largest error of the largest value. Right kernels stay well below, wrong ones came to a tenth and more. */
const TOLERANCE: Readonly<Record<FloatType, number>> = { float32: 1e-3, float16: 2e-2 };

/**
 * The form of attention to use on a device: `fused` where its kernel gives the CPU's numbers for all sizes, else
 * `composed`. Kernels are not trusted: onnxruntime 1.30's WebGPU one is wrong, without any error, from 32 queries up
 * on devices with another subgroup size than it expects. The first wrong size decides, so a device that is slow
 * because it is software pays for one. Nothing is remembered between processes: the runtime does not tell the
 * driver's version, so a remembered answer could be that of another driver.
 */
export async function rightAttention(
  device: Device,
  float: FloatType,
  sizes: readonly AttentionSize[],
): Promise<AttentionForm> {
  if (device.name === "cpu") return "fused";
  const distinct = new Map(sizes.map((size) => [JSON.stringify(size), size]));
  for (const size of distinct.values()) {
    const inputs = sampleInputs(size);
    const expected = await run("cpu", "float32", "composed", size, inputs);
    let actual: Float32Array;
    try {
      actual = await run(device.name, float, "fused", size, inputs);
    } catch {
      // The device has no kernel for this size or type; the composed form asks for less.
      return "composed";
    }
    if (!isNear(actual, expected, TOLERANCE[float])) return "composed";
  }
  return "fused";
}

type Inputs = Readonly<Record<"q" | "k" | "v", Float32Array>>;

/** Fixed values with a spread near 1, so that softmax is neither flat nor one-hot. */
function sampleInputs({ heads, headSize, queries, keys }: AttentionSize): Inputs {
  const wave = (rows: number, step: number) =>
    Float32Array.from({ length: rows * heads * headSize }, (_, i) => 1.4 * Math.sin(i * step + i * i * 1e-3));
  return { q: wave(queries, 0.7), k: wave(keys, 1.3), v: wave(keys, 2.1) };
}

async function run(
  device: Device["name"],
  float: FloatType,
  form: AttentionForm,
  { heads, headSize, queries, keys, causal }: AttentionSize,
  inputs: Inputs,
): Promise<Float32Array> {
  const g = new GraphBuilder("attention-check", float);
  const width = heads * headSize;
  const feeds: Record<string, Tensor> = {};
  const input = (name: "q" | "k" | "v", rows: number) => {
    feeds[name] = new Tensor("float32", inputs[name], [1, rows, width]);
    return cast(g, g.input(name, "float32", [1, rows, width]), float);
  };
  const mask = Array.from({ length: queries * keys }, (_, j) => (j % keys > Math.floor(j / keys) ? -1e4 : 0));
  const bias = causal ? { bias: g.constant(float, [1, 1, queries, keys], mask) } : {};
  const [q, k, v] = [input("q", queries), input("k", keys), input("v", keys)];
  const y = attention(g, q, k, v, { heads, headSize, form, ...bias });
  g.output("y", cast(g, y, "float32"), "float32", [1, queries, width]);
  const options = { ...deviceOptions(device), logSeverityLevel: 4 } as const;
  const session = await InferenceSession.create(g.build().encode([]), options);
  try {
    return (await session.run(feeds)).y?.data as Float32Array;
  } finally {
    await session.release();
  }
}

/** False for NaN too. */
function isNear(actual: Float32Array, expected: Float32Array, tolerance: number): boolean {
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return expected.every((value, i) => Math.abs((actual[i] as number) - value) <= tolerance * largest);
}
