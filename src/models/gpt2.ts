import { z } from "zod";
import { type Arithmetic, type Graph, GraphBuilder, type Value } from "../onnx/graph.js";
import {
  add,
  concat,
  gather,
  gelu,
  matmul,
  mul,
  reshape,
  shapeOf,
  slice,
  softmax,
  sub,
  transpose,
} from "../onnx/ops.js";
import { headCount, innerWidth, layerCount, positionCount, vocabularySize, width } from "./bounds.js";
import { Layers } from "./layers.js";
import { type Matrix, type ProductForm, productMaker } from "./products.js";

/**
 * GPT-2's decoder (Radford et al., 2019) as transformers' GPT2LMHeadModel computes it, with a key-value cache
 * that the caller keeps.
 *
 * | symbol | meaning |
 * |---|---|
 * | P | prompts in the group |
 * | N | new tokens of each prompt: the whole prompt at first, one for each beam later |
 * | T | cached tokens of each prompt |
 * | R | rows that need a next token |
 * | C, H, D | width, heads, width of a head |
 * | V | vocabulary |
 *
 * Cached keys and values belong to a prompt, not to a beam. `mask` says which of the T + N tokens each new
 * token sees. So beams share what they have in common, reordering them copies nothing, and padding is just
 * another mask.
 */

const UNUSUAL_SCALE = "attention without the usual scale is not built";

/** transformers' name of an activation -> the form of GELU. */
const ACTIVATIONS = {
  gelu_new: "tanh",
  gelu_pytorch_tanh: "tanh",
  gelu_fast: "tanh",
  gelu: "erf",
} as const;

/**
 * The keys of a GPT2LMHeadModel's config.json that shape its graph. Defaults are those of transformers; keys
 * of unsupported features may only have the value that turns them off.
 */
export const gpt2Config = z
  .looseObject(
    {
      model_type: z.literal("gpt2", {
        error: ({ input }) => `the model is of type "${String(input)}"; Promptist is a "gpt2"`,
      }),
      n_layer: layerCount.default(12),
      n_embd: width.default(768),
      n_head: headCount.default(12),
      /** Width of the feed-forward layer; 4 * n_embd if missing. */
      n_inner: innerWidth.nullish(),
      /** Longest context, prompt and generated tokens together. */
      n_positions: positionCount.optional(),
      /** The name of `n_positions` in old files. */
      n_ctx: positionCount.optional(),
      vocab_size: vocabularySize,
      activation_function: z
        .enum(Object.keys(ACTIVATIONS) as (keyof typeof ACTIVATIONS)[], {
          error: ({ input }) => `"${String(input)}" is not built`,
        })
        .default("gelu_new"),
      layer_norm_epsilon: z.number().positive().default(1e-5),
      /** True if the output projection is the token embedding. */
      tie_word_embeddings: z.boolean().default(true),
      scale_attn_weights: z.literal(true, { error: UNUSUAL_SCALE }).default(true),
      scale_attn_by_inverse_layer_idx: z.literal(false, { error: UNUSUAL_SCALE }).default(false),
      add_cross_attention: z
        .literal(false, { error: "a decoder of encoder states is not built" })
        .default(false),
    },
    { error: "it holds no object" },
  )
  .refine(({ n_embd: C, n_head: H }) => C % H === 0, {
    path: ["n_embd"],
    error: ({ input }) => {
      const { n_embd: C, n_head: H } = input as { n_embd: number; n_head: number };
      return `${C} is not a multiple of n_head ${H}`;
    },
  })
  .transform((config) => ({
    ...config,
    n_inner: config.n_inner ?? 4 * config.n_embd,
    n_positions: config.n_positions ?? config.n_ctx ?? 1024,
  }));
export type Gpt2Config = z.output<typeof gpt2Config>;

/** The form in which weight matrices are stored. */
export type Gpt2Weights = "fp32" | "int8";

