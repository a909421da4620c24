import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type CompiledGraph,
  type CompileOptions,
  compileGraph,
  extraNote,
} from "../../src/checkpoints/compile.js";
import { openWeightFile } from "../../src/checkpoints/files/open.js";
import { type NewTensor, writeSafetensors } from "../../src/checkpoints/files/safetensors.js";
import { CheckpointError, codeOf } from "../../src/core/errors.js";
import { Session, Tensor } from "../../src/inference/runtime/session.js";
import { float16FromFloat32 } from "../../src/onnx/float16.js";
import { type FloatType, type Graph, GraphBuilder } from "../../src/onnx/graph.js";
import { add, cast, matmul, mul } from "../../src/onnx/ops.js";

const CPU = { name: "cpu", note: null } as const;
let root: string;
let cacheDir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "promptist-compile-"));
  cacheDir = join(root, "cache");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** y = x W + b, [1, 2] -> [1, 2] */
function affine(float: FloatType, weights = float): Graph {
  const g = new GraphBuilder("affine", { float, weights });
  const x = cast(g, g.input("x", "float32", [1, 2]), float);
  const y = add(g, matmul(g, x, g.parameter("w", [2, 2])), g.parameter("b", [2]));
  g.output("y", cast(g, y, "float32"), "float32", [1, 2]);
  return g.build();
}

function checkpoint(type: "F32" | "F16" | "BF16", extra: readonly NewTensor[] = []): string {
  const bytes = (values: readonly number[]) => {
    const floats = Float32Array.from(values);
    if (type === "F32") return new Uint8Array(floats.buffer);
    const halves =
      type === "F16"
        ? float16FromFloat32(floats)
        : Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16);
    return new Uint8Array(halves.buffer);
  };
  const folder = join(root, "checkpoint", type);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "model.safetensors");
  writeSafetensors(path, [
    { name: "w", type, shape: [2, 2], data: bytes([1, 2, 3, 4]) },
    { name: "b", type, shape: [2], data: bytes([0.5, -0.5]) },
    ...extra,
  ]);
  return path;
}

async function answer(compiled: CompiledGraph): Promise<number[]> {
  const session = await Session.open<"y">("affine", compiled, CPU);
  try {
    const { y } = await session.run({ x: new Tensor("float32", [1, 10], [1, 2]) });
    return Array.from(y.data as Float32Array);
  } finally {
    await session.release();
  }
}

const compile = (graph: Graph, path: string, options: Omit<CompileOptions, "cacheDir"> = {}) =>
  compileGraph(graph, openWeightFile(path), { cacheDir, ...options });

