import { describe, expect, it } from "vitest";
import { InferenceSession, Tensor } from "../../src/inference/runtime/onnxruntime.js";
import { float16FromFloat32, float32FromFloat16 } from "../../src/onnx/float16.js";
import { type Graph, GraphBuilder } from "../../src/onnx/graph.js";
import { attention, linear, matmul, mul, reshape, split } from "../../src/onnx/ops.js";
import type { TensorProto } from "../../src/onnx/proto.js";
import { tensorBytes } from "../../src/onnx/tensor.js";

const float32 = (name: string, shape: number[], values: number[]): TensorProto => ({
  name,
  type: "float32",
  shape,
  data: tensorBytes({ type: "float32", shape }, values),
});

/** The float32 outputs of one run, by name. */
async function run(graph: Graph, weights: TensorProto[], feeds: Record<string, Tensor>) {
  const session = await InferenceSession.create(graph.encode(weights));
  try {
    const outputs = await session.run(feeds);
    return (name: string): number[] => Array.from(outputs[name]?.data as Float32Array);
  } finally {
    await session.release();
  }
}

describe("GraphBuilder", () => {
  it("multiplies by an untransposed [out, in] weight, with symbolic sizes and a name for the output", async () => {
    const g = new GraphBuilder("linear", { float: "float32" });
    const x = g.input("x", "float32", ["rows", 2]);
    const y = linear(g, x, g.parameter("fc.weight", [3, 2]), g.parameter("fc.bias", [3]));
    g.output("y", y, "float32", ["rows", 3]);
    g.output("same", y, "float32", ["rows", 3]);
    const graph = g.build();
    expect([...graph.parameters]).toEqual([
      ["fc.weight", [3, 2]],
      ["fc.bias", [3]],
    ]);
    const weights = [
      float32("fc.weight", [3, 2], [1, 2, 3, 4, 5, 6]),
      float32("fc.bias", [3], [0.5, 0, -0.5]),
    ];
    for (const rows of [1, 2]) {
      const input = new Tensor("float32", new Float32Array(rows * 2).fill(1), [rows, 2]);
      const output = await run(graph, weights, { x: input });
      expect(output("y")).toEqual(Array(rows).fill([3.5, 7, 10.5]).flat());
      expect(output("same")).toEqual(output("y"));
    }
  });

  it("casts a weight stored in the other float type", async () => {
    const g = new GraphBuilder("cast", { float: "float32" });
    const x = g.input("x", "float32", [2]);
    g.output("y", mul(g, x, g.parameter("w", [2])), "float32", [2]);
    const stored: TensorProto = {
      name: "w",
      type: "float16",
      shape: [2],
      data: tensorBytes({ type: "float16", shape: [2] }, [0.5, -3]),
    };
    const output = await run(g.build(), [stored], { x: new Tensor("float32", [2, 2], [2]) });
    expect(output("y")).toEqual([1, -6]);
  });

  it("supports every element type, several outputs and an omitted input", async () => {
    const g = new GraphBuilder("types", { float: "float16" });
    const x = g.input("x", "float32", [2, 2]);
    const [left, right] = split(g, x, [1, 1], 1) as [typeof x, typeof x];
    const half = g.op("Cast", [g.scalar(0.25)], { to: 1 });
    const flags = g.op(
      "Where",
      [g.constant("bool", [2, 1], [1, 0]), left, g.constant("float32", [], [9])],
      {},
    );
    const clipped = g.op("Clip", [right, null, g.constant("float32", [], [3])]);
    const whole = ["int32", "uint8", "int8"] as const;
    const sum = whole
      .map((type) => g.op("Cast", [g.constant(type, [1], [type === "uint8" ? 200 : -7])], { to: 1 }))
      .reduce((a, b) => g.op("Add", [a, b]));
    g.output("flags", flags, "float32", [2, 1]);
    g.output("clipped", mul(g, clipped, half), "float32", [2, 1]);
    g.output("sum", sum, "float32", [1]);
    const output = await run(g.build(), [], {
      x: new Tensor("float32", [1, 2, 3, 4], [2, 2]),
    });
    expect(output("flags")).toEqual([1, 9]);
    expect(output("clipped")).toEqual([0.5, 0.75]);
    expect(output("sum")).toEqual([186]);
  });

  it("lists what it reads, including derived initializers, and refuses two shapes for one key", () => {
    const g = new GraphBuilder("derived", { float: "float32" });
    const x = g.input("x", "float32", [1, 4]);
    const { doubled } = g.derived({
      from: "w",
      fromShape: [4, 1],
      recipe: "double",
      outputs: { doubled: { type: "float32", shape: [4, 1] } },
      compute: (values) => ({ doubled: values.map((value) => value * 2) }),
    });
    g.output("y", matmul(g, x, doubled), "float32", [1, 1]);
    expect(() => g.parameter("w", [1, 4])).toThrow(/\[4,1\] and as \[1,4\]/);
    const graph = g.build();
    expect([...graph.sources]).toEqual([["w", [4, 1]]]);
    expect(graph.parameters.size).toBe(0);
    expect(graph.derivations[0]?.initializers).toEqual({ doubled: "w:double:doubled" });
  });

  it("refuses a fractional INT attribute and data of another size", () => {
    const g = new GraphBuilder("bad", { float: "float32" });
    expect(() => g.constant("float32", [2], [1])).toThrow(/1 values/);
    g.output("y", g.op("Relu", [g.scalar(1)], { axis: 0.5 }), "float32", []);
    expect(() => g.build().encode([])).toThrow(/not whole/);
  });
});

