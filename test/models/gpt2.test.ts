import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/checkpoints/layouts/config.js";
import { gpt2Config, gpt2Graph, gpt2Layout } from "../../src/models/gpt2.js";

const FLOAT32 = { float: "float32" } as const;
const parse = (config: unknown) => parseConfig("here", config, gpt2Config);

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
  it("gives the sizes, defaulting to GPT-2's own", () => {
    const expected = {
      n_layer: 12,
      n_embd: 768,
      n_head: 12,
      n_inner: 3072,
      vocab_size: 50257,
      n_positions: 1024,
      layer_norm_epsilon: 1e-5,
      activation_function: "gelu_new",
      tie_word_embeddings: true,
    };
    expect(parse(published)).toMatchObject(expected);
    expect(parse({ model_type: "gpt2", vocab_size: 50257, n_inner: null })).toMatchObject(expected);
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
    expect(() => parse({ ...published, ...change })).toThrow(message);
    expect(() => parse({ ...published, ...change })).toThrow(/^here: /);
  });

  it("refuses anything but an object", () => {
    expect(() => parse({})).toThrow(/type "undefined"/);
    expect(() => parse([])).toThrow(/no object/);
    expect(() => parse(null)).toThrow(/no object/);
  });
});

describe("the graph", () => {
  const config = parse({ ...published, n_layer: 2, n_embd: 64, n_head: 4, vocab_size: 300 });

  it("reads the published keys", () => {
    const { sources } = gpt2Graph(config, FLOAT32, gpt2Layout("int8", "cpu"));
    const fp32 = gpt2Graph(config, FLOAT32, gpt2Layout("fp32", "cpu")).sources;
    expect(new Map([...sources].sort())).toEqual(new Map([...fp32].sort()));
    expect(sources.size).toBe(4 + 2 * 12);
    expect(sources.get("transformer.h.1.attn.c_attn.weight")).toEqual([64, 192]);
    expect(sources.get("transformer.wte.weight")).toEqual([300, 64]);
    expect(sources.has("lm_head.weight")).toBe(false);
  });

  it("reads a separate output projection if there is one", () => {
    const untied = gpt2Graph({ ...config, tie_word_embeddings: false }, FLOAT32, gpt2Layout("fp32", "cpu"));
    expect(untied.sources.get("lm_head.weight")).toEqual([300, 64]);
  });

  it("uses the integer form only on the CPU", () => {
    expect(gpt2Layout("int8", "cpu").layers.kind).toBe("rows");
    for (const device of ["webgpu", "cuda", "dml", "coreml"]) {
      expect(gpt2Layout("int8", device).layers.kind).toBe("blocks");
    }
  });
});