export interface Gpt2Layout {
  readonly layers: ProductForm;
  /** The output projection. */
  readonly head: ProductForm;
}

/** The layouts that measured best (bench/promptist.mjs and bench/promptist-fidelity.mjs). */
export function gpt2Layout(weights: Gpt2Weights, device: string): Gpt2Layout {
  if (weights === "fp32") return { layers: { kind: "float" }, head: { kind: "float" } };
  if (device === "cpu") return { layers: { kind: "rows" }, head: { kind: "rows" } };
  return { layers: { kind: "blocks", block: 32, accuracy: 0 }, head: { kind: "float" } };
}

/**
 * Weights that GPT-2's files store as [inputs, outputs]: OpenAI's code multiplied x by W, and transformers
 * keeps that (its Conv1D). All other matrices are stored like torch.nn.Linear's, [outputs, inputs].
 */
export const TRANSPOSED: readonly string[] = [
  "attn.c_attn.weight",
  "attn.c_proj.weight",
  "mlp.c_fc.weight",
  "mlp.c_proj.weight",
];
const isTransposed = (key: string) => TRANSPOSED.some((name) => key.endsWith(`.${name}`));

/**
 * Builds the graph, over the names of checkpoints/layouts/names.ts `gpt2Weights`.
 *
 * Inputs: `ids` and `positions` int64 [P, N]; `mask` float32 [P, 1, N, T + N], 0 or a large negative number;
 * `rows` int64 [R], indices into P * N; `key.i` [P, H, D, T] and `value.i` [P, H, T, D] for each layer i;
 * options for the scores: `normalize` bool [] (log-probabilities instead of logits), `penalty` float32
 * [] for the tokens `seen` int64 [R, S] (repeat one where a row has fewer), `k` int64 [1].
 *
 * Outputs: the k best, descending: `scores` float32 [R, k] and `tokens` int64 [R, k]; `newKey.i` and
 * `newValue.i` [P, H, N, D].
 *
 * All float arithmetic is float32; `layout` says what is stored in 8 bits.
 */
