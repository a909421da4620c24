import { CheckpointError } from "../../core/errors.js";
import type { Weights } from "../files/weights.js";
import { requireTextToImage } from "./architecture.js";
import { isSingleFile } from "./ldm.js";
import { parseKey, type Role } from "./lora/keys.js";
import { isForeign, kindOf as kindOfAdapter } from "./lora/refusal.js";
import { readUpscaler, scaleText } from "./upscaler.js";

/** What a file or folder of weights is for. */
export type ModelKind =
  | "checkpoint"
  | "lora"
  | "vae"
  | "embedding"
  | "tiny-decoder"
  | "upscaler"
  | "controlnet"
  | "rewriter"
  | "clip"
  | "unknown";

/** What a model of each kind is called in a sentence. */
export const KIND_WORDS: Readonly<Record<ModelKind, string>> = {
  checkpoint: "a checkpoint",
  lora: "a LoRA",
  vae: "a VAE",
  embedding: "an embedding",
  "tiny-decoder": "a TAESD",
  upscaler: "an upscaler",
  controlnet: "a ControlNet",
  rewriter: "a GPT-2",
  clip: "a CLIP",
  unknown: "a file",
};

/** Folders of the folder of checkpoints for models of one kind, where `checkpoints pull` puts single files. */
export const KIND_FOLDER = {
  checkpoint: "checkpoints",
  lora: "loras",
  vae: "vae",
  embedding: "embeddings",
  "tiny-decoder": "vae_approx",
  upscaler: "upscale_models",
} as const;

/** What the names and shapes of a file's tensors tell. */
export interface Traits {
  readonly kind: ModelKind;
  /** Such as "Stable Diffusion XL"; null where nothing tells. */
  readonly family: string | null;
  /** Such as "LoHa, rank 32" or "4 vectors"; null where there is nothing to say. */
  readonly detail: string | null;
  /** In a few words why this program cannot use it; null if it can. */
  readonly misfit: string | null;
  /** True for a checkpoint without a VAE, which needs one apart. */
  readonly lacksVae: boolean;
}

/** Names and shapes; no values. */
export type TensorList = Pick<Weights, "names" | "get" | "source">;

const SD1 = "Stable Diffusion 1.x";
const SD2 = "Stable Diffusion 2.x";
const SDXL = "Stable Diffusion XL";
const SD3 = "Stable Diffusion 3";
const FLUX = "Flux";

/** Families by the width of the text that their attention reads. */
const TEXT_WIDTHS: ReadonlyMap<number, string> = new Map([
  [768, SD1],
  [1024, SD2],
  [1280, SDXL],
  [2048, SDXL],
]);

const NOTHING = { family: null, detail: null, misfit: null, lacksVae: false };
const ofFamily = (family: string | null) =>
  family === null || family === SD1 ? null : `for ${family}; only ${SD1} runs here`;

/**
 * Tells what a file holds by its tensors' names and shapes, as the readers of this program would use it. Reads
 * no values and never throws for odd tensors: those are of kind `unknown`.
 * @param metadata the texts of a safetensors file's header
 */
export function traitsOf(weights: TensorList, metadata: Readonly<Record<string, string>> = {}): Traits {
  for (const look of LOOKS) {
    const found = look(weights, metadata);
    if (found !== null) return { ...NOTHING, ...found };
  }
  return { ...NOTHING, kind: "unknown", misfit: "its kind is not known here" };
}

type Look = (
  weights: TensorList,
  metadata: Readonly<Record<string, string>>,
) => (Pick<Traits, "kind"> & Partial<Traits>) | null;

/** Names of a hostile file may be of any length. */
const MAX_NAME = 300;
const hasName = ({ names }: TensorList, pattern: RegExp): boolean =>
  names.some((name) => name.length <= MAX_NAME && pattern.test(name));

const shapeOf = (weights: TensorList, name: string): readonly number[] => weights.get(name)?.shape ?? [];
const UNET = "model.diffusion_model.";

/** A checkpoint in one file: the names of the original code, with other transformers under the same prefix. */
const checkpoint: Look = (weights) => {
  if (!isSingleFile(weights as Weights)) return null;
  const has = (prefix: string) => weights.names.some((name) => name.startsWith(prefix));
  const hasTextEncoder = has("cond_stage_model.transformer.");
  const family = has(`${UNET}double_blocks.`)
    ? FLUX
    : has(`${UNET}joint_blocks.`)
      ? SD3
      : has("conditioner.embedders.") || has(`${UNET}label_emb.`)
        ? SDXL
        : has("cond_stage_model.model.")
          ? SD2
          : hasTextEncoder
            ? SD1
            : familyOfUnet(weights, UNET);
  const lacksVae = !has("first_stage_model.");
  const picture = needsPicture(weights, `${UNET}input_blocks.0.0.weight`);
  const misfit =
    ofFamily(family) ??
    picture ??
    (family === null ? "a UNet of no known kind" : null) ??
    (hasTextEncoder ? null : "it has no text encoder");
  return {
    kind: "checkpoint",
    family,
    detail: picture === null ? null : pictureWord(weights),
    misfit,
    lacksVae,
  };
};

