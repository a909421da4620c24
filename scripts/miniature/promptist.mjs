// A GPT-2 of 2 layers with seeded random weights, in the published layout.
import { normals } from "./random.mjs";

const WIDTH = 64;
const LAYERS = 2;
const HEADS = 4;
const POSITIONS = 256;

// Two coordinates of the residual stream are kept free of noise, so that random weights still behave like a language
// model in the two ways that matter to a search: words of the corpus come before loose bytes, and texts end.
const PRIOR = 0;
const END = 1;
/** Keeps the prior's numbers small beside the noise, which layer normalisation would else drown. */
const PRIOR_SCALE = 20;
/** A text may end at every position that is one less than a multiple of this, and nowhere else. */
const END_PERIOD = 40;

/** Log-prior of tokens that are no whole words: bytes, beginnings and endings of words. */
const LOOSE_PIECE = -6;
const isWord = (token) =>
  token === "," || (/^\u0120[A-Za-z0-9]{2,}$/.test(token) && token !== "\u0120Rephrase");

export const promptistConfig = (vocabSize) => ({
  activation_function: "gelu_new",
  architectures: ["GPT2LMHeadModel"],
  attn_pdrop: 0.1,
  bos_token_id: vocabSize - 1,
  embd_pdrop: 0.1,
  eos_token_id: vocabSize - 1,
  initializer_range: 0.02,
  layer_norm_epsilon: 1e-5,
  model_type: "gpt2",
  n_ctx: POSITIONS,
  n_embd: WIDTH,
  n_head: HEADS,
  n_layer: LAYERS,
  n_positions: POSITIONS,
  resid_pdrop: 0.1,
  torch_dtype: "float32",
  vocab_size: vocabSize,
});

/**
 * Name -> { shape, values }; `counts` is how often each of the `tokens` stands in the corpus. The head is tied to
 * `wte`.
 */
export function promptistTensors(tokens, counts, seed) {
  const normal = normals(seed);
  const tensors = new Map();
  const add = (name, shape, value) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    tensors.set(`transformer.${name}`, {
      shape,
      values: Float32Array.from({ length: size }, (_, i) => value(i)),
    });
  };
  const random = (std) => () => std * normal();
  /** Rows of random numbers that leave the two coordinates alone. */
  const intoStream = (std) => (i) => (i % WIDTH > END ? std * normal() : 0);

  const eos = counts.length - 1;
  const prior = counts.map((count, token) =>
    isWord(tokens[token]) ? 0.5 * Math.log(count + 0.1) : LOOSE_PIECE,
  );
  add("wte.weight", [counts.length, WIDTH], (i) => {
    const token = Math.floor(i / WIDTH);
    if (i % WIDTH === PRIOR) return prior[token] / PRIOR_SCALE;
    if (i % WIDTH === END) return token === eos ? 1 : 0;
    return 0.3 * normal();
  });
  add("wpe.weight", [POSITIONS, WIDTH], (i) => {
    const position = Math.floor(i / WIDTH);
    if (i % WIDTH === PRIOR) return 0;
    if (i % WIDTH === END) return position % END_PERIOD === END_PERIOD - 1 ? 1 : -1;
    return normal();
  });
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `h.${layer}.`;
    add(`${at}ln_1.weight`, [WIDTH], () => 1);
    add(`${at}ln_1.bias`, [WIDTH], () => 0);
    add(`${at}attn.c_attn.weight`, [WIDTH, 3 * WIDTH], random(0.2));
    add(`${at}attn.c_attn.bias`, [3 * WIDTH], random(0.02));
    add(`${at}attn.c_proj.weight`, [WIDTH, WIDTH], intoStream(0.2));
    add(`${at}attn.c_proj.bias`, [WIDTH], intoStream(0.02));
    add(`${at}ln_2.weight`, [WIDTH], () => 1);
    add(`${at}ln_2.bias`, [WIDTH], () => 0);
    add(`${at}mlp.c_fc.weight`, [WIDTH, 4 * WIDTH], random(0.2));
    add(`${at}mlp.c_fc.bias`, [4 * WIDTH], random(0.02));
    add(`${at}mlp.c_proj.weight`, [4 * WIDTH, WIDTH], intoStream(0.2));
    add(`${at}mlp.c_proj.bias`, [WIDTH], intoStream(0.02));
  }
  add("ln_f.weight", [WIDTH], (i) => (i === PRIOR ? 0 : i === END ? 200 : 1));
  add("ln_f.bias", [WIDTH], (i) => (i === PRIOR ? PRIOR_SCALE : 0));
  return tensors;
}
