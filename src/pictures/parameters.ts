import {
  type DecoderName,
  type PictureSize,
  type PromptMode,
  promptModeOf,
  SCHEDULER_NAMES,
  type SchedulerName,
  type Speed,
  showSize,
} from "../core/options.js";
import type { Side } from "../core/side.js";
import type { Style, Styled } from "../core/styles.js";

/** A file that a picture was drawn with. */
export interface UsedFile {
  /** As other programs name it. */
  readonly name: string;
  /** In hexadecimal, as long as other programs show it or longer; null where it is not known. */
  readonly hash: string | null;
}

/** The weights that a picture was drawn with, as other programs know them. */
export interface UsedModels {
  /** The hash is the SHA-256 of the single file, or of a folder's UNet. */
  readonly model: UsedFile;
  /** A VAE in place of the model's own. */
  readonly vae: UsedFile | null;
  /** What made the picture of its latents; the VAE if absent. */
  readonly decoder?: DecoderName;
  /** Last layers of the text encoder that were left out. */
  readonly clipSkip: number;
  readonly loras: readonly (UsedFile & { readonly weight: number; readonly blocks?: readonly number[] })[];
  /** The textual inversions that stand in the prompts. */
  readonly embeddings: readonly UsedFile[];
}

/** Of which pair a picture is. */
export interface PairTexts {
  readonly side: Side;
  readonly original: string;
  readonly rewrite: string;
  /** Who wrote the rewrite, by name; null or absent where it is a person's or a file's own words. */
  readonly rewriter?: string | null;
  /** True if the rewriter was held to the prompt's own words. */
  readonly kept?: boolean;
  /** Of a pair of two rewriters: who wrote the text of its baseline, and that text; absent for the prompt as written. */
  readonly against?: { readonly rewriter: string; readonly rewrite: string };
}

/** Everything needed to draw a picture again. */
export interface PictureParameters {
  /** As it was drawn, with the words of a style. */
  readonly prompt: string;
  readonly negative: string;
  /** The style, and both prompts without it; absent where there is none. */
  readonly style?: Style;
  readonly plain?: Styled;
  readonly seed: number;
  readonly steps: number;
  readonly guidance: number;
  readonly scheduler: SchedulerName;
  readonly prompts?: PromptMode;
  readonly speed?: Speed;
  readonly size: PictureSize;
  /**
   * How much was drawn anew of the picture that it goes on from, and the SHA-256 of that one's file; null or absent
   * where it begins with noise.
   */
  readonly from?: {
    readonly strength: number;
    readonly sha256: string;
    /** How many times as long its sides were made first, and by which upscaler. */
    readonly enlarged?: { readonly times: number; readonly upscaler: string };
  } | null;
  /** Name of the checkpoint, with what was added to it. */
  readonly checkpoint: string;
  readonly models: UsedModels;
  readonly pair: PairTexts | null;
  /** Name and version of the program, such as "promptist 0.1.0". */
  readonly program: string;
}

/** Version of the JSON under `promptist`: it grows where a key changes its meaning. */
export const OWN_VERSION = 1;
/** Characters of a text that a picture carries; a prompt has 6000 at most. */
const TEXT_MAX = 2 ** 15;

/** The value of the text key `promptist`: all that decides how a picture looks. */
export function ownJson({ models, pair, size, from = null, ...parameters }: PictureParameters): string {
  const { prompt, negative, seed, steps, guidance, scheduler, speed, checkpoint, program, style, plain } =
    parameters;
  return JSON.stringify({
    version: OWN_VERSION,
    program,
    prompt: bounded(prompt),
    negative: bounded(negative),
    seed,
    steps,
    guidance,
    scheduler,
    prompts: promptModeOf(parameters),
    ...(speed === undefined ? {} : { speed }),
    size: showSize(size),
    ...(from === null ? {} : { from }),
    ...(style === undefined || plain === undefined ? {} : { style, plain: boundedBoth(plain) }),
    checkpoint,
    ...models,
    ...pairJson(pair),
  });
}

/** The same with the texts of another pair, or of none; null where it is no picture of ours. */
export function withPair(json: string, pair: PairTexts | null): string | null {
  const own = parseOwn(json);
  if (own === null) return null;
  const { against: _, ...others } = own;
  return JSON.stringify({ ...others, ...pairJson(pair) });
}

