import { describe, expect, it } from "vitest";
import { gpt2Graph, gpt2Layout, parseGpt2Config } from "../../src/models/gpt2.js";

const published = {
  model_type: "gpt2",
  n_layer: 12,
  n_embd: 768,
  n_head: 12,
  n_positions: 1024,
  vocab_size: 50257,
  activation_function: "gelu_new",
  layer_norm_epsilon: 1e-5,
};

describe("config.json", () => {
  it("gives the sizes, with GPT-2's own where one is not said", () => {
    const expected = {
      layers: 12,
      width: 768,
      heads: 12,
      inner: 3072,
      vocabulary: 50257,
      positions: 1024,
      epsilon: 1e-5,
      activation: "tanh",
      tied: true,
    };
    expect(parseGpt2Config(published, "here")).toEqual(expected);
    expect(parseGpt2Config({ model_type: "gpt2", vocab_size: 50257, n_inner: null }, "here")).toEqual(
      expected,
    );
  });

  it.each([
    ["another model", { model_type: "llama" }, /type "llama"/],
    ["heads that do not divide the width", { n_head: 7 }, /768 is not a multiple of n_head 7/],
    ["an activation that is not built", { activation_function: "relu" }, /"relu" is not built/],
    ["a size that is none", { n_layer: 1.5 }, /"n_layer"/],
    ["cross attention", { add_cross_attention: true }, /"add_cross_attention"/],
    ["attention scaled by layer", { scale_attn_by_inverse_layer_idx: true }, /without the usual scale/],
    ["unscaled attention", { scale_attn_weights: false }, /without the usual scale/],
  ])("refuses %s", (_, change, message) => {
    expect(() => parseGpt2Config({ ...published, ...change }, "here")).toThrow(message);
    expect(() => parseGpt2Config({ ...published, ...change }, "here")).toThrow(/^here: /);
  });

  it("refuses what is no object", () => {
    expect(() => parseGpt2Config([], "here")).toThrow(/type "undefined"/);
    expect(() => parseGpt2Config(null, "here")).toThrow(/no object/);
  });
});

describe("the graph", () => {
  const config = parseGpt2Config(
    { ...published, n_layer: 2, n_embd: 64, n_head: 4, vocab_size: 300 },
    "here",
  );

  it.each(["transformer.", ""])("reads the published keys, after %j", (prefix) => {
    const { sources } = gpt2Graph(config, gpt2Layout("int8", "cpu"), prefix);
    const fp32 = gpt2Graph(config, gpt2Layout("fp32", "cpu"), prefix).sources;
    expect(new Map([...sources].sort())).toEqual(new Map([...fp32].sort()));
    expect(sources.size).toBe(4 + 2 * 12);
    expect(sources.get(`${prefix}h.1.attn.c_attn.weight`)).toEqual([64, 192]);
    expect(sources.get(`${prefix}wte.weight`)).toEqual([300, 64]);
    expect(sources.has("lm_head.weight")).toBe(false);
  });

  it("reads an output projection of its own where there is one", () => {
    const untied = gpt2Graph({ ...config, tied: false }, gpt2Layout("fp32", "cpu"), "transformer.");
    expect(untied.sources.get("lm_head.weight")).toEqual([300, 64]);
  });

  it("has the integer form on the CPU only", () => {
    expect(gpt2Layout("int8", "cpu").layers.kind).toBe("rows");
    for (const device of ["webgpu", "cuda", "dml", "coreml"]) {
      expect(gpt2Layout("int8", device).layers.kind).toBe("blocks");
    }
  });
});
