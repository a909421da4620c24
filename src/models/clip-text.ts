import { z } from "zod";
import { type Avoided, type FloatType, type Graph, GraphBuilder, type Value } from "../onnx/graph.js";
import {
  type AttentionForm,
  add,
  attention,
  cast,
  concat,
  gather,
  gelu,
  quickGelu,
  reshape,
  shapeOf,
} from "../onnx/ops.js";
import { Layers } from "./layers.js";

/** The keys of a CLIPTextModel's config.json that shape its graph. Defaults are those of transformers. */
export const clipTextConfig = z
  .looseObject({
    vocab_size: z.int().positive().default(49408),
    hidden_size: z.int().positive().default(512),
    intermediate_size: z.int().positive().default(2048),
    num_hidden_layers: z.int().positive().default(12),
    num_attention_heads: z.int().positive().default(8),
    max_position_embeddings: z.int().positive().default(77),
    hidden_act: z.literal(["quick_gelu", "gelu"]).default("quick_gelu"),
    layer_norm_eps: z.number().positive().default(1e-5),
  })
  .refine(({ hidden_size: size, num_attention_heads: heads }) => size % heads === 0, {
    path: ["hidden_size"],
    message: "it must be a multiple of num_attention_heads",
  });
export type ClipTextConfig = z.output<typeof clipTextConfig>;

/** Below any score that weights can make, and a number in float16 too. */
const MASKED = -1e4;

/**
 * CLIP's text encoder: `ids` int32 [B, T] -> `states` float32 [B, T, C], the last hidden state after the final norm
 * (https://arxiv.org/abs/2103.00020; transformers' CLIPTextModel).
 *
 * B rows, T = max_position_embeddings, C = hidden_size, R = B*T
 */
export function clipText(
  config: ClipTextConfig,
  float: FloatType,
  form: AttentionForm,
  avoided?: Avoided,
): Graph {
  const {
    hidden_size: C,
    intermediate_size: F,
    num_attention_heads: heads,
    max_position_embeddings: T,
    layer_norm_eps: epsilon,
  } = config;
  const g = new GraphBuilder("clip-text", float, avoided);
  const model = new Layers(g, "text_model");
  const ids = g.input("ids", "int32", ["batch", T]);

  const words = gather(g, model.weight("embeddings.token_embedding.weight", [config.vocab_size, C]), ids);
  const positions = model.weight("embeddings.position_embedding.weight", [T, C]);
  let x = reshape(g, add(g, words, positions), [-1, C]); // [R, C]

  // Each token sees itself and those before it.
  const mask = Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? MASKED : 0));
  const bias = g.constant(float, [1, 1, T, T], mask);
  const rows = concat(g, [shapeOf(g, ids), g.ints(C)], 0); // B, T, C
  const attend = (layers: Layers, x: Value) => {
    const [q, k, v] = ["q_proj", "k_proj", "v_proj"].map((name) =>
      reshape(g, layers.linear(name, x, C, C), rows),
    ) as [Value, Value, Value]; // [B, T, C]
    const mixed = attention(g, q, k, v, { heads, headSize: C / heads, form, bias });
    return layers.linear("out_proj", reshape(g, mixed, [-1, C]), C, C); // [R, C]
  };

  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = model.under(`encoder.layers.${i}`);
    x = add(g, x, attend(layer.under("self_attn"), layer.layerNorm("layer_norm1", x, C, epsilon)));
    const wide = layer.linear("mlp.fc1", layer.layerNorm("layer_norm2", x, C, epsilon), C, F); // [R, F]
    const active = config.hidden_act === "gelu" ? gelu(g, wide) : quickGelu(g, wide);
    x = add(g, x, layer.linear("mlp.fc2", active, F, C));
  }
  x = reshape(g, model.layerNorm("final_layer_norm", x, C, epsilon), rows); // [B, T, C]
  g.output("states", cast(g, x, "float32"), "float32", ["batch", T, C]);
  return g.build();
}
