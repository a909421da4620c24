import { randomInt } from "node:crypto";
import type { From } from "./source.js";
import type { Style } from "./styles.js";

/**
 * Every option of a job and every limit that people may set, each defined once: its range or choices, and its
 * default. The environment, the command line, slash commands, `/settings`, batch files and the pipeline all
 * read it here, so they cannot disagree.
 */

/** A number from `min` to `max`, inclusive. */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

const whole = (min: number, max: number): Range => ({ min, max, whole: true });
const real = (min: number, max: number): Range => ({ min, max, whole: false });

export const isInRange = (value: number, { min, max, whole }: Range): boolean =>
  value >= min && value <= max && (!whole || Number.isSafeInteger(value));

export const SEARCH_MODES = ["beam", "greedy", "sample"] as const;
export type SearchMode = (typeof SEARCH_MODES)[number];

/**
 * How a hypothesis' length enters its score: `hf5` counts generated tokens with the end token and without the
 * prompt (transformers since about 4.36), `hf4` counts the prompt and not the end token (4.23, Promptist's
 * own era).
 */
export const LENGTH_RULES = ["hf5", "hf4"] as const;
export type LengthRule = (typeof LENGTH_RULES)[number];

/** Which rewriter makes a rewrite, and how it searches. */
export interface TextOptions {
  /** By name (core/rewriters.ts); absent in jobs from before there was a choice: Promptist. */
  readonly rewriter?: string;
  readonly mode: SearchMode;
  readonly beams: number;
  readonly maxNewTokens: number;
  readonly lengthPenalty: number;
  readonly lengthRule: LengthRule;
  readonly repetitionPenalty: number;
  readonly temperature: number;
  /** 0 turns the filter off. */
  readonly topK: number;
  readonly topP: number;
  /** Seeds the sampling; the other modes use no random numbers. */
  readonly seed: number;
}

/** The defaults of Microsoft's demo (LMOps, promptist/README.md). */
export const DEFAULT_TEXT_OPTIONS: TextOptions = Object.freeze({
  mode: "beam",
  beams: 8,
  maxNewTokens: 75,
  lengthPenalty: -1,
  lengthRule: "hf5",
  repetitionPenalty: 1,
  temperature: 1,
  topK: 50,
  topP: 1,
  seed: 0,
});

export const TEXT_RANGES = {
  beams: whole(1, 32),
  /** Tokens. */
  maxNewTokens: whole(1, 512),
  lengthPenalty: real(-10, 10),
  repetitionPenalty: real(0.1, 10),
  temperature: real(0.01, 10),
  /** Larger than the vocabulary of any GPT-2. */
  topK: whole(0, 100_000),
  topP: real(0.01, 1),
} as const;

/** Schedulers: diffusers' class, and the name in Stable Diffusion user interfaces. */
export const SCHEDULER_NAMES = {
  pndm: { className: "PNDMScheduler", sampler: "PLMS" },
  ddim: { className: "DDIMScheduler", sampler: "DDIM" },
  "ddim-trailing": { className: "DDIMScheduler", sampler: "DDIM trailing" },
  euler: { className: "EulerDiscreteScheduler", sampler: "Euler" },
  "euler-ancestral": { className: "EulerAncestralDiscreteScheduler", sampler: "Euler a" },
  "dpm++2m": { className: "DPMSolverMultistepScheduler", sampler: "DPM++ 2M" },
  "dpm++2m-karras": { className: "DPMSolverMultistepScheduler", sampler: "DPM++ 2M Karras" },
  lcm: { className: "LCMScheduler", sampler: "LCM" },
  tcd: { className: "TCDScheduler", sampler: "TCD" },
} as const satisfies Record<string, { readonly className: string; readonly sampler: string }>;
export type SchedulerName = keyof typeof SCHEDULER_NAMES;
export const SCHEDULERS = Object.keys(SCHEDULER_NAMES) as readonly string[] as readonly [
  SchedulerName,
  ...SchedulerName[],
];

/** How much of a picture to go on from is drawn anew; 1: all of it. */
export const STRENGTH_RANGE: Range = real(0.01, 1);
/** As diffusers' img2img. */
export const DEFAULT_STRENGTH = 0.8;
/** How many times as long a picture's sides become before it is drawn over (A1111's hires fix). */
export const ENLARGE_RANGE: Range = real(1, 4);
/** Those that a menu offers. */
export const ENLARGE_FACTORS = [1.5, 2] as const;
/** How much of an enlarged picture is drawn anew: details, and none of its composition. */
export const ENLARGE_STRENGTH = 0.35;
/** Longest side of what is drawn over, in pixels. */
export const ENLARGED_SIDE_MAX = 2048;
/** Of the buttons that vary a result. */
export const VARY_STRENGTHS = Object.freeze({ small: 0.4, large: 0.7 });
export type Variation = keyof typeof VARY_STRENGTHS;

