import { z } from "zod";
import { type Arithmetic, type Graph, GraphBuilder } from "../onnx/graph.js";
import { add, cast, concat, conv2d, reshape, slice, transpose } from "../onnx/ops.js";
import { clipSide, headCount, innerWidth, layerCount, width } from "./bounds.js";
import { clipEncoder, encoderKeys, hasWholeHeads, WHOLE_HEADS } from "./clip-encoder.js";
import { Layers } from "./layers.js";

/** The keys of a CLIPVisionModel's configuration that shape its graph. Defaults are those of transformers. */
export const clipVisionConfig = z
  .looseObject({
    hidden_size: width.default(768),
    intermediate_size: innerWidth.default(3072),
    num_hidden_layers: layerCount.default(12),
    num_attention_heads: headCount.default(12),
    num_channels: z.literal(3).default(3),
    image_size: clipSide.default(224),
    patch_size: clipSide.default(32),
    ...encoderKeys,
  })
  .refine(hasWholeHeads, WHOLE_HEADS)
  .refine(({ image_size: side, patch_size: patch }) => patch <= side, {
    path: ["patch_size"],
    message: "it must not be larger than image_size",
  });
export type ClipVisionConfig = z.output<typeof clipVisionConfig>;

/** Tokens of a picture: one per patch, and one for the whole picture. */
export const visionTokens = ({ image_size: side, patch_size: patch }: ClipVisionConfig): number =>
  Math.floor(side / patch) ** 2 + 1;

/**
 * CLIP's vision tower with its projection: `pixels` float32 [1, 3, S, S], normalised -> `embeds` float32
 * [1, D], of any length (https://arxiv.org/abs/2103.00020; transformers' CLIPModel.get_image_features).
 *
 * S = image_size, P = patch_size, C = hidden_size, N = floor(S/P)^2, T = N+1, D = projection_dim.
 * `pre_layrnorm` is spelled so in every file.
 */
export function clipVisionEmbedding(config: ClipVisionConfig, arithmetic: Arithmetic, D: number): Graph {
  const { hidden_size: C, image_size: S, patch_size: P, layer_norm_eps: epsilon } = config;
  const g = new GraphBuilder("clip-vision", arithmetic);
  const model = new Layers(g, "vision_model");
  const pixels = cast(g, g.input("pixels", "float32", [1, 3, S, S]), g.float);

  const kernel = model.weight("embeddings.patch_embedding.weight", [C, 3, P, P]);
  const squares = conv2d(g, pixels, kernel, null, { kernel: P, stride: P }); // [1, C, S/P, S/P]
  const patches = transpose(g, reshape(g, squares, [1, C, -1]), [0, 2, 1]); // [1, N, C]
  const whole = reshape(g, model.weight("embeddings.class_embedding", [C]), [1, 1, C]);
  const T = visionTokens(config);
  const positions = model.weight("embeddings.position_embedding.weight", [T, C]);
  const embedded = add(g, concat(g, [whole, patches], 1), positions); // [1, T, C]

  let x = model.layerNorm("pre_layrnorm", reshape(g, embedded, [-1, C]), C, epsilon); // [T, C]
  x = clipEncoder(model, config, x, { rows: [1, -1, C] });
  const pooled = model.layerNorm("post_layernorm", slice(g, x, 0, 0, 1), C, epsilon); // [1, C]
  const embeds = new Layers(g).linear("visual_projection", pooled, C, D, "no bias"); // [1, D]
  g.output("embeds", cast(g, embeds, "float32"), "float32", [1, D]);
  return g.build();
}
