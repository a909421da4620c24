import { randomInt } from "node:crypto";

/**
 * Every option of a job and every limit that people may set, each stated once: what it may be, and what it is where
 * nobody says. The environment, the command line, slash commands, `/settings`, batch files and the pipeline read it
 * here, so that no two of them disagree.
 */

/** A number from `min` to `max`, both included. */
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
 * prompt (transformers since about 4.36), `hf4` counts the prompt and not the end token (4.23, Promptist's own era).
 */
export const LENGTH_RULES = ["hf5", "hf4"] as const;
export type LengthRule = (typeof LENGTH_RULES)[number];

/** How Promptist searches for a rewrite. */
export interface TextOptions {
  readonly mode: SearchMode;
  readonly beams: number;
  readonly maxNewTokens: number;
  readonly lengthPenalty: number;
  readonly lengthRule: LengthRule;
  readonly repetitionPenalty: number;
  readonly temperature: number;
  /** 0 switches the filter off. */
  readonly topK: number;
  readonly topP: number;
  /** Seeds the sampling; the other modes draw nothing. */
  readonly seed: number;
}

/** Those of Microsoft's demo (LMOps, promptist/README.md). */
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
  /** More than any vocabulary of GPT-2's has. */
  topK: whole(0, 100_000),
  topP: real(0.01, 1),
} as const;

/** The schedulers: diffusers' class of each, and what Stable Diffusion user interfaces call it. */
export const SCHEDULER_NAMES = {
  pndm: { className: "PNDMScheduler", sampler: "PLMS" },
  ddim: { className: "DDIMScheduler", sampler: "DDIM" },
  euler: { className: "EulerDiscreteScheduler", sampler: "Euler" },
  "euler-ancestral": { className: "EulerAncestralDiscreteScheduler", sampler: "Euler a" },
  "dpm++2m": { className: "DPMSolverMultistepScheduler", sampler: "DPM++ 2M" },
  "dpm++2m-karras": { className: "DPMSolverMultistepScheduler", sampler: "DPM++ 2M Karras" },
  lcm: { className: "LCMScheduler", sampler: "LCM" },
} as const satisfies Record<string, { readonly className: string; readonly sampler: string }>;
export type SchedulerName = keyof typeof SCHEDULER_NAMES;
export const SCHEDULERS = Object.keys(SCHEDULER_NAMES) as readonly string[] as readonly [
  SchedulerName,
  ...SchedulerName[],
];

/** How a picture is drawn. `size` null means the checkpoint's native size (512x512 for Stable Diffusion 1.5). */
export interface ImageOptions {
  /** Seeds torch's CPU generator. Both pictures of a pair use it. */
  readonly seed: number;
  readonly steps: number;
  readonly guidance: number;
  readonly negative: string;
  readonly size: PictureSize | null;
  readonly scheduler: SchedulerName;
}

/** In pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Guidance has no default here: each checkpoint names its own. */
export const DEFAULT_IMAGE_OPTIONS = Object.freeze({
  steps: 50,
  negative: "",
  size: null,
  scheduler: "pndm",
}) satisfies Omit<ImageOptions, "seed" | "guidance">;

export const IMAGE_RANGES = {
  /** As many as Discord's INTEGER option and a JavaScript number hold exactly. */
  seed: whole(0, Number.MAX_SAFE_INTEGER),
  /** Denoising steps: as many as the noise schedule has. */
  steps: whole(1, 1000),
  /** 1 or less: none. */
  guidance: real(0, 50),
  /** Pixels of one side. */
  side: whole(64, 1024),
} as const;

/** Sides are multiples of it, in pixels: a latent of Stable Diffusion is 8 pixels wide. */
export const SIDE_MULTIPLE = 8;

/** Reads `WIDTHxHEIGHT`; null for anything else, and for sides that no checkpoint draws. */
export function parseSize(text: string): PictureSize | null {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(text.trim())?.map(Number) ?? [];
  if (width === undefined || height === undefined) return null;
  const fits = (side: number) => isInRange(side, IMAGE_RANGES.side) && side % SIDE_MULTIPLE === 0;
  return fits(width) && fits(height) ? { width, height } : null;
}

export const showSize = ({ width, height }: PictureSize): string => `${width}x${height}`;

/** Seeds that the program picks itself: torch uses the low 32 bits, and more digits are harder to read out. */
export const randomSeed = (): number => randomInt(2 ** 32);

/** What whoever runs the program, and within that whoever manages a server, may limit. */
export const LIMIT_RANGES = {
  /** Characters (code points) of a prompt: as many as Discord's text options take. */
  promptLength: whole(1, 6000),
  steps: IMAGE_RANGES.steps,
  /** Prompts of one batch file. */
  batch: whole(1, 1000),
  /** Pairs of one comparison. */
  pairs: whole(1, 25),
  /** Open jobs, or jobs in line, of a person, a channel or a server. */
  jobs: whole(1, 10_000),
} as const;

export const DEFAULT_LIMITS = Object.freeze({ promptLength: 1000, steps: 100, batch: 100, pairs: 4 });

/** Bounds of a text that is stored with a setting, in characters. */
export const SETTING_TEXT_MAX = 1000;

/** A rewrite repeats its prompt and adds to it, so it may be longer by this factor. */
export const REWRITE_LENGTH_FACTOR = 2;

/** Where models run; `auto` takes the GPU if one opens. */
export const DEVICES = ["auto", "cpu", "webgpu", "cuda", "dml", "coreml"] as const;
export type DeviceName = (typeof DEVICES)[number];

/** Arithmetic of Stable Diffusion; `auto` is fp16 on a GPU and fp32 on the CPU. */
export const PRECISIONS = ["auto", "fp16", "fp32"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Weights of Promptist. */
export const TEXT_WEIGHTS = ["int8", "fp32"] as const;
export type TextWeights = (typeof TEXT_WEIGHTS)[number];