describe("compileGraph", () => {
  it("refers to the checkpoint's own file if the type fits, and writes no weights", async () => {
    for (const [float, type] of [
      ["float32", "F32"],
      ["float16", "F16"],
    ] as const) {
      const compiled = await compile(affine(float), checkpoint(type));
      expect(compiled).toMatchObject({ convertedBytes: 0, reused: false });
      expect(compiled.weightBytes).toBe(6 * (type === "F32" ? 4 : 2));
      expect(await answer(compiled)).toEqual([31.5, 41.5]);
    }
    expect(readdirSync(cacheDir).filter((file) => !file.endsWith(".onnx"))).toEqual([]);
  });

  it.each(["convert", "cast"] as const)("handles the other float type by %s", async (otherFloat) => {
    for (const [float, type] of [
      ["float32", "F16"],
      ["float16", "F32"],
    ] as const) {
      const compiled = await compile(affine(float), checkpoint(type), { otherFloat });
      expect(compiled.convertedBytes > 0).toBe(otherFloat === "convert");
      expect(await answer(compiled)).toEqual([31.5, 41.5]);
    }
  });

  it("keeps matrices as float16 in a graph that computes in float32, and vectors as float32", async () => {
    for (const type of ["F16", "F32", "BF16"] as const) {
      const compiled = await compile(affine("float32", "float16"), checkpoint(type));
      expect(compiled).toMatchObject({ castsWeights: true, weightBytes: 4 * 2 + 2 * 4 });
      expect(await answer(compiled)).toEqual([31.5, 41.5]);
    }
    expect((await compile(affine("float32"), checkpoint("F32"))).castsWeights).toBe(false);
  });

  it("converts bfloat16, because no graph uses it", async () => {
    const compiled = await compile(affine("float32"), checkpoint("BF16"), { otherFloat: "cast" });
    expect(await answer(compiled)).toEqual([31.5, 41.5]);
  });

  it("computes derived weights, reading their source once", async () => {
    let readings = 0;
    const g = new GraphBuilder("derived", { float: "float32" });
    const x = g.input("x", "float32", [1, 2]);
    const { whole, scale } = g.derived({
      from: "w",
      fromShape: [2, 2],
      recipe: "halves",
      outputs: { whole: { type: "int8", shape: [2, 2] }, scale: { type: "float32", shape: [1] } },
      compute: (values) => {
        readings++;
        return { whole: Int8Array.from(values, (value) => value * 2), scale: Float32Array.of(0.5) };
      },
    });
    const w = mul(g, cast(g, whole, "float32"), scale);
    g.output("y", add(g, matmul(g, x, w), g.parameter("b", [2])), "float32", [1, 2]);
    const compiled = await compile(g.build(), checkpoint("F32"));
    expect(readings).toBe(1);
    expect(await answer(compiled)).toEqual([31.5, 41.5]);
  });

  it("lists every tensor that is missing, misshapen or extra, with both shapes", async () => {
    const g = new GraphBuilder("other", { float: "float32" });
    const sum = add(g, g.parameter("w", [2, 3]), g.parameter("gone", [3]));
    g.output("y", sum, "float32", [2, 3]);
    const position: NewTensor = { name: "ids", type: "I64", shape: [1], data: new Uint8Array(8) };
    const path = checkpoint("F32", [position]);
    const error = await compile(g.build(), path, { unused: [/^ids$/] }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(codeOf(error)).toBe("CHECKPOINT_TENSORS");
    const { message } = error as CheckpointError;
    expect(message).toContain("wrong shape: w is [2,2], expected [2,3]");
    expect(message).toContain("missing: gone [3]");
    expect(message).toContain("not part of the model: b [2]");
    expect(message).not.toContain("ids");
  });
});

describe("tensors beyond the model", () => {
  const extra = (name: string): NewTensor => ({ name, type: "F32", shape: [1], data: new Uint8Array(4) });

  it("stop nothing and are named", async () => {
    const path = checkpoint("F32", [extra("loss.logvar"), extra("v_head.weight")]);
    const compiled = await compile(affine("float32"), path);
    expect(compiled.extra).toEqual(["loss.logvar", "v_head.weight"]);
    expect(extraNote("m", compiled.extra)).toBe(
      "m holds 2 tensors that the model does not have, not used here: loss.logvar, v_head.weight.",
    );
    expect(extraNote("m", [])).toBeNull();
    expect(extraNote("m", ["a", "b", "c", "d", "e"])).toMatch(/a, b, c and 2 more\.$/);
  });

  it.each(["w.scale_weight", "scaled_fp8"])("are refused where they scale the weights: %s", async (name) => {
    await expect(compile(affine("float32"), checkpoint("F32", [extra(name)]))).rejects.toMatchObject({
      code: "CHECKPOINT_TENSORS",
      message: expect.stringContaining(name),
    });
  });

  it("are counted beyond ten where others are missing", async () => {
    const path = checkpoint(
      "F32",
      Array.from({ length: 30 }, (_, i) => extra(`extra${i}`)),
    );
    const g = new GraphBuilder("other", { float: "float32" });
    g.output("y", add(g, g.parameter("w", [2, 2]), g.parameter("gone", [2])), "float32", [2, 2]);
    const error = await compile(g.build(), path).catch((thrown: unknown) => thrown);
    const lines = (error as CheckpointError).message.split("\n");
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(lines[1]).toContain("missing: gone");
    expect(lines.at(-1)).toContain("22 more");
  });
});

describe("the cache", () => {
  it("is reused until the graph or the weights change", async () => {
    const path = checkpoint("F16");
    const first = await compile(affine("float32"), path);
    const again = await compile(affine("float32"), path);
    expect(again).toEqual({ ...first, reused: true });
    const g = new GraphBuilder("affine", { float: "float32" });
    const x = g.input("x", "float32", [1, 2]);
    g.output(
      "y",
      add(g, matmul(g, x, g.parameter("w", [2, 2])), mul(g, x, g.parameter("b", [2]))),
      "float32",
      [1, 2],
    );
    expect((await compile(g.build(), path)).path).not.toBe(first.path);
    utimesSync(path, new Date(), new Date(Date.now() + 5000));
    expect(await compile(affine("float32"), path)).toMatchObject({ reused: false });
  });

  it.each([
    [".onnx", "cut short"],
    [".onnx", "overwritten"],
    [".data", "cut short"],
    [".data", "overwritten"],
    [".data", "removed"],
  ])("makes a graph again whose %s was %s", async (ending, damage) => {
    const path = checkpoint("F16");
    const compiled = await compile(affine("float32"), path);
    const file = join(cacheDir, readdirSync(cacheDir).find((name) => name.endsWith(ending))!);
    const content = readFileSync(file);
    if (damage === "removed") rmSync(file);
    else writeFileSync(file, damage === "cut short" ? content.subarray(0, -1) : content.fill(7, 4, 8));
    const again = await compile(affine("float32"), path);
    expect(again).toEqual({ ...compiled, reused: false });
    expect(await answer(again)).toEqual([31.5, 41.5]);
    expect(readdirSync(cacheDir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  /** Mounts a file system of 64 KiB; only root can. */
  const mountSmall = (folder: string): boolean => {
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  };

  it("reports a full disk, and leaves nothing half-written", async (context) => {
    mkdirSync(cacheDir);
    if (!mountSmall(cacheDir)) return context.skip();
    try {
      const big: NewTensor = { name: "big", type: "F16", shape: [65536], data: new Uint8Array(131072) };
      const path = checkpoint("F16", [big]);
      const g = new GraphBuilder("big", { float: "float32" });
      g.output("y", mul(g, g.parameter("big", [65536]), g.scalar(2)), "float32", [65536]);
      const error = await compile(g.build(), path, { unused: [/^[wb]$/] }).catch((thrown: unknown) => thrown);
      expect(codeOf(error)).toBe("DISK_FULL");
      expect((error as { cause?: { code?: string } }).cause?.code).toBe("ENOSPC");
      expect(readdirSync(cacheDir)).toEqual([]);
    } finally {
      execFileSync("umount", [cacheDir]);
    }
  });

  it("holds no weights itself and refers to the checkpoint's", async () => {
    const path = checkpoint("F32");
    const compiled = await compile(affine("float32"), path);
    expect(statSync(compiled.path).size).toBeLessThan(4096);
    expect(path.startsWith(compiled.dataFolder)).toBe(true);
  });
});
