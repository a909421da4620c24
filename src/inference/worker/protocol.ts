import type { EmbeddingChoice } from "../../checkpoints/layouts/embeddings.js";
import type { FoundJudges } from "../../checkpoints/layouts/find-judges.js";
import type { LoraChoice } from "../../checkpoints/layouts/lora.js";
import type { DeviceName } from "../../core/devices.js";
import type { ErrorCode, ErrorContext } from "../../core/errors.js";
import type { Candidate, PictureNote, UsedEmbedding, UsedModel } from "../../core/job.js";
import type { PictureJudgement } from "../../core/judgement.js";
import type {
  DecoderName,
  ImageOptions,
  PictureSize,
  Precision,
  PromptMode,
  TextOptions,
  TextWeights,
} from "../../core/options.js";
import type { PromptForm } from "../../core/rewriters.js";
import type { StyleWords } from "../../core/styles.js";
import type { GridRequest } from "../../pictures/grid-picture.js";
import type { PairFiles } from "../../pictures/pair-card.js";
import type { PairTexts } from "../../pictures/parameters.js";

/** What a worker must load. Paths are absolute. */
export type WorkerSpec = TextSpec | ImageSpec | ScoreSpec | UpscaleSpec;

export interface TextSpec {
  readonly phase: "text";
  readonly directory: string;
  /** Folder of its tokenizer, if that is another. */
  readonly tokenizer?: string;
  /** How it is asked; Promptist's form by default. */
  readonly form?: PromptForm;
  /** Whether its rewrites are held to the prompt's words; not if absent. */
  readonly keepsPrompt?: boolean;
  readonly device: DeviceName;
  /** The only card of NVIDIA that it may see, as a number or UUID; all if absent. */
  readonly card?: string;
  readonly weights: TextWeights;
  /** Folder of the image model's tokenizer, to find words that it will not read; null for none. */
  readonly clipTokenizer: string | null;
  /** Embeddings of the image model, whose folder or file is `diffusion`: their names are several tokens. */
  readonly embeddings?: readonly EmbeddingChoice[];
  readonly diffusion?: string | null;
  readonly cacheDir: string;
  /** 0: the runtime chooses. */
  readonly threads: number;
}

export interface ImageSpec {
  readonly phase: "image";
  /** Folder in diffusers' layout, or a single-file checkpoint. */
  readonly directory: string;
  /** The checkpoint's name without what is added to it, for the pictures' metadata. */
  readonly model: string;
  /** Folder of CLIP's tokenizer. */
  readonly tokenizer: string;
  readonly loras: readonly LoraChoice[];
  /** Files and folders of embeddings. */
  readonly embeddings?: readonly EmbeddingChoice[];
  /** A folder or file whose VAE replaces the checkpoint's own. */
  readonly vae: string | null;
  /** Path of TAESD, for previews; null for none. */
  readonly tinyDecoder?: string | null;
  /** What makes finished pictures; the VAE if absent. */
  readonly decoder?: DecoderName;
  /** Last layers of the text encoder to leave out. */
  readonly clipSkip: number;
  /**
   * True if the checkpoint can draw nothing that needs a safety checker; pictures are then `harmless` without
   * one.
   */
  readonly harmless: boolean;
  /** The judges of its pictures. */
  readonly judges: FoundJudges;
  readonly device: DeviceName;
  /** The only card of NVIDIA that it may see, as a number or UUID; all if absent. */
  readonly card?: string;
  readonly precision: Precision;
  /** Bytes that pictures may take on the device; null or absent: as much as it is known to have. */
  readonly memory?: number | null;
  readonly cacheDir: string;
  readonly threads: number;
}

/** Where a model that works on existing pictures runs. */
interface OnDevice {
  readonly device: DeviceName;
  /** The only card of NVIDIA that it may see, as a number or UUID; all if absent. */
  readonly card?: string;
  readonly precision: Precision;
  readonly cacheDir: string;
  readonly threads: number;
}

/** Only the judges, for existing pictures. */
export interface ScoreSpec extends OnDevice {
  readonly phase: "score";
  readonly judges: FoundJudges;
}

/** Only an upscaler, for existing pictures. */
export interface UpscaleSpec extends OnDevice {
  readonly phase: "upscale";
  /** A .pth or safetensors file. */
  readonly file: string;
}

/** What a worker reports once its model is loaded. */
export interface WorkerInfo {
  readonly phase: WorkerSpec["phase"];
  /** The chosen device, and a sentence if it is not the requested one. */
  readonly device: string;
  readonly deviceNote: string | null;
  /** Sentences about the checkpoint that stop nothing. */
  readonly notes: readonly string[];
  /** int8, fp16 or fp32. */
  readonly precision: string;
  readonly weightBytes: number;
  /** SHA-256 over the weight files; null for a worker that only judges or upscales. */
  readonly hash: string | null;
  /** True if its pictures need no safety checker. */
  readonly harmless?: boolean;
  /** What it can be asked for by name in a prompt. */
  readonly embeddings?: readonly (UsedEmbedding & { readonly names: readonly string[] })[];
  readonly parameters: string;
  readonly loadMs: number;
}