describe("attention", () => {
  it("gives the same numbers fused, composed, and composed in chunks", async () => {
    const [n, m, heads, headSize] = [8, 5, 2, 4];
    const results = [];
    const spelledOut = new Set(["MultiHeadAttention"] as const);
    for (const [avoided, queryChunks] of [
      [new Set<never>(), 1],
      [spelledOut, 1],
      [spelledOut, 4],
    ] as const) {
      const g = new GraphBuilder("attention", { float: "float32", avoided });
      const q = g.input("q", "float32", ["B", "N", heads * headSize]);
      const kv = g.input("kv", "float32", ["B", "M", heads * headSize]);
      const flat = reshape(g, attention(g, q, kv, kv, { heads, headSize, queryChunks }), [-1]);
      g.output("y", flat, "float32", ["all"]);
      const ramp = (count: number, step: number) =>
        Float32Array.from({ length: count }, (_, i) => Math.sin(i * step));
      const output = await run(g.build(), [], {
        q: new Tensor("float32", ramp(2 * n * heads * headSize, 0.7), [2, n, heads * headSize]),
        kv: new Tensor("float32", ramp(2 * m * heads * headSize, 1.3), [2, m, heads * headSize]),
      });
      results.push(output("y"));
    }
    const [fused, composed, chunked] = results as [number[], number[], number[]];
    for (const other of [composed, chunked])
      for (const [i, value] of other.entries()) expect(value).toBeCloseTo(fused[i] as number, 5);
    expect(Math.max(...fused)).toBeGreaterThan(0.1);
  });
});

describe("float16", () => {
  it("converts all 65536 halves without loss", () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((h) => (h & 0x7fff) <= 0x7c00);
    expect(float16FromFloat32(float32FromFloat16(halves))).toEqual(halves);
  });

  it("rounds to nearest, ties to even, in normal and subnormal range, and overflows to infinity", () => {
    const cases: [number, number][] = [
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [65519, 0x7bff],
      [65520, 0x7c00],
      [1e9, 0x7c00],
      [2 ** -25, 0x0000],
      [3 * 2 ** -25, 0x0002],
      [-(2 ** -24), 0x8001],
      [-0, 0x8000],
      [Number.NaN, 0x7e00],
    ];
    const bits = float16FromFloat32(Float32Array.from(cases, ([value]) => value));
    expect([...bits]).toEqual(cases.map(([, expected]) => expected));
  });
});