/** The JSON under `promptist` as an object; null where it is none, or a later version's. */
export function parseOwn(json: string): Readonly<Record<string, unknown>> | null {
  try {
    const own = JSON.parse(json) as unknown;
    return typeof own === "object" && own !== null && "version" in own && own.version === OWN_VERSION
      ? (own as Readonly<Record<string, unknown>>)
      : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const pairJson = (pair: PairTexts | null) => ({
  side: pair?.side ?? null,
  original: pair === null ? null : bounded(pair.original),
  rewrite: pair === null ? null : bounded(pair.rewrite),
  rewriter: pair?.rewriter ?? null,
  ...(pair?.kept === true ? { kept: true } : {}),
  ...(pair?.against === undefined
    ? {}
    : { against: { rewriter: pair.against.rewriter, rewrite: bounded(pair.against.rewrite) } }),
});

const boundedBoth = ({ prompt, negative }: Styled): Styled => ({
  prompt: bounded(prompt),
  negative: bounded(negative),
});

const bounded = (text: string): string => text.slice(0, TEXT_MAX);

/**
 * The text that A1111 writes and other programs and sites read: the prompts, then all parameters on one line, in
 * A1111's order (`create_infotext` in its modules/processing.py).
 */
export function parametersText(parameters: PictureParameters): string {
  const { negative, seed, steps, guidance, scheduler, speed, size, models, program } = parameters;
  const { model, vae, decoder = "vae", clipSkip, loras, embeddings } = models;
  const mode = promptModeOf(parameters);
  const settings: Readonly<Record<string, string | number | null>> = {
    Steps: steps,
    Sampler: SCHEDULER_NAMES[scheduler].sampler,
    "CFG scale": guidance,
    Seed: seed,
    Size: showSize(size),
    Speed: speed === undefined || speed === "full" ? null : speed,
    "Prompt mode": mode === "diffusers" ? null : mode,
    "Model hash": short(model.hash, MODEL_DIGITS),
    Model: model.name,
    "VAE hash": short(vae?.hash ?? null, MODEL_DIGITS),
    VAE: vae?.name ?? null,
    "VAE Decoder": decoder === "taesd" ? "TAESD" : null,
    "Denoising strength": parameters.from?.strength ?? null,
    "Hires upscale": parameters.from?.enlarged?.times ?? null,
    "Hires upscaler": parameters.from?.enlarged?.upscaler ?? null,
    "Source hash": short(parameters.from?.sha256 ?? null, MODEL_DIGITS),
    // A1111 counts from the last layer, which is 1.
    "Clip skip": clipSkip === 0 ? null : clipSkip + 1,
    // The noise is torch's from the CPU; A1111 takes the GPU's unless told so.
    RNG: "CPU",
    "Lora hashes": hashList(loras),
    "TI hashes": hashList(embeddings),
    // Not a bare version: A1111 would take it for one of its own and behave as that did.
    Version: program,
  };
  const line = Object.entries(settings)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${quoted(String(value))}`)
    .join(", ");
  // A1111 knows the LoRAs of a picture by their names in its prompt.
  const prompt = [
    parameters.prompt,
    ...loras.map(({ name, weight }) => `<lora:${listed(name)}:${weight}>`),
  ].join(" ");
  return [bounded(prompt), ...(negative === "" ? [] : [`Negative prompt: ${bounded(negative)}`]), line].join(
    "\n",
  );
}

/** Digits that A1111 shows of a model's or VAE's SHA-256, and of the hash of a LoRA or an embedding. */
const MODEL_DIGITS = 10;
const ADDITION_DIGITS = 12;

const short = (hash: string | null, digits: number): string | null => hash?.slice(0, digits) ?? null;

/** `name: hash, name: hash`; null for an empty list. */
function hashList(files: readonly UsedFile[]): string | null {
  const known = files.filter(({ hash }) => hash !== null);
  if (known.length === 0) return null;
  return known.map(({ name, hash }) => `${listed(name)}: ${short(hash, ADDITION_DIGITS)}`).join(", ");
}

/** A name without what separates a list or ends a mention in the prompt. */
const listed = (name: string): string => name.replace(/[,:<>"\r\n]/g, "");

/** Quotes values that contain the line's own separators. */
const quoted = (value: string): string => (/[,:\n"]/.test(value) ? JSON.stringify(value) : value);
