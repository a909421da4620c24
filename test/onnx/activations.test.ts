import { describe, expect, it } from "vitest";
import { clipText, clipTextConfig } from "../../src/models/clip-text.js";
import { unet, unetConfig } from "../../src/models/unet.js";
import { vaeConfig, vaeDecoder } from "../../src/models/vae-decoder.js";
import { vaeEncoder } from "../../src/models/vae-encoder.js";
import { peakActivationBytes } from "../../src/onnx/activations.js";
import { type Arithmetic, type FloatType, GraphBuilder, REPLACEABLE } from "../../src/onnx/graph.js";
import { add, conv2d, matmul, mul, reshape, silu, transpose } from "../../src/onnx/ops.js";

/** Bytes of so many float32 values. */
const f32 = (...counts: number[]) => counts.reduce((sum, count) => sum + 4 * count, 0);

describe("the most activations at once", () => {
  it("are those that are still read, and those that are being computed", () => {
    const g = new GraphBuilder("chain", { float: "float32" });
    const x = g.input("x", "float32", ["rows", 8]);
    const wide = matmul(g, x, g.parameter("w", [8, 32])); // [rows, 32]
    const turned = transpose(g, reshape(g, wide, [-1, 4, 8]), [0, 2, 1]);
    g.output("y", matmul(g, turned, g.parameter("v", [4, 2])), "float32", ["rows", 8, 2]);
    // x is the caller's; the view takes nothing, and the transposition is beside what it transposes.
    expect(peakActivationBytes(g.build().structure, { rows: 10 })).toBe(f32(80, 320, 320));
  });

  it("a tensor that is read later stays, and what nothing else reads is written over", () => {
    const g = new GraphBuilder("skip", { float: "float32" });
    const x = g.input("x", "float32", ["one", 4, "height", "width"]);
    const weight = g.parameter("w", [4, 4, 3, 3]);
    const conv = () => conv2d(g, x, weight, null, { kernel: 3, pads: [1, 1, 1, 1] });
    const skip = conv();
    g.output("y", add(g, silu(g, conv()), skip), "float32", ["one", 4, "height", "width"]);
    expect(peakActivationBytes(g.build().structure, { one: 1, height: 3, width: 5 })).toBe(f32(60, 60, 60));
  });

  it("count a weight that is converted while it is used", () => {
    const peak = (weights: FloatType) => {
      const g = new GraphBuilder("cast", { float: "float32", weights });
      const x = g.input("x", "float32", [1, 64]);
      const y = matmul(g, x, g.parameter("w", [64, 64]));
      g.output("y", mul(g, y, g.scalar(2)), "float32", [1, 64]);
      const graph = g.build();
      return [graph.weightBytes, peakActivationBytes(graph.structure, {})];
    };
    expect(peak("float32")).toEqual([f32(64 * 64), f32(64, 64)]);
    expect(peak("float16")).toEqual([f32(64 * 64) / 2, f32(64, 64, 64 * 64)]);
  });

  it("need every named size", () => {
    const g = new GraphBuilder("unknown", { float: "float32" });
    g.output("y", silu(g, g.input("x", "float32", ["8*height"])), "float32", ["8*height"]);
    expect(peakActivationBytes(g.build().structure, { height: 2 })).toBe(f32(16, 16));
    expect(() => peakActivationBytes(g.build().structure, {})).toThrow("height");
  });

  const ALL: Readonly<Record<string, Arithmetic>> = {
    plain: { float: "float32" },
    winograd: { float: "float32", winograd: true },
    "in half precision": { float: "float16" },
    "spelled out": { float: "float32", weights: "float16", avoided: new Set(REPLACEABLE) },
  };
  it.each(Object.entries(ALL))(
    "are counted of every graph of Stable Diffusion, %s, more of more pixels",
    (_, how) => {
      const small = { block_out_channels: [32, 64], norm_num_groups: 8 };
      const vae = vaeConfig.parse({ ...small, up_block_types: Array(2).fill("UpDecoderBlock2D") });
      const noise = unetConfig.parse({
        ...small,
        down_block_types: ["CrossAttnDownBlock2D", "DownBlock2D"],
        up_block_types: ["UpBlock2D", "CrossAttnUpBlock2D"],
        cross_attention_dim: 32,
      });
      const text = clipTextConfig.parse({ vocab_size: 99, hidden_size: 32, num_attention_heads: 2 });
      const graphs = [unet(noise, how), vaeDecoder(vae, how, 4), vaeEncoder(vae, how, 4)];
      for (const { structure } of graphs) {
        const at = (side: number) =>
          peakActivationBytes(structure, { batch: 2, height: side, width: side, tokens: 77 });
        expect(at(32)).toBeGreaterThan(3.5 * at(16));
      }
      expect(peakActivationBytes(clipText(text, how).structure, { batch: 2 })).toBeGreaterThan(
        f32(2 * 77 * 32),
      );
    },
  );
});
