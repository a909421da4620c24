import { CheckpointError } from "../core/errors.js";
import { type Avoided, type Graph, GraphBuilder, type Value } from "../onnx/graph.js";
import {
  add,
  concat,
  gather,
  gelu,
  layerNorm,
  matmul,
  mul,
  reshape,
  shapeOf,
  slice,
  softmax,
  sub,
  transpose,
} from "../onnx/ops.js";
import { type ProductForm, productMaker } from "./products.js";

/**
 * GPT-2's decoder (Radford et al., 2019) as transformers' GPT2LMHeadModel computes it, with a key-value cache that the
 * caller keeps.
 *
 * | symbol | meaning |
 * |---|---|
 * | P | prompts in the batch |
 * | N | new tokens of each prompt: the prompt itself at first, one for each beam later |
 * | T | cached tokens of each prompt |
 * | R | rows whose next token is wanted |
 * | C, H, D | width, heads, width of a head |
 * | V | vocabulary |
 *
 * Cached keys and values belong to a prompt, not to a beam: `mask` says which of the T + N tokens each new one sees,
 * so that beams share all that they have in common, nothing is copied when beams are reordered, and padding is but
 * another mask.
 */
export interface Gpt2Config {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  /** Width of the feed-forward layer. */
  readonly inner: number;
  readonly vocabulary: number;
  /** Longest context, prompt and generated tokens together. */
  readonly positions: number;
  readonly epsilon: number;
  readonly activation: "tanh" | "erf";
  /** True where the output projection is the token embedding. */
  readonly tied: boolean;
}

/** Reads a `config.json`. Throws CheckpointError CHECKPOINT_ARCHITECTURE where it is not a GPT-2 that we can build. */
export function parseGpt2Config(json: unknown, source: string): Gpt2Config {
  const fail = (what: string): never => {
    throw new CheckpointError("CHECKPOINT_ARCHITECTURE", `${source}: ${what}`);
  };
  if (typeof json !== "object" || json === null) return fail("config.json holds no object.");
  const config = json as Readonly<Record<string, unknown>>;
  if (config.model_type !== "gpt2") {
    return fail(`the model is of type "${String(config.model_type)}"; Promptist is a "gpt2".`);
  }
  const size = (key: string, fallback?: number): number => {
    const value = config[key] ?? fallback;
    return typeof value === "number" && Number.isInteger(value) && value > 0
      ? value
      : fail(`config.json has no usable "${key}".`);
  };
  const width = size("n_embd", 768);
  const heads = size("n_head", 12);
  if (width % heads !== 0) fail(`n_embd ${width} is not a multiple of n_head ${heads}.`);
  const activation = ACTIVATIONS[String(config.activation_function ?? "gelu_new")];
  if (activation === undefined) fail(`activation "${String(config.activation_function)}" is not built.`);
  if (config.scale_attn_weights === false || config.scale_attn_by_inverse_layer_idx === true) {
    fail("attention without the usual scale is not built.");
  }
  if (config.add_cross_attention === true)
    fail('a decoder of encoder states ("add_cross_attention") is not built.');
  const epsilon = config.layer_norm_epsilon ?? 1e-5;
  return {
    layers: size("n_layer", 12),
    width,
    heads,
    inner: size("n_inner", 4 * width),
    vocabulary: size("vocab_size"),
    positions: size("n_positions", typeof config.n_ctx === "number" ? config.n_ctx : 1024),
    epsilon: typeof epsilon === "number" ? epsilon : fail('config.json has no usable "layer_norm_epsilon".'),
    activation: activation!,
    tied: config.tie_word_embeddings !== false,
  };
}

const ACTIVATIONS: Readonly<Record<string, Gpt2Config["activation"]>> = {
  gelu_new: "tanh",
  gelu_pytorch_tanh: "tanh",
  gelu_fast: "tanh",
  gelu: "erf",
};

/** How weight matrices are kept. */
export type Gpt2Weights = "fp32" | "int8";

export interface Gpt2Layout {
  readonly layers: ProductForm;
  /** The output projection. */
  readonly head: ProductForm;
}

/** The layouts that were measured best (bench/promptist.mjs and bench/promptist-fidelity.mjs). */
export function gpt2Layout(weights: Gpt2Weights, device: string): Gpt2Layout {
  if (weights === "fp32") return { layers: { kind: "float" }, head: { kind: "float" } };
  if (device === "cpu") return { layers: { kind: "rows" }, head: { kind: "rows" } };
  return { layers: { kind: "blocks", block: 32, accuracy: 0 }, head: { kind: "float" } };
}