/**
 * How prompts are read: `diffusers` cuts them after one window of the text encoder and takes brackets as words;
 * `weighted` reads marks (core/emphasis.ts) and prompts of any length.
 */
export const PROMPT_MODES = ["diffusers", "weighted"] as const;
export type PromptMode = (typeof PROMPT_MODES)[number];

/** One choice that stands for a scheduler, its steps, the guidance and a LoRA (core/speeds.ts). */
export const SPEEDS = ["full", "fast", "turbo"] as const;
export type Speed = (typeof SPEEDS)[number];
/** diffusers' own picture. */
export const DEFAULT_SPEED: Speed = "full";

/** A LoRA to merge, by a name that `checkpoints list` tells, and how strongly (LORA_WEIGHT_RANGE). */
export interface NamedLora {
  readonly name: string;
  readonly strength: number;
}

/** How to draw a picture. `size` null means the checkpoint's own (512x512 for Stable Diffusion 1.5). */
export interface ImageOptions {
  /** Seeds torch's CPU generator. Both pictures of a pair use the same seed. */
  readonly seed: number;
  readonly steps: number;
  readonly guidance: number;
  readonly negative: string;
  readonly size: PictureSize | null;
  readonly scheduler: SchedulerName;
  /** Absent in jobs from before there was a choice: `diffusers`. */
  readonly prompts?: PromptMode;
  /** The checkpoint, by a name that `checkpoints list` tells; absent or empty: the configured one. */
  readonly model?: string;
  /** Merged into the model on top of what is configured, in this order, each name once; absent: none. */
  readonly loras?: readonly NamedLora[];
  /** Absent where the pictures begin with noise. */
  readonly from?: From;
  /** The style whose words stand around the prompt and the negative prompt when they are drawn; absent: none. */
  readonly style?: Style;
  /** What `steps`, `guidance`, `scheduler` and the first of `loras` come from; absent in jobs from before there was a choice. */
  readonly speed?: Speed;
}

export const promptModeOf = ({ prompts }: { readonly prompts?: PromptMode | undefined }): PromptMode =>
  prompts ?? "diffusers";

/** What one prompt of a batch draws with instead of its job's options; its seed is a field of its own. */
export type OwnOptions = Partial<Omit<ImageOptions, "seed">>;

/** In pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Guidance has no default here: each checkpoint has its own. */
export const DEFAULT_IMAGE_OPTIONS = Object.freeze({
  steps: 50,
  negative: "",
  size: null,
  scheduler: "pndm",
  prompts: "diffusers",
}) satisfies Omit<ImageOptions, "seed" | "guidance">;

export const IMAGE_RANGES = {
  /** The largest integer that Discord's INTEGER option and a JavaScript number hold exactly. */
  seed: whole(0, Number.MAX_SAFE_INTEGER),
  /** Denoising steps; the noise schedule has 1000. */
  steps: whole(1, 1000),
  /** 1 or less turns guidance off. */
  guidance: real(0, 50),
  /** Pixels of one side. */
  side: whole(64, 1024),
} as const;

/** How an existing picture is made larger by an upscaler. */
export const UPSCALE_RANGES = {
  /** How many times as long its sides become. */
  factor: real(1, 16),
  /** Pixels of the picture that go through the upscaler at once, along a side. */
  tile: whole(32, 4096),
} as const;

/** Of a picture that an upscaler makes: 400 MB in memory. */
export const UPSCALED_MAX_PIXELS = 2 ** 27;

/** Layers of the text encoder to leave out; the largest published one has 32. */
export const CLIP_SKIP_RANGE: Range = whole(0, 31);

/** How strongly a LoRA is merged; 1 is its full strength. */
export const LORA_WEIGHT_RANGE: Range = real(-10, 10);

/** Sides are multiples of this many pixels, because one latent of Stable Diffusion covers 8 pixels. */
export const SIDE_MULTIPLE = 8;

/** Reads `WIDTHxHEIGHT`; null for anything else and for sizes out of range. */
export function parseSize(text: string): PictureSize | null {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(text.trim())?.map(Number) ?? [];
  if (width === undefined || height === undefined) return null;
  const fits = (side: number) => isInRange(side, IMAGE_RANGES.side) && side % SIDE_MULTIPLE === 0;
  return fits(width) && fits(height) ? { width, height } : null;
}

