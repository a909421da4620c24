import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compileGraph } from "../../src/checkpoints/compile.js";
import type { Weights } from "../../src/checkpoints/files/weights.js";
import { Session, Tensor } from "../../src/inference/runtime/session.js";
import { type Matrix, type ProductForm, productMaker } from "../../src/models/products.js";
import { GraphBuilder } from "../../src/onnx/graph.js";

const cacheDir = mkdtempSync(join(tmpdir(), "products-"));
afterAll(() => rmSync(cacheDir, { recursive: true }));

/** Weights in memory, from one seeded formula. */
function weightsOf(shapes: Readonly<Record<string, readonly number[]>>): Weights {
  const values = (name: string) => {
    const size = shapes[name]!.reduce((a, b) => a * b, 1);
    return Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898 + name.length) * 0.1);
  };
  return {
    source: "memory",
    names: Object.keys(shapes),
    fingerprint: JSON.stringify(shapes),
    get: (name) =>
      shapes[name] && { name, type: "F64", shape: shapes[name], file: cacheDir, offset: -1, bytes: 0 },
    read: (name) => new Uint8Array(values(name).buffer),
    readFloat32: values,
  };
}

const K = 80;
const N = 24;

/** x [M, K] by matrix w, plus bias, in the given form. */
async function run(
  form: ProductForm,
  stored: Matrix["stored"],
  x: Float32Array,
  M: number,
): Promise<Float32Array> {
  const g = new GraphBuilder("product", { float: "float32" });
  const input = g.input("x", "float32", ["M", K]);
  const y = productMaker(g, form)(input, { key: "w", K, N, stored }, g.parameter("bias", [N]));
  g.output("y", y, "float32", ["M", N]);
  const graph = await compileGraph(g.build(), weights(stored), { cacheDir });
  const session = await Session.open("product", graph, { name: "cpu", note: null });
  const outputs = await session.run({ x: new Tensor("float32", x, [M, K]) });
  const result = Float32Array.from(outputs.y!.data as Float32Array);
  await session.release();
  return result;
}

const weights = (stored: Matrix["stored"]) => weightsOf({ w: stored === "KN" ? [K, N] : [N, K], bias: [N] });

/** The same product in float64, with each output's weights rounded to 8 bits if `rounded`. */
function reference(stored: Matrix["stored"], x: Float32Array, M: number, rounded: boolean): Float64Array {
  const w = weights(stored).readFloat32("w");
  const bias = weights(stored).readFloat32("bias");
  const at = (k: number, n: number) => (stored === "KN" ? w[k * N + n]! : w[n * K + k]!);
  const y = new Float64Array(M * N);
  for (let n = 0; n < N; n++) {
    const column = Array.from({ length: K }, (_, k) => at(k, n));
    const scale = Math.max(...column.map(Math.abs)) / 127;
    const used = rounded ? column.map((value) => Math.round(value / scale) * scale) : column;
    for (let m = 0; m < M; m++) {
      y[m * N + n] = used.reduce((sum, value, k) => sum + value * x[m * K + k]!, bias[n]!);
    }
  }
  return y;
}

const worst = (a: Float32Array, b: Float64Array, row: number) =>
  Math.max(...Array.from({ length: N }, (_, n) => Math.abs(a[row * N + n]! - b[row * N + n]!)));

// Usual activations, one row with an outlier, one of zeros, and one whose products would overflow 16 bits.
const M = 5;
const x = Float32Array.from({ length: M * K }, (_, i) => Math.sin(i * 78.233) * 2);
x[K + 7] = 150;
x.fill(0, 2 * K, 3 * K);
x.fill(3, 3 * K, 4 * K);

describe.each(["KN", "NK"] as const)("a matrix stored %s", (stored) => {
  it("is exact in float", async () => {
    const y = await run({ kind: "float" }, stored, x, M);
    const exact = reference(stored, x, M, false);
    for (let row = 0; row < M; row++) expect(worst(y, exact, row)).toBeLessThan(2e-5);
  });

  it("keeps 14 bits of each row's activations in 8-bit rows", async () => {
    const y = await run({ kind: "rows" }, stored, x, M);
    const exact = reference(stored, x, M, true);
    for (let row = 0; row < M; row++) {
      const largest = Math.max(...x.subarray(row * K, (row + 1) * K).map(Math.abs));
      // Half a step per activation, K of them, all in one direction, times weights of at most 0.1.
      expect(worst(y, exact, row)).toBeLessThan((largest / (64 * 128)) * 0.5 * K * 0.1 + 1e-5);
    }
  });

  it("gives a row the same numbers, to the last bit, whatever the other rows are", async () => {
    const all = await run({ kind: "rows" }, stored, x, M);
    const pair = await run({ kind: "rows" }, stored, x.slice(2 * K, 4 * K), 2);
    expect(pair).toEqual(all.slice(2 * N, 4 * N));
  });

  it.each([16, 32, 128])("is close in 8-bit blocks of %d with float activations", async (block) => {
    const y = await run({ kind: "blocks", block, accuracy: 0 }, stored, x, M);
    const exact = reference(stored, x, M, false);
    for (let row = 0; row < M; row++) {
      const sum = x.subarray(row * K, (row + 1) * K).reduce((total, value) => total + Math.abs(value), 0);
      expect(worst(y, exact, row)).toBeLessThan((sum * 0.1) / 127 / 2 + 1e-5);
    }
  });
});
