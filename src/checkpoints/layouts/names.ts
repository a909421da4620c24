import { createHash } from "node:crypto";
import { CheckpointError } from "../../core/errors.js";
import type { TensorEntry, Weights } from "../files/weights.js";

/*
 * Published files use several names for the same tensor. Graphs use one: these views know only that one.
 */

/** A tensor's canonical name, and its shape if it changes; null drops the tensor. */
export type Rename = (
  name: string,
  shape: readonly number[],
) => { name: string; shape?: readonly number[] } | null;

/**
 * GPT-2 as `transformer.*`, whether or not the file has that prefix. The causal masks `attn.bias` and
 * `attn.masked_bias` (constants stored by old versions) are dropped, and so is a `lm_head.weight` tied to
 * `transformer.wte.weight`, which transformers ignores too.
 */
export function gpt2Weights(weights: Weights, { tied = true }: { tied?: boolean } = {}): Weights {
  return renamed(weights, (name) => {
    if (name === "lm_head.weight") return tied ? null : { name };
    const bare = withoutPrefix(name, "transformer.");
    if (/^h\.\d+\.attn\.(bias|masked_bias)$/.test(bare)) return null;
    return { name: /^(wte|wpe|h|ln_f)\./.test(bare) ? `transformer.${bare}` : name };
  });
}

/**
 * CLIP's text encoder as `text_model.*`; its `position_ids` (0 to 76) and the other halves of a whole CLIP
 * are dropped.
 */
export function clipTextWeights(weights: Weights): Weights {
  return renamed(weights, (name) => {
    if (/^(vision_model|visual_projection|text_projection|logit_scale)(\.|$)/.test(name)) return null;
    const bare = withoutPrefix(name, "text_model.");
    if (bare === "embeddings.position_ids") return null;
    return { name: /^(embeddings|encoder|final_layer_norm)\./.test(bare) ? `text_model.${bare}` : name };
  });
}

/** A whole CLIP as `text_model.*`, `vision_model.*` and the two projections; `position_ids` are dropped. */
export function clipWeights(weights: Weights): Weights {
  return renamed(weights, (name) => (POSITION_IDS.test(name) ? null : { name }));
}

/**
 * A safety checker with its tower as CLIP's `vision_model.*`. Files have `vision_model.vision_model.*`
 * (diffusers puts a whole CLIPVisionModel there) or, since transformers 5, only one `vision_model`.
 */
export function safetyCheckerWeights(weights: Weights): Weights {
  return renamed(weights, (name) => {
    if (POSITION_IDS.test(name)) return null;
    return { name: name.replace(/^vision_model\.vision_model\./, "vision_model.") };
  });
}

/** A buffer with 0, 1, 2, ... that old versions stored. */
const POSITION_IDS = /\bembeddings\.position_ids$/;

/** Attention of the VAE before diffusers 0.18, as SD 1.5 was published: old name -> current name. */
const OLD_VAE_ATTENTION: Readonly<Record<string, string>> = {
  query: "to_q",
  key: "to_k",
  value: "to_v",
  proj_attn: "to_out.0",
};

/**
 * The VAE with `to_q`, `to_k`, `to_v` and `to_out.0` as matrices, even if the file has old names or 1x1
 * convolutions.
 */
export function vaeWeights(weights: Weights): Weights {
  return renamed(weights, (name, shape) => {
    const [, attention, part, kind] = /^(.*\battentions\.\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
    if (!attention || !part) return { name };
    const now = OLD_VAE_ATTENTION[part] ?? part;
    const canonical = `${attention}.${now}.${kind}`;
    const isProjection = Object.values(OLD_VAE_ATTENTION).includes(now);
    return isProjection && shape.length === 4 && shape[2] === 1 && shape[3] === 1
      ? { name: canonical, shape: shape.slice(0, 2) } // [C, C, 1, 1] -> [C, C]
      : { name: canonical };
  });
}

/** What PyTorch's DataParallel and `compile` put before every name. */
const WRAPPED = /^(?:module\.|_orig_mod\.)+/;

/** The tensors without a prefix of PyTorch's wrappers, where every name has one. */
export const withoutWrapper = (weights: Weights): Weights =>
  weights.names.every((name) => WRAPPED.test(name))
    ? renamed(weights, (name) => ({ name: name.replace(WRAPPED, "") }))
    : weights;

const withoutPrefix = (name: string, prefix: string): string =>
  name.startsWith(prefix) ? name.slice(prefix.length) : name;

/** A view under other names. Throws CHECKPOINT_TENSORS if two tensors of the file get the same name. */
export function renamed(weights: Weights, rename: Rename): Weights {
  const originals = new Map<string, string>();
  const entries = new Map<string, TensorEntry>();
  for (const original of weights.names) {
    const entry = weights.get(original)!;
    const canonical = rename(original, entry.shape);
    if (!canonical) continue;
    const other = originals.get(canonical.name);
    if (other !== undefined) {
      throw new CheckpointError(
        "CHECKPOINT_TENSORS",
        `${weights.source} holds both "${other}" and "${original}", two names of one tensor.`,
      );
    }
    originals.set(canonical.name, original);
    entries.set(canonical.name, { ...entry, ...canonical });
  }
  const originalOf = (name: string): string => {
    const original = originals.get(name);
    if (original !== undefined) return original;
    throw new CheckpointError("CHECKPOINT_TENSORS", `${weights.source} has no tensor named "${name}".`);
  };
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([weights.fingerprint, [...originals], [...entries.values()].map((e) => e.shape)]))
    .digest("hex");
  return {
    source: weights.source,
    names: [...entries.keys()],
    fingerprint,
    get: (name) => entries.get(name),
    read: (name) => weights.read(originalOf(name)),
    readFloat32: (name) => weights.readFloat32(originalOf(name)),
  };
}