/** Sides of pictures in pixels: the checkpoint's own, and the longest that a command may ask for. */
export interface Sides {
  readonly own: number;
  readonly max: number;
  /** Pixels of the largest picture that fits into memory; absent or null where every size does. */
  readonly mostPixels?: number | null;
}

/** Of Stable Diffusion 1.5. */
export const DEFAULT_SIDES: Sides = Object.freeze({ own: 512, max: IMAGE_RANGES.side.max });

/** Beyond this many times its own side a checkpoint is slow, and repeats its subject. */
export const SIDE_FACTOR = 2;

/**
 * The sides of a checkpoint. `max`: the operator's limit; null for twice its own. The default size of the
 * commands is always allowed.
 */
export function sidesOf(own: number, max: number | null, usual: PictureSize | null = null): Sides {
  const { side } = IMAGE_RANGES;
  const limit = max ?? Math.min(side.max, Math.max(side.min, SIDE_FACTOR * own));
  return { own, max: Math.max(limit, usual?.width ?? 0, usual?.height ?? 0) };
}

export const fitsSides = ({ width, height }: PictureSize, { max, mostPixels }: Sides): boolean =>
  Math.max(width, height) <= max && width * height <= (mostPixels ?? Number.POSITIVE_INFINITY);

export const SIZE_NAMES = ["square", "portrait", "landscape", "larger"] as const;
export type SizeName = (typeof SIZE_NAMES)[number];

/** How much longer the longer side of a named size is than the checkpoint's own. */
const LONGER = 1.5;

/** The sizes that suit a checkpoint, by name, as far as they are allowed. */
export function namedSizes(sides: Sides): Partial<Readonly<Record<SizeName, PictureSize>>> {
  const { own } = sides;
  const longer = SIDE_MULTIPLE * Math.round((LONGER * own) / SIDE_MULTIPLE);
  const all: Readonly<Record<SizeName, PictureSize>> = {
    square: { width: own, height: own },
    portrait: { width: own, height: longer },
    landscape: { width: longer, height: own },
    larger: { width: longer, height: longer },
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, size]) => fitsSides(size, sides) && parseSize(showSize(size)) !== null),
  );
}

export const showSize = ({ width, height }: PictureSize): string => `${width}x${height}`;

/**
 * A seed for when nobody gives one: torch uses only the low 32 bits, and more digits are harder to read
 * aloud.
 */
export const randomSeed = (): number => randomInt(2 ** 32);

/** Limits that the operator sets, and that a server's managers may lower. */
export const LIMIT_RANGES = {
  /** Characters (code points) of a prompt; Discord's text options take this many. */
  promptLength: whole(1, 6000),
  steps: IMAGE_RANGES.steps,
  /** Prompts of one batch file. */
  batch: whole(1, 1000),
  /** Pairs of one comparison. */
  pairs: whole(1, 25),
  /** Pictures of one grid; Discord's menus have as many choices. */
  cells: whole(1, 25),
  /** Open jobs, or jobs in line, per person, channel or server. */
  jobs: whole(1, 10_000),
  /** Minutes of the card a day, per person or server; a day has no more. */
  minutes: whole(1, 1440),
} as const;

export const DEFAULT_LIMITS = Object.freeze({
  promptLength: 1000,
  steps: 100,
  batch: 100,
  pairs: 4,
  cells: 25,
});

/** Most that a setting stores: characters of a text, roles, and refused words. */
export const SETTING_MAX = Object.freeze({ text: 1000, roles: 20, words: 200 });

/** Minutes until a blind vote is revealed; a week at most. */
export const REVEAL_MINUTES_RANGE: Range = whole(1, 7 * 24 * 60);

/** A rewrite repeats its prompt and adds to it, so it may be this many times as long. */
export const REWRITE_LENGTH_FACTOR = 2;

/** Arithmetic of Stable Diffusion; `auto` means fp16 on a GPU and fp32 on the CPU. */
export const PRECISIONS = ["auto", "fp16", "fp32"] as const;
export type Precision = (typeof PRECISIONS)[number];

/**
 * Whose rewrites are held to the prompt's own words (inference/promptist/kept.ts): those of small stand-ins for the
 * published models, all, or none.
 */
export const KEEP_PROMPTS = ["auto", "always", "never"] as const;
export type KeepPrompt = (typeof KEEP_PROMPTS)[number];

/** What makes the finished picture of its latents: the checkpoint's VAE, or TAESD, which is quick and softens details. */
export const DECODERS = ["vae", "taesd"] as const;
export type DecoderName = (typeof DECODERS)[number];

/** Weights of Promptist. */
export const TEXT_WEIGHTS = ["int8", "fp32"] as const;
export type TextWeights = (typeof TEXT_WEIGHTS)[number];