export function gpt2Graph(config: Gpt2Config, arithmetic: Arithmetic, layout: Gpt2Layout): Graph {
  const { n_layer: layers, n_embd: C, n_head: H, n_inner: inner, vocab_size: V } = config;
  const D = C / H;
  const g = new GraphBuilder(`gpt2-${layout.layers.kind}`, { ...arithmetic, float: "float32" });
  const ids = g.input("ids", "int64", ["P", "N"]);
  const places = g.input("positions", "int64", ["P", "N"]);
  const mask = g.input("mask", "float32", ["P", 1, "N", "T+N"]);
  const rows = g.input("rows", "int64", ["R"]);

  const model = new Layers(g, "transformer");
  const ofLayers = productMaker(g, layout.layers);
  const ofHead = productMaker(g, layout.head);
  const matrix = (key: string, K: number, N: number): Matrix => ({
    key,
    K,
    N,
    stored: isTransposed(key) ? "KN" : "NK",
  });
  /** x [P*N, from] -> [P*N, to] */
  const product = (layer: Layers, name: string, x: Value, from: number, to: number): Value =>
    ofLayers(x, matrix(layer.key(`${name}.weight`), from, to), layer.weight(`${name}.bias`, [to]));
  /**
   * Layer norm of x + skip, and the sum itself. SkipLayerNormalization does both, but five times as slowly on
   * the CPU.
   */
  const normed = (x: Value, skip: Value, name: string): [Value, Value] => {
    const sum = add(g, x, skip);
    return [model.layerNorm(name, sum, C, config.layer_norm_epsilon), sum];
  };

  const table = model.weight("wte.weight", [V, C]);
  const flat = (x: Value) => reshape(g, x, [-1, C]); // [P*N, C]
  const shape = shapeOf(g, ids); // P, N
  const byHead = concat(g, [shape, g.ints(3 * H, D)], 0); // P, N, 3H, D
  const scale = g.scalar(1 / Math.sqrt(D));

  const words = flat(gather(g, table, ids));
  const where = flat(gather(g, model.weight("wpe.weight", [config.n_positions, C]), places));
  let [x, sum] = normed(words, where, "h.0.ln_1"); // [P*N, C]
  for (let i = 0; i < layers; i++) {
    const layer = model.under(`h.${i}`);
    const pastKey = g.input(`key.${i}`, "float32", ["P", H, D, "T"]);
    const pastValue = g.input(`value.${i}`, "float32", ["P", H, "T", D]);
    const qkv = reshape(g, product(layer, "attn.c_attn", x, C, 3 * C), byHead); // [P, N, 3H, D]
    const [q, k, v] = g.op(
      "Split",
      [transpose(g, qkv, [0, 2, 1, 3])],
      { axis: 1, num_outputs: 3 },
      { outputs: 3 },
    ); // each [P, H, N, D]
    g.output(`newKey.${i}`, k!, "float32", ["P", H, "N", D]);
    g.output(`newValue.${i}`, v!, "float32", ["P", H, "N", D]);

    const queries = mul(g, q!, scale);
    const keys = concat(g, [pastKey, transpose(g, k!, [0, 1, 3, 2])], 3);
    const values = concat(g, [pastValue, v!], 2);
    const weights = softmax(g, add(g, matmul(g, queries, keys), mask)); // [P, H, N, T+N]
    const mixed = matmul(g, weights, values); // [P, H, N, D]
    const attended = flat(transpose(g, mixed, [0, 2, 1, 3])); // [P*N, C]

    [x, sum] = normed(product(layer, "attn.c_proj", attended, C, C), sum, `h.${i}.ln_2`);
    const wide = product(layer, "mlp.c_fc", x, C, inner); // [P*N, inner]
    const hidden = gelu(g, wide, ACTIVATIONS[config.activation_function]);
    const next = i + 1 < layers ? `h.${i + 1}.ln_1` : "ln_f";
    [x, sum] = normed(product(layer, "mlp.c_proj", hidden, inner, C), sum, next);
  }

  const last = gather(g, x, rows); // [R, C]
  const headKey = config.tie_word_embeddings ? model.key("wte.weight") : "lm_head.weight";
  const logits = ofHead(last, matrix(headKey, C, V), null); // [R, V]
  best(g, logits);
  return g.build();
}

/**
 * Adds the outputs `scores` and `tokens` from logits [R, V], as `normalize`, `penalty` and `k` ask. Works on
 * log-probabilities throughout, and for logits adds the row's constant back to the few results instead of all
 * V.
 */
function best(g: GraphBuilder, logits: Value): void {
  const normalize = g.input("normalize", "bool", []);
  const penalty = g.input("penalty", "float32", []);
  const seen = g.input("seen", "int64", ["R", "S"]);
  const k = g.input("k", "int64", [1]);
  const logProbs = g.op("LogSoftmax", [logits], { axis: -1 }); // [R, V]
  const constant = sub(g, slice(g, logits, 1, 0, 1), slice(g, logProbs, 1, 0, 1)); // [R, 1], log of the sum
  const shift = g.op("Where", [normalize, g.scalar(0), constant]); // [R, 1]
  const old = add(g, g.op("GatherElements", [logProbs, seen], { axis: 1 }), shift); // [R, S]
  const negative = g.op("Less", [old, g.scalar(0)]);
  const penalized = g.op("Where", [negative, mul(g, old, penalty), g.op("Div", [old, penalty])]);
  const changed = g.op("ScatterElements", [logProbs, seen, sub(g, penalized, shift)], { axis: 1 }); // [R, V]
  const [top, tokens] = g.op("TopK", [changed, k], { axis: 1 }, { outputs: 2 });
  g.output("scores", add(g, top!, shift), "float32", ["R", "k"]);
  g.output("tokens", tokens!, "int64", ["R", "k"]);
}
