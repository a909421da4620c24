import { basename } from "node:path";
import { CheckpointError } from "../../../core/errors.js";
import type { Weights } from "../../files/weights.js";

/** What a file is for, if its tensors show it. */
export interface Kind {
  /** Such as "a LoRA of Stable Diffusion XL". */
  readonly name: string;
  /** What to do with it, as a sentence; null where nothing helps. */
  readonly advice: string | null;
}

const KINDS: readonly (readonly [RegExp, string, string | null])[] = [
  [
    /^(lora_te2_|text_encoder_2\.|conditioner\.embedders)|label_emb|add_embedding|(attentions_|attentions\.)\d[._]transformer_blocks[._][1-9]/,
    "a LoRA of Stable Diffusion XL",
    null,
  ],
  [/(double_blocks|single_blocks|single_transformer_blocks)/, "a LoRA of Flux", null],
  [/joint_blocks|add_[qkv]_proj|context_block/, "a LoRA of Stable Diffusion 3", null],
  [/lora_prior_|lora_unet_.*_attn_blocks_|^clip_txt_pooled_mapper/, "a LoRA of Stable Cascade", null],
  [
    /motion_modules|temporal_|(^|diffusion_model[._]|lora_unet_)blocks[._]\d+[._](self_attn|cross_attn|attn1|attn2|ffn)/,
    "a LoRA of a video model or another transformer",
    null,
  ],
  [/^lora_te_.*layers_(1[2-9]|2[0-3])_/, "a LoRA of Stable Diffusion 2", null],
  [/lora_controlnet|^control_model\.|^controlnet_/, "a ControlNet", null],
  [/^(image_proj|ip_adapter)\./, "an IP-Adapter", null],
  [/oft_blocks|oft_diag|oft_R|\.oft_r|boft_/, "an adapter of the kind OFT, which is not merged here", null],
  [/\.(a1|a2|b1|b2|bm)\.weight$/, "an adapter of the kind GLoRA, which is not merged here", null],
  [/vera_lambda|lora_E$|\.ranknum/, "a PEFT adapter of a kind that is not merged here", null],
  [
    /^(emb_params|string_to_param|string_to_token|clip_[lg])(\.|$)/,
    "an embedding (textual inversion)",
    "Give it with --embedding.",
  ],
  [
    /^(model\.diffusion_model|first_stage_model|cond_stage_model)\.(?!.*(lora|hada|lokr))/,
    "a whole checkpoint",
    "Give it with --diffusion.",
  ],
  [/^(decoder|encoder)\.(up|down|mid)/, "a VAE", "Give it with --vae."],
];

/** The width of the text that a UNet's attention reads, and the family that has it. */
const TEXT_WIDTHS: Readonly<Record<number, string>> = {
  768: "a LoRA of Stable Diffusion 1.x",
  1024: "a LoRA of Stable Diffusion 2",
  2048: "a LoRA of Stable Diffusion XL",
};

/** The kind of a file, by its keys, shapes and metadata; null if unknown. */
export function kindOf(weights: Weights, metadata: Readonly<Record<string, string>>): Kind | null {
  for (const [pattern, name, advice] of KINDS)
    if (weights.names.some((key) => pattern.test(key.slice(0, 300)))) return { name, advice };
  for (const key of weights.names)
    if (/attn2[._]to_[kv][._].*(down|lora_A|hada_w1_b)/.test(key.slice(0, 300))) {
      const name = TEXT_WIDTHS[weights.get(key)!.shape[1] ?? 0];
      if (name !== undefined) return { name, advice: null };
    }
  const base = metadata.ss_base_model_version ?? metadata["modelspec.architecture"] ?? "";
  if (/xl/i.test(base)) return { name: "a LoRA of Stable Diffusion XL", advice: null };
  if (/^sd_v2|diffusion-v2/i.test(base)) return { name: "a LoRA of Stable Diffusion 2", advice: null };
  return null;
}

/** Kinds that never go with Stable Diffusion 1.x, even if some of their modules have its shapes. */
export const isForeign = ({ name }: Kind): boolean => name !== TEXT_WIDTHS[768];

/** Keys that a message shows; a file of another model has thousands. */
const SHOWN_KEYS = 10;
const SHOWN_STRAYS = 3;

/** The error for a file that is not merged: what it is, and the first reasons. */
export function refused(
  file: string,
  kind: Kind | null,
  reasons: readonly string[],
  total: number,
): CheckpointError {
  const what = kind === null || !isForeign(kind) ? "fits no module of this checkpoint" : `is ${kind.name}`;
  const lines = reasons.slice(0, SHOWN_KEYS).map((reason) => `\n  ${reason}`);
  const more = reasons.length - lines.length;
  return new CheckpointError(
    "CHECKPOINT_TENSORS",
    `${file} ${what} (${total} tensors):${lines.join("")}${more > 0 ? `\n  and ${more} more` : ""}\n${kind?.advice ?? "Give a LoRA of Stable Diffusion 1.5."}`,
  );
}

/** The note on tensors that are left out while the rest is merged. */
export function strayNote(file: string, strays: readonly string[], total: number): string[] {
  if (strays.length === 0) return [];
  const more = strays.length > SHOWN_STRAYS ? ` and ${strays.length - SHOWN_STRAYS} more` : "";
  return [
    `${basename(file)} is merged without ${strays.length} of its ${total} tensors, which fit nothing in this model: ${strays.slice(0, SHOWN_STRAYS).join(", ")}${more}.`,
  ];
}