/** The family of a UNet by the width of its cross-attention. */
function familyOfUnet(weights: TensorList, prefix: string): string | null {
  const name = weights.names.find((it) => it.startsWith(prefix) && it.endsWith(".attn2.to_k.weight"));
  return (name === undefined ? null : TEXT_WIDTHS.get(shapeOf(weights, name)[1] ?? 0)) ?? null;
}

/** What an inpainting UNet and its like need, in few words; null for one that draws from text alone. */
function needsPicture(weights: TensorList, input: string): string | null {
  try {
    requireTextToImage("", shapeOf(weights, input)[1]);
    return null;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return "it needs a picture besides the prompt";
  }
}

const pictureWord = (weights: TensorList): string => {
  const channels = shapeOf(weights, `${UNET}input_blocks.0.0.weight`)[1];
  return channels === 9 ? "inpainting" : `${channels} input channels`;
};

/** A model of one part: a UNet or transformer without text encoder. */
const unetAlone: Look = (weights) => {
  const family = hasName(weights, /^(double_blocks|single_transformer_blocks)\./)
    ? FLUX
    : hasName(weights, /^(joint_blocks\.|transformer_blocks\.\d+\.attn\.add_[qkv]_proj)/)
      ? SD3
      : undefined;
  if (family !== undefined) return { kind: "checkpoint", family, misfit: ofFamily(family), lacksVae: true };
  const isUnet = hasName(weights, /^(input_blocks\.\d+\.\d+\.|down_blocks\.\d+\.attentions\.)/);
  if (!isUnet || hasName(weights, /^(input_hint_block|zero_convs|controlnet_)/)) return null;
  const own = familyOfUnet(weights, "");
  return {
    kind: "checkpoint",
    family: own,
    detail: "UNet alone",
    misfit: ofFamily(own) ?? "a UNet alone, without text encoder and VAE",
    lacksVae: true,
  };
};

/** Roles of tensors that only adapters have, with the name of the adapter's kind. */
const ADAPTERS: readonly (readonly [Role, string])[] = [
  ["hada_w1_a", "LoHa"],
  ["lokr_w1", "LoKr"],
  ["lokr_w1_a", "LoKr"],
  ["dora_scale", "DoRA"],
  ["magnitude", "DoRA"],
  ["mid", "LoCon"],
  ["on_input", "(IA)^3"],
  ["ia3_l", "(IA)^3"],
  ["down", "LoRA"],
  ["up", "LoRA"],
  ["diff", "full difference"],
];
/** Where a tensor of a role has the rank: the dimension, counted from the front. */
const RANKS: Partial<Record<Role, number>> = {
  down: 0,
  up: 1,
  hada_w1_b: 0,
  lokr_w1_b: 0,
  lokr_w2_b: 0,
};

const adapter: Look = (weights, metadata) => {
  const roles = new Set<Role>();
  const ranks = new Set<number>();
  for (const name of weights.names) {
    const role = parseKey(name)?.role;
    if (role === undefined) continue;
    roles.add(role);
    const axis = RANKS[role];
    const rank = axis === undefined ? undefined : shapeOf(weights, name)[axis];
    if (rank !== undefined) ranks.add(rank);
  }
  const method = ADAPTERS.find(([role]) => roles.has(role))?.[1];
  const told = kindOfAdapter(weights as Weights, metadata);
  const isAdapter =
    method !== undefined || told?.name.startsWith("an adapter") || told?.name.startsWith("a PEFT");
  if (!isAdapter || told?.name.startsWith("a whole")) return null;
  const family = told?.name.startsWith("a LoRA of ") ? told.name.slice("a LoRA of ".length) : null;
  const known = family === null ? familyOfText(weights) : family.replace(/^Stable Diffusion 2$/, SD2);
  const isOther = told !== null && isForeign(told);
  return {
    kind: told?.name === "a ControlNet" ? "controlnet" : "lora",
    family: known,
    detail: [method === "LoRA" ? null : method, rankText(ranks)].filter(Boolean).join(", ") || null,
    misfit: !isOther ? null : family === null ? `it is ${told.name}` : ofFamily(known),
  };
};

/** An adapter of the text encoder alone tells its family by the encoder's width. */
function familyOfText(weights: TensorList): string | null {
  const name = weights.names.find((it) =>
    /text_?(model|encoder).*(down|lora_A)[\w.]*\.weight$/.test(it.slice(0, MAX_NAME)),
  );
  return (name === undefined ? null : TEXT_WIDTHS.get(shapeOf(weights, name)[1] ?? 0)) ?? null;
}

function rankText(ranks: ReadonlySet<number>): string | null {
  if (ranks.size === 0) return null;
  const [low, high] = [Math.min(...ranks), Math.max(...ranks)];
  return low === high ? `rank ${low}` : `ranks ${low} to ${high}`;
}

/** An embedding has one tensor for each text encoder, as wide as it. */
const MAX_EMBEDDING_TENSORS = 3;

