import { z } from "zod";
import type { Value } from "../onnx/graph.js";
import { add, attention, gelu, quickGelu, reshape } from "../onnx/ops.js";
import type { Layers } from "./layers.js";

/** Configuration keys of both towers of CLIP; each tower has its own default sizes. */
export const encoderKeys = {
  hidden_act: z.literal(["quick_gelu", "gelu"]).default("quick_gelu"),
  layer_norm_eps: z.number().positive().default(1e-5),
};

export interface ClipEncoderConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly hidden_act: "quick_gelu" | "gelu";
  readonly layer_norm_eps: number;
}

export const hasWholeHeads = ({ hidden_size: size, num_attention_heads: heads }: ClipEncoderConfig) =>
  size % heads === 0;
export const WHOLE_HEADS = {
  path: ["hidden_size"],
  message: "it must be a multiple of num_attention_heads",
};

export interface ClipEncoderOptions {
  /** The shape B, T, C of the rows, for the heads of attention. */
  readonly rows: Value | readonly number[];
  /** Added to the scores: [1, 1, T, T]. */
  readonly bias?: Value;
}

/** The transformer of both towers: x [R, C] -> the last of `clipEncoderStates`. */
export const clipEncoder = (
  tower: Layers,
  config: ClipEncoderConfig,
  x: Value,
  options: ClipEncoderOptions,
): Value => clipEncoderStates(tower, config, x, options).at(-1)!;

/**
 * The hidden states of the transformer of both towers (transformers' CLIPEncoder, under `encoder.layers`):
 * x [R, C] -> `num_hidden_layers + 1` times [R, C], x itself first.
 *
 * B rows of T tokens, C = hidden_size, F = intermediate_size, R = B*T
 */
export function clipEncoderStates(
  tower: Layers,
  config: ClipEncoderConfig,
  x: Value,
  { rows, bias }: ClipEncoderOptions,
): Value[] {
  const { g } = tower;
  const {
    hidden_size: C,
    intermediate_size: F,
    num_attention_heads: heads,
    layer_norm_eps: epsilon,
  } = config;
  const attend = (layers: Layers, x: Value) => {
    const [q, k, v] = ["q_proj", "k_proj", "v_proj"].map((name) =>
      reshape(g, layers.linear(name, x, C, C), rows),
    ) as [Value, Value, Value]; // [B, T, C]
    const options = { heads, headSize: C / heads };
    const mixed = attention(g, q, k, v, bias === undefined ? options : { ...options, bias });
    return layers.linear("out_proj", reshape(g, mixed, [-1, C]), C, C); // [R, C]
  };
  let y = x;
  const states = [x];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = tower.under(`encoder.layers.${i}`);
    y = add(g, y, attend(layer.under("self_attn"), layer.layerNorm("layer_norm1", y, C, epsilon)));
    const wide = layer.linear("mlp.fc1", layer.layerNorm("layer_norm2", y, C, epsilon), C, F); // [R, F]
    const active = config.hidden_act === "gelu" ? gelu(g, wide) : quickGelu(g, wide);
    y = add(g, y, layer.linear("mlp.fc2", active, F, C));
    states.push(y);
  }
  return states;
}