export interface OptimizeRequest {
  readonly prompts: readonly string[];
  /** How each of them is read; all of them as diffusers does if absent. */
  readonly modes?: readonly PromptMode[];
  /** The style that each of them and its rewrites are drawn in; Promptist does not read it. None if absent. */
  readonly styles?: readonly (StyleWords | undefined)[];
  readonly options: TextOptions;
}
export interface Rewrite {
  readonly prompt: string;
  readonly rewrite: string;
  readonly candidates: readonly Candidate[];
  /** The end of a prompt that is longer than Promptist reads; it stands in each rewrite as written. */
  readonly unread?: string | null;
  /** True where the rewriter was held to the prompt's own words. */
  readonly kept?: true;
  /** Words of the prompt and of the rewrite that the image model will not read; null if there are none. */
  readonly truncated?: { readonly baseline: string | null; readonly optimized: string | null };
}

/** A picture to go on from, and how much of it is drawn anew. */
export interface FromFile {
  /** The absolute path of its file. */
  readonly file: string;
  readonly strength: number;
  /** SHA-256 of the file that it was before it was stored; of the file itself where absent. */
  readonly sha256?: string;
  /** Whether a harmless checkpoint drew it; an attached picture may show anything. */
  readonly isHarmless?: boolean;
  /** How many times as long its sides are made before it is drawn over; 1 if absent. */
  readonly enlarge?: number;
  /** The absolute path of the upscaler that makes it larger; Pillow's Lanczos filter does if there is none. */
  readonly upscaler?: string | null;
}

export interface DrawRequest {
  readonly prompt: string;
  /** The prompt before its rewrite, without marks that were read: the picture's relevance is scored with it. */
  readonly plainPrompt: string;
  readonly options: Omit<ImageOptions, "from">;
  /** The picture to go on from. */
  readonly from?: FromFile | null;
  /** Absolute path of the PNG to write. */
  readonly file: string;
  /** Name of the checkpoint, for the picture's metadata. */
  readonly checkpoint: string;
  /** The pair that the picture belongs to, for its metadata; null for a single picture. */
  readonly pair: PairTexts | null;
  /** Milliseconds between two previews; null for none. */
  readonly previewMs?: number | null;
}
export interface Drawn extends PictureSize {
  readonly file: string;
  readonly seed: number;
  /** Calls of the UNet. */
  readonly calls: number;
  readonly seconds: number;
  /** Words that the text encoder does not read, or null. */
  readonly truncated: string | null;
  /** The same of the negative prompt. */
  readonly truncatedNegative?: string | null;
  /** The embeddings that stand in the prompt or the negative prompt; none if absent. */
  readonly embeddings?: readonly UsedEmbedding[];
  /** The model and the LoRAs that drew it. */
  readonly models?: readonly UsedModel[];
  readonly notes: readonly PictureNote[];
  /** Judgement of the picture's pixels by the judges loaded with the model; `UNJUDGED` if there are none. */
  readonly judgement: PictureJudgement;
}

/** Judges an existing picture: one copied from another job, drawn without judges, or attached by a person. */
export interface JudgeRequest {
  /** Absolute path of the picture. */
  readonly file: string;
  /** Null for a picture that was drawn from no prompt here: nothing is known of it, and only its safety is asked. */
  readonly plainPrompt: string | null;
}

/** Reads the prompts of the pictures that are judged next, all at once: the text tower is then loaded once for all. */
export interface ReadTextsRequest {
  readonly texts: readonly string[];
}

/** Makes an existing picture larger with the upscaler. */
export interface UpscaleRequest {
  /** Absolute path of the picture. */
  readonly file: string;
  /** Absolute path of the PNG to write. */
  readonly out: string;
  /** How many times as long the sides are to be; the upscaler's own factor if absent. */
  readonly factor?: number | undefined;
  /** Longest side of a tile, in pixels of the picture. */
  readonly tile?: number | undefined;
}
export interface Upscaled extends PictureSize {
  readonly file: string;
  /** Of the picture. */
  readonly from: PictureSize;
  readonly factor: number;
  readonly seconds: number;
}

export interface ComposeRequest {
  readonly pair: PairFiles;
  readonly file: string;
}
export interface SheetRequest {
  readonly pairs: readonly PairFiles[];
  /** Each pair's number in its job, from 1. */
  readonly numbers: readonly number[];
  readonly file: string;
}

/**
 * The calls that a worker answers. Composing pictures needs only sharp, which the image worker has anyway.
 */
export interface WorkerCalls {
  optimize: { request: OptimizeRequest; response: readonly Rewrite[] };
  draw: { request: DrawRequest; response: Drawn };
  judge: { request: JudgeRequest; response: PictureJudgement };
  readTexts: { request: ReadTextsRequest; response: number };
  upscale: { request: UpscaleRequest; response: Upscaled };
  compose: { request: ComposeRequest; response: PictureSize };
  sheet: { request: SheetRequest; response: PictureSize };
  grid: { request: GridRequest; response: PictureSize };
}
export type CallName = keyof WorkerCalls;

export type ToWorker =
  | { readonly type: "open"; readonly spec: WorkerSpec }
  | { readonly type: "call"; readonly id: number; readonly name: CallName; readonly request: unknown }
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "close" };

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Of an InputError. */
  readonly context: ErrorContext;
  readonly stack: string | undefined;
}

export type FromWorker =
  /** The device is open, but the model is not loaded yet. */
  | { readonly type: "device"; readonly name: string }
  | { readonly type: "ready"; readonly info: WorkerInfo }
  | { readonly type: "failed"; readonly error: WireError }
  | { readonly type: "progress"; readonly id: number; readonly done: number; readonly of: number }
  /** A preview as a small WebP. */
  | { readonly type: "preview"; readonly id: number; readonly data: Uint8Array }
  | { readonly type: "result"; readonly id: number; readonly response: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: WireError }
  /** All calls are answered; the process ends when its model is released. */
  | { readonly type: "closed"; readonly peakBytes: number };
