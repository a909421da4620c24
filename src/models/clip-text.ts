import { z } from "zod";
import { type Arithmetic, type Graph, GraphBuilder, type Value } from "../onnx/graph.js";
import { add, cast, concat, gather, mul, reshape, shapeOf } from "../onnx/ops.js";
import { clipPositionCount, headCount, innerWidth, layerCount, vocabularySize, width } from "./bounds.js";
import { clipEncoderStates, encoderKeys, hasWholeHeads, WHOLE_HEADS } from "./clip-encoder.js";
import { Layers } from "./layers.js";

/** The keys of a CLIPTextModel's config.json that shape its graph. Defaults are those of transformers. */
export const clipTextConfig = z
  .looseObject({
    vocab_size: vocabularySize.default(49408),
    hidden_size: width.default(512),
    intermediate_size: innerWidth.default(2048),
    num_hidden_layers: layerCount.default(12),
    num_attention_heads: headCount.default(8),
    max_position_embeddings: clipPositionCount.default(77),
    eos_token_id: z.int().default(49407),
    ...encoderKeys,
  })
  .refine(hasWholeHeads, WHOLE_HEADS);
export type ClipTextConfig = z.output<typeof clipTextConfig>;

/** Output of a text encoder: its last hidden states after the final norm. */
export interface TextStates {
  readonly data: Float32Array;
  /** [rows, tokens, channels] */
  readonly shape: readonly number[];
}

/** How a text encoder is used. */
export interface ClipTextUse {
  /** diffusers' `clip_skip`, below num_hidden_layers. */
  readonly skip?: number;
  /** Whether tokens may have vectors of their own, beside those of the vocabulary. */
  readonly hasVectors?: boolean;
}

/** Lower than any score that weights can produce, but still a float16 number. */
const MASKED = -1e4;

/**
 * CLIP's text encoder: `ids` int32 [B, T] -> `states` float32 [B, T, C], the last hidden state after the
 * final norm (https://arxiv.org/abs/2103.00020; transformers' CLIPTextModel). With a skip also `skipped`
 * float32 [B, T, C]: the state before the last `skip` layers, after the same norm.
 *
 * With `hasVectors` two more inputs, so that one graph serves all embeddings: `kept` float32 [B, T, 1], 1 for
 * a token of the vocabulary and 0 for one that has its row of `vectors` float32 [B, T, C], which is 0 elsewhere.
 *
 * B rows, T = max_position_embeddings, C = hidden_size, R = B*T
 */
export function clipText(
  config: ClipTextConfig,
  arithmetic: Arithmetic,
  { skip = 0, hasVectors = false }: ClipTextUse = {},
): Graph {
  const g = new GraphBuilder("clip-text", arithmetic);
  const { states, norm, rows } = textStates(g, config, hasVectors);
  const { hidden_size: C, max_position_embeddings: T } = config;
  const output = (name: string, state: Value) =>
    g.output(name, cast(g, reshape(g, norm(state), rows), "float32"), "float32", ["batch", T, C]);
  output("states", states.at(-1)!);
  if (skip > 0) output("skipped", states.at(-1 - skip)!);
  return g.build();
}

/**
 * CLIP's text tower with its projection: `ids` int32 [B, T] and `ends` int64 [B], each row's end token
 * counted through all rows (row * T + position) -> `embeds` float32 [B, D], of any length (transformers'
 * CLIPModel.get_text_features).
 *
 * D = projection_dim
 */
export function clipTextEmbedding(config: ClipTextConfig, arithmetic: Arithmetic, D: number): Graph {
  const g = new GraphBuilder("clip-text-embedding", arithmetic);
  const { states, norm } = textStates(g, config);
  const pooled = gather(g, norm(states.at(-1)!), g.input("ends", "int64", ["batch"])); // [B, C]
  const embeds = new Layers(g).linear("text_projection", pooled, config.hidden_size, D, "no bias"); // [B, D]
  g.output("embeds", cast(g, embeds, "float32"), "float32", ["batch", D]);
  return g.build();
}

/**
 * Files from before transformers 4.31 have this meaningless id: their end token is the highest id.
 */
const NO_END_TOKEN = 2;

/**
 * Position of the end token in a row of ids, whose state represents the whole text; 0 if there is none.
 */
export function endOf(
  ids: readonly number[],
  { eos_token_id: end }: Pick<ClipTextConfig, "eos_token_id">,
): number {
  const wanted = end === NO_END_TOKEN ? ids.reduce((highest, id) => Math.max(highest, id), 0) : end;
  return Math.max(0, ids.indexOf(wanted));
}

/** The hidden states, each [R, C], the final norm, and the shape B, T, C. */
function textStates(
  g: GraphBuilder,
  config: ClipTextConfig,
  hasVectors = false,
): { states: Value[]; norm: (state: Value) => Value; rows: Value } {
  const { hidden_size: C, max_position_embeddings: T } = config;
  const model = new Layers(g, "text_model");
  const ids = g.input("ids", "int32", ["batch", T]);

  const known = gather(g, model.weight("embeddings.token_embedding.weight", [config.vocab_size, C]), ids);
  const input = (name: string, size: number) =>
    cast(g, g.input(name, "float32", ["batch", T, size]), g.float);
  const words = hasVectors ? add(g, mul(g, known, input("kept", 1)), input("vectors", C)) : known; // [B, T, C]
  const positions = model.weight("embeddings.position_embedding.weight", [T, C]);
  const x = reshape(g, add(g, words, positions), [-1, C]); // [R, C]

  // Each token sees itself and the tokens before it.
  const mask = Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? MASKED : 0));
  const bias = g.constant(g.float, [1, 1, T, T], mask);
  const rows = concat(g, [shapeOf(g, ids), g.ints(C)], 0); // B, T, C
  return {
    states: clipEncoderStates(model, config, x, { rows, bias }),
    norm: (state) => model.layerNorm("final_layer_norm", state, C, config.layer_norm_eps),
    rows,
  };
}