/**
 * Builds the graph.
 *
 * Inputs: `ids` and `positions` int64 [P, N]; `mask` float32 [P, 1, N, T + N], 0 or a large negative number; `rows`
 * int64 [R], indices into P * N; `key.i` [P, H, D, T] and `value.i` [P, H, T, D] for each layer i; what is asked of the
 * scores: `normalize` bool [] (log-probabilities instead of logits), `penalty` float32 [] for the tokens `seen` int64
 * [R, S] (repeat one where a row has fewer), `k` int64 [1].
 *
 * Outputs: the k best, descending: `scores` float32 [R, k] and `tokens` int64 [R, k]; `newKey.i` and `newValue.i`
 * [P, H, N, D].
 *
 * @param prefix what precedes the checkpoint's keys: "transformer." or ""
 */
export function gpt2Graph(config: Gpt2Config, layout: Gpt2Layout, prefix: string, avoided?: Avoided): Graph {
  const { layers, width: C, heads: H, inner, vocabulary: V, positions, epsilon } = config;
  const D = C / H;
  const g = new GraphBuilder(`gpt2-${layout.layers.kind}`, "float32", avoided);
  const ids = g.input("ids", "int64", ["P", "N"]);
  const places = g.input("positions", "int64", ["P", "N"]);
  const mask = g.input("mask", "float32", ["P", 1, "N", "T+N"]);
  const rows = g.input("rows", "int64", ["R"]);

  const vector = (key: string, size: number) => g.parameter(prefix + key, [size]);
  const ofLayers = productMaker(g, layout.layers);
  const ofHead = productMaker(g, layout.head);
  const product = (x: Value, key: string, K: number, N: number): Value =>
    ofLayers(x, { key: `${prefix}${key}.weight`, K, N, stored: "KN" }, vector(`${key}.bias`, N));
  /** Layer norm of x + skip, and the sum itself. SkipLayerNormalization, which is both, took five times as long on the CPU. */
  const normed = (x: Value, skip: Value, key: string): [Value, Value] => {
    const sum = add(g, x, skip);
    return [layerNorm(g, sum, vector(`${key}.weight`, C), vector(`${key}.bias`, C), epsilon), sum];
  };

  const table = g.parameter(`${prefix}wte.weight`, [V, C]);
  const flat = (x: Value) => reshape(g, x, [-1, C]); // [P*N, C]
  const shape = shapeOf(g, ids); // P, N
  const byHead = concat(g, [shape, g.ints(3 * H, D)], 0); // P, N, 3H, D
  const scale = g.scalar(1 / Math.sqrt(D));

  const words = flat(gather(g, table, ids));
  const where = flat(gather(g, g.parameter(`${prefix}wpe.weight`, [positions, C]), places));
  let [x, sum] = normed(words, where, "h.0.ln_1"); // [P*N, C]
  for (let i = 0; i < layers; i++) {
    const layer = `h.${i}`;
    const pastKey = g.input(`key.${i}`, "float32", ["P", H, D, "T"]);
    const pastValue = g.input(`value.${i}`, "float32", ["P", H, "T", D]);
    const qkv = reshape(g, product(x, `${layer}.attn.c_attn`, C, 3 * C), byHead); // [P, N, 3H, D]
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

    [x, sum] = normed(product(attended, `${layer}.attn.c_proj`, C, C), sum, `${layer}.ln_2`);
    const hidden = gelu(g, product(x, `${layer}.mlp.c_fc`, C, inner), config.activation); // [P*N, inner]
    const next = i + 1 < layers ? `h.${i + 1}.ln_1` : "ln_f";
    [x, sum] = normed(product(hidden, `${layer}.mlp.c_proj`, inner, C), sum, next);
  }

  const last = gather(g, x, rows); // [R, C]
  const headKey = config.tied ? `${prefix}wte.weight` : "lm_head.weight";
  const logits = ofHead(last, { key: headKey, K: C, N: V, stored: "NK" }, null); // [R, V]
  best(g, logits);
  return g.build();
}

/**
 * Adds the outputs `scores` and `tokens`: what `normalize`, `penalty` and `k` ask of logits [R, V]. Works on
 * log-probabilities throughout and puts the row's constant back where logits are wanted, on a few numbers instead of V.
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