const embedding: Look = (weights) => {
  const { names } = weights;
  const shapes = names.map((name) => shapeOf(weights, name));
  const isRows = shapes.every((shape) => shape.length === 1 || shape.length === 2);
  if (names.length === 0 || names.length > MAX_EMBEDDING_TENSORS || !isRows) return null;
  const isNamed = names.every((name) => /^(emb_params|string_to_param(\..*)?|clip_[lg])$/.test(name));
  const width = Math.max(...shapes.map((shape) => shape.at(-1)!));
  const family = TEXT_WIDTHS.get(width) ?? null;
  // One matrix under a token's name; names with such an end are a layer's.
  const isToken = names.length === 1 && family !== null && !/\.(weight|bias)$/.test(names[0]!);
  if (!isNamed && !isToken) return null;
  const vectors = shapes[0]!.length === 1 ? 1 : shapes[0]![0]!;
  return {
    kind: "embedding",
    family,
    detail: vectors === 1 ? "1 vector" : `${vectors} vectors`,
    misfit: family === null ? `its vectors have ${width} numbers, those of ${SD1} 768` : ofFamily(family),
  };
};

const vae: Look = (weights) => {
  if (
    !hasName(
      weights,
      /^(first_stage_model\.)?(decoder|encoder)\.(up|down|mid|up_blocks|down_blocks|mid_block)[._]/,
    )
  )
    return null;
  const input = weights.names.find((name) => /^(first_stage_model\.)?decoder\.conv_in\.weight$/.test(name));
  if (input === undefined) return { kind: "vae", misfit: "it has no decoder" };
  const channels = shapeOf(weights, input)[1];
  if (channels === undefined) return { kind: "vae", misfit: "its decoder is damaged" };
  return channels === 4
    ? { kind: "vae", family: SD1 }
    : {
        kind: "vae",
        detail: `${channels} latent channels`,
        misfit: `for latents of ${channels} channels, not 4`,
      };
};

/** TAESD and its kin: diffusers' names, or the numbers of the original's layers. */
const tinyDecoder: Look = (weights) => {
  for (const [input, block] of [
    ["decoder.layers.0.weight", /^decoder\.layers\.2\.conv\.0\.weight$/],
    ["1.weight", /^3\.conv\.0\.weight$/],
  ] as const) {
    const [, channels, ...kernel] = shapeOf(weights, input);
    if (channels === undefined || kernel.length !== 2 || !hasName(weights, block)) continue;
    return {
      kind: "tiny-decoder",
      misfit: channels === 4 ? null : `for latents of ${channels} channels, not 4`,
    };
  }
  return hasName(weights, /^(encoder\.layers\.)?1\.conv\.0\.weight$/)
    ? { kind: "tiny-decoder", misfit: "an encoder alone" }
    : null;
};

const others: Look = (weights) => {
  const has = (pattern: RegExp) => hasName(weights, pattern);
  if (has(/^(control_model\.|controlnet_|input_hint_block|zero_convs)/))
    return { kind: "controlnet", misfit: "a ControlNet, which is not used here" };
  if (has(/^(image_proj|ip_adapter)\./))
    return { kind: "unknown", detail: "IP-Adapter", misfit: "an IP-Adapter, which is not used here" };
  if (has(/motion_modules|temporal_transformer/))
    return { kind: "unknown", detail: "motion module", misfit: "a motion module, which is not used here" };
  if (has(UPSCALER)) return upscaler(weights);
  if (has(/^(transformer\.)?h\.\d+\.attn\.c_attn\./))
    return { kind: "rewriter", detail: "GPT-2", misfit: "weights alone: Promptist needs its whole folder" };
  if (has(/^(text_model|vision_model)\.(encoder|vision_model)\./))
    return { kind: "clip", misfit: "a part of a CLIP, which is not used alone" };
  if (has(/^(encoder\.block\.\d+\.layer\.|shared\.weight$)/))
    return { kind: "unknown", detail: "T5 text encoder", misfit: `a T5 text encoder; ${SD1} has none` };
  return null;
};

/** ESRGAN and its kin, SwinIR, DAT, HAT: with or without the dictionary that Real-ESRGAN saves them in. */
const UPSCALER =
  /^(params(_ema)?\.)?(module\.)?(conv_first\.|RRDB_trunk|model\.\d+\.sub\.\d+\.|body\.\d+\.(rdb\d|weight$)|conv_up\d|upconv\d|layers\.\d+\.residual_group|upsample\.\d|block_1\.c1_r|feats\.0\.)/;

function upscaler(weights: TensorList): ReturnType<Look> {
  const found = readUpscaler(weights as Weights);
  if (found === null || typeof found === "string")
    return { kind: "upscaler", misfit: found ?? "an upscaler of no known kind" };
  const family = found.kind === "rrdb" ? "ESRGAN" : "compact Real-ESRGAN";
  return { kind: "upscaler", family, detail: scaleText(found) };
}

/** In this order: an adapter's names contain those of what it changes. */
const LOOKS: readonly Look[] = [adapter, checkpoint, embedding, vae, tinyDecoder, unetAlone, others];
