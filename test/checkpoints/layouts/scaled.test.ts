import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileGraph } from "../../../src/checkpoints/compile.js";
import { openSafetensors, writeSafetensors } from "../../../src/checkpoints/files/safetensors.js";
import type { WeightType } from "../../../src/checkpoints/files/weights.js";
import { descaled } from "../../../src/checkpoints/layouts/scaled.js";
import { GraphBuilder } from "../../../src/onnx/graph.js";
import { mul } from "../../../src/onnx/ops.js";
import { refusal, temporaryFolder } from "../support.js";

type Tensors = Readonly<Record<string, readonly [WeightType, readonly number[], Uint8Array]>>;

function write(tensors: Tensors) {
  const path = join(temporaryFolder(), "model.safetensors");
  writeSafetensors(
    path,
    Object.entries(tensors).map(([name, [type, shape, data]]) => ({ name, type, shape, data })),
  );
  return openSafetensors(path);
}

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
/** 1, 2, -1 and 0.5 in e4m3. */
const EIGHT = Uint8Array.of(0x38, 0x40, 0xb8, 0x30);
const WEIGHT = ["F8_E4M3", [2, 2], EIGHT] as const;

describe("a weight in 8 bits", () => {
  it.each<[string, Tensors, number[]]>([
    ["one number", { "a.scale_weight": ["F32", [], floats(2)] }, [2, 4, -2, 1]],
    ["one number in a list", { "a.weight_scale": ["F32", [1], floats(2)] }, [2, 4, -2, 1]],
    ["a number for each row", { "a.weight_scale": ["F32", [2], floats(2, 10)] }, [2, 4, -10, 5]],
    ["a column", { "a.weight_scale": ["F32", [2, 1], floats(2, 10)] }, [2, 4, -10, 5]],
    ["a float16", { "a.weight_scale": ["F16", [1], Uint8Array.of(0, 0x40)] }, [2, 4, -2, 1]],
  ])("is multiplied with its scale, %s", (_, scale, expected) => {
    const weights = descaled(
      write({
        "a.weight": WEIGHT,
        ...scale,
        "a.scale_input": ["F32", [], floats(7)],
        "a.comfy_quant": ["U8", [2], Uint8Array.of(1, 2)],
        scaled_fp8: ["F8_E4M3", [2], Uint8Array.of(0, 0)],
        "b.weight": ["F8_E4M3", [1], Uint8Array.of(0x38)],
      }),
    );
    expect(weights.names).toEqual(["a.weight", "b.weight"]);
    expect([...weights.readFloat32("a.weight")]).toEqual(expected);
    expect(weights.read("a.weight")).toEqual(floats(...expected));
    expect(weights.get("a.weight")).toMatchObject({ type: "F32", bytes: 16, shape: [2, 2] });
    expect(weights.get("a.scale_input")).toBeUndefined();
    expect([...weights.readFloat32("b.weight")]).toEqual([1]);
  });

  it.each<[string, Tensors]>([
    ["in blocks", { "a.weight_scale_inv": ["F32", [1, 1], floats(2)] }],
    ["for each column", { "a.weight_scale": ["F32", [1, 2], floats(2, 3)] }],
    ["of no numbers", { "a.weight_scale": ["F32", [0], floats()] }],
    ["of too many numbers", { "a.weight_scale": ["F32", [3], floats(1, 2, 3)] }],
    ["in integers", { "a.weight_scale": ["I8", [1], Uint8Array.of(2)] }],
    ["that is missing", { "a.scaled_fp8": ["F8_E4M3", [2], Uint8Array.of(0, 0)] }],
  ])("with a scale %s is left as it is, and refused", async (_, scale) => {
    const weights = write({ "a.weight": WEIGHT, ...scale });
    expect(descaled(weights)).toBe(weights);
    const g = new GraphBuilder("small", { float: "float32" });
    const x = g.input("x", "float32", [2, 2]);
    g.output("y", mul(g, x, g.parameter("a.weight", [2, 2])), "float32", [2, 2]);
    const compiled = compileGraph(g.build(), weights, { cacheDir: temporaryFolder() });
    await expect(compiled).rejects.toMatchObject({
      code: "CHECKPOINT_TENSORS",
      message: expect.stringMatching(/scaled or quantised weights.*fp16 or fp32/),
    });
  });

  it("whose file was cut off meanwhile is refused as it is read", () => {
    const file = write({ "a.weight": WEIGHT, "a.weight_scale": ["F32", [], floats(2)] });
    const weights = descaled(file);
    truncateSync(file.source, statSync(file.source).size - 2);
    expect(refusal(() => weights.readFloat32("a.weight")).code).toBe("CHECKPOINT_CORRUPT");
  });
});
