import { InputError } from "../core/errors.js";
import { type OfferedModels, offeredName, ownAsEmpty, readLoras } from "../core/known-models.js";
import {
  DEFAULT_SIDES,
  type OwnOptions,
  PROMPT_MODES,
  type PromptMode,
  SCHEDULER_NAMES,
  SCHEDULERS,
  type SchedulerName,
  SIDE_MULTIPLE,
  SPEEDS,
  type Speed,
} from "../core/options.js";
import { nameOfStyle, rewriterNamed, styleIn } from "../core/rewriters.js";
import { PRESETS, STYLE_MAX, type Style, styleNamed } from "../core/styles.js";
import { cleanPrompt } from "./clean-prompt.js";

/** What files, other programs and people call a row's columns, keys and options, without case and spaces. */
const ALIASES = {
  prompt: [
    "prompt",
    "original",
    "prompts",
    "positive_prompt",
    "positive",
    "text_prompt",
    "prompt_text",
    "text",
    "caption",
    "captions",
    "description",
  ],
  optimized: ["optimized", "optimized_prompt", "rewrite"],
  negative: ["negative", "negative_prompt", "negativeprompt", "negatives", "neg_prompt", "neg", "no", "uc"],
  seed: ["seed", "noise_seed"],
  steps: ["steps", "step", "num_inference_steps", "sampling_steps", "inference_steps", "ddim_steps"],
  guidance: ["guidance", "cfg", "cfg_scale", "cfgscale", "guidance_scale"],
  scheduler: ["scheduler", "sampler", "sampler_name", "sampling_method"],
  schedule: ["schedule_type", "schedule"],
  mode: ["prompt_mode", "prompts_mode", "prompt_weighting", "emphasis"],
  width: ["width", "w"],
  height: ["height", "h"],
  size: ["size", "resolution", "dimensions"],
  aspect: ["ar", "aspect", "aspect_ratio"],
  speed: ["speed"],
  model: ["model", "checkpoint", "sd_model", "model_name"],
  lora: ["lora", "loras"],
  style: ["style"],
  stylePrompt: ["style_prompt"],
  styleNegative: ["style_negative"],
  rewriter: ["rewriter", "prompt_rewriter"],
  against: ["against"],
  againstText: ["against_text"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type FieldName = keyof typeof ALIASES;
export type OptionName = Exclude<FieldName, "prompt" | "optimized">;

/** A value as a file has it, and what the file calls it. */
export interface Given {
  readonly as: string;
  readonly value: unknown;
}
export type GivenOptions = Partial<Record<OptionName, Given>>;

const FIELDS: ReadonlyMap<string, { readonly field: FieldName; readonly rank: number }> = new Map(
  Object.entries(ALIASES).flatMap(([field, names]) =>
    names.map((name, rank) => [name, { field: field as FieldName, rank }] as const),
  ),
);

/** The field that a column, key or option names; null for one that is not read. */
export const fieldOf = (name: string): FieldName | null => FIELDS.get(plainName(name))?.field ?? null;

const plainName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, "_");

/**
 * Which of these names gives each field, by their positions: the best name where several fit. A `scheduler`
 * beside a `sampler` is ComfyUI's word for the schedule, and `prompts` beside a prompt our own for how it is read;
 * `isBesidePrompt` says so where the prompt has no name among these.
 */
export function positionsOf(
  names: readonly string[],
  isBesidePrompt?: boolean,
): Partial<Record<FieldName, number>> {
  const positions: Partial<Record<FieldName, number>> = {};
  const plain = names.map(plainName);
  const sampler = plain.findIndex((name) => name === "sampler" || name === "sampler_name");
  const hasPrompt = isBesidePrompt ?? (plain.includes("prompt") || plain.includes("original"));
  for (const [at, name] of plain.entries()) {
    const found = FIELDS.get(name);
    if (found === undefined) continue;
    const field =
      name === "scheduler" && sampler !== -1
        ? "schedule"
        : name === "prompts" && hasPrompt
          ? "mode"
          : found.field;
    const taken = positions[field];
    if (taken === undefined || (FIELDS.get(plain[taken]!)?.rank ?? 0) > found.rank) positions[field] = at;
  }
  return positions;
}

/** Options of a row that were read. */
export interface RowOptions {
  readonly seed?: number;
  readonly image?: OwnOptions;
  /** What is to rewrite the prompt, by name. */
  readonly rewriter?: string;
  /** What writes the other side in place of the prompt as written, by name. */
  readonly against?: string;
  /** Its text as the file has it, still unchecked. */
  readonly againstText?: string;
  /** What was given and not understood, as sentences without a full stop; the row is drawn without it. */
  readonly unread: readonly string[];
}

/**
 * Reads the options of a row: `problem` says which one can't be read. The caller checks the ranges. `side`:
 * pixels of the checkpoint's own side, for an aspect ratio and for a width without a height. `styles`: those that a
 * name may mean. `offered`: the models and LoRAs that a row may name; none if it is left out.
 */
export function readOptions(
  given: GivenOptions,
  side: number = DEFAULT_SIDES.own,
  styles: readonly Style[] = PRESETS,
  offered?: OfferedModels,
): RowOptions | { readonly problem: string } {
  const unread: string[] = [];
  const problems: string[] = [];
  const bad = (name: OptionName, what: string): undefined => {
    problems.push(`\`${shown(given[name]?.as ?? name)}\` is not ${what}`);
    return undefined;
  };
  const numberOf = (name: OptionName, whole: boolean): number | undefined => {
    const value = present(given[name]);
    if (value === undefined) return undefined;
    const parsed = parseNumber(value);
    const fits = parsed !== null && parsed >= 0 && (!whole || Number.isSafeInteger(parsed));
    return fits ? parsed : bad(name, whole ? "a whole number from 0 on" : "a number from 0 on");
  };
  const seedValue = present(given.seed);
  const seed = seedValue === undefined ? null : parseSeed(seedValue);
  if (seed === "rounded")
    unread.push(`the seed ${shown(seedValue)} was rounded by a spreadsheet, so any seed is taken`);
  else if (seed === "unreadable") bad("seed", "a whole number");
  const steps = numberOf("steps", true);
  const guidance = numberOf("guidance", false);
  const scheduler = readScheduler(given, unread);
  const prompts = readMode(given, unread);
  const speed = readSpeed(given, unread);
  const style = readStyle(given, styles, unread);
  const rewriter = readRewriter(given.rewriter, styles, unread);
  const against = readRewriter(given.against, styles, unread);
  const againstText = against === null ? undefined : present(given.againstText);
  const models = readModels(given, offered, unread);
  const negative = present(given.negative);
  if (negative !== undefined && typeof negative !== "string") bad("negative", "a text");
  const size = readSides(given, side, numberOf, bad);
  const [problem] = problems;
  if (problem !== undefined) return { problem };
  const image: OwnOptions = {
    ...(steps === undefined ? {} : { steps }),
    ...(guidance === undefined ? {} : { guidance }),
    ...(scheduler === null ? {} : { scheduler }),
    ...(size === undefined ? {} : { size }),
    ...(prompts === null ? {} : { prompts }),
    ...(speed === null ? {} : { speed }),
    ...(style === null ? {} : { style }),
    ...models,
    ...(typeof negative !== "string" ? {} : { negative: cleanPrompt(negative) }),
  };
  return {
    ...(typeof seed === "number" ? { seed } : {}),
    ...(Object.keys(image).length === 0 ? {} : { image }),
    ...(rewriter === null ? {} : { rewriter }),
    ...(against === null ? {} : { against }),
    ...(typeof againstText === "string" ? { againstText } : {}),
    unread,
  };
}

/** How to read the prompt; another word is told. */
function readMode({ mode }: GivenOptions, unread: string[]): PromptMode | null {
  const value = present(mode);
  if (value === undefined) return null;
  const found = PROMPT_MODES.find((it) => it === String(value).trim().toLowerCase());
  if (found === undefined)
    unread.push(`\`${shown(value)}\` is no way to read prompts here, so the usual one is taken`);
  return found ?? null;
}

/** A speed by its name; another word is told. */
function readSpeed({ speed }: GivenOptions, unread: string[]): Speed | null {
  const value = present(speed);
  if (value === undefined) return null;
  const found = SPEEDS.find((it) => it === String(value).trim().toLowerCase());
  if (found === undefined) unread.push(`\`${shown(value)}\` is no speed here, so the usual one is taken`);
  return found ?? null;
}

/**
 * A style by its name, or with the words that a report or a picture of ours has of it, whatever has become of it since.
 * An unknown one is told.
 */
function readStyle(
  { style, stylePrompt, styleNegative }: GivenOptions,
  styles: readonly Style[],
  unread: string[],
): Style | null {
  const value = present(style);
  const whole = typeof value === "object" ? styleOf({ ...value }) : null;
  if (whole !== null) return whole;
  if (typeof value !== "string") return null;
  const words = { prompt: present(stylePrompt) ?? "", negative: present(styleNegative) ?? "" };
  const own = words.prompt === "" && words.negative === "" ? null : styleOf({ name: value, ...words });
  const found = own ?? styleNamed(value, styles) ?? null;
  if (found === null) unread.push(`there is no style \`${shown(value)}\` here, so it is drawn without`);
  return found;
}

/** A rewriter, or a style in its place; `none` is one too. An unknown one is told. */
function readRewriter(
  { value }: Partial<Given> = {},
  styles: readonly Style[],
  unread: string[],
): string | null {
  if (typeof value !== "string" || value.trim() === "") return null;
  const style = styleIn(value);
  const known = style === null ? rewriterNamed(value) : styleNamed(style, styles) && nameOfStyle(style);
  if (known === undefined)
    unread.push(`there is no rewriter \`${shown(value)}\` here, so the usual one is taken`);
  return known ?? null;
}

/** The model and LoRAs of a row by their names, as our reports have them. An unknown one is told. */
function readModels(
  { model, lora }: GivenOptions,
  offered: OfferedModels | undefined,
  unread: string[],
): Pick<OwnOptions, "model" | "loras"> {
  const read = <T>(given: Given | undefined, find: (name: string, offered: OfferedModels) => T): T | null => {
    const value = present(given);
    // The JSON of a picture of ours has files with hashes there.
    if (given === undefined || typeof value !== "string") return null;
    if (offered === undefined) {
      unread.push(`\`${shown(given.as)}\` is not read`);
      return null;
    }
    try {
      return find(value, offered);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      unread.push(`\`${shown(given.as)}: ${shown(value)}\` can't be used here, so it is drawn without`);
      return null;
    }
  };
  const name = read(model, (name, known) => ownAsEmpty(offeredName(name, "model", known), known));
  const loras = read(lora, (names, known) => readLoras(names, 1, known));
  return { ...(name === null ? {} : { model: name }), ...(loras === null ? {} : { loras }) };
}

/** A style from values of a file; null where they are none. */
function styleOf({ name, prompt, negative }: Readonly<Record<string, unknown>>): Style | null {
  if (typeof name !== "string" || typeof prompt !== "string" || typeof negative !== "string") return null;
  if (Math.max(prompt.length, negative.length) > STYLE_MAX.words || name.length > STYLE_MAX.name) return null;
  return { name: cleanPrompt(name), prompt: cleanPrompt(prompt), negative: cleanPrompt(negative) };
}

type Size = { readonly width: number; readonly height: number };

function readSides(
  given: GivenOptions,
  side: number,
  numberOf: (name: OptionName, whole: boolean) => number | undefined,
  bad: (name: OptionName, what: string) => undefined,
): Size | undefined {
  const [width, height] = [numberOf("width", true), numberOf("height", true)];
  if (width !== undefined || height !== undefined) return { width: width ?? side, height: height ?? side };
  const size = present(given.size);
  if (size !== undefined) {
    const [, w, h] = /^\s*(\d{1,5})\s*[x×*]\s*(\d{1,5})\s*$/i.exec(String(size)) ?? [];
    return w === undefined ? bad("size", "a size such as 512x768") : { width: Number(w), height: Number(h) };
  }
  const aspect = present(given.aspect);
  if (aspect === undefined) return undefined;
  const [, w = "", h = ""] =
    /^\s*(\d{1,4}(?:\.\d{1,4})?)\s*[:/x]\s*(\d{1,4}(?:\.\d{1,4})?)\s*$/i.exec(String(aspect)) ?? [];
  const ratio = Number(w) / Number(h);
  if (w === "" || !(ratio >= 1 / ASPECT_MAX && ratio <= ASPECT_MAX))
    return bad("aspect", `an aspect such as 16:9, at most ${ASPECT_MAX}:1`);
  // As many pixels as the checkpoint's own picture has.
  const rounded = (pixels: number) => SIDE_MULTIPLE * Math.round(pixels / SIDE_MULTIPLE);
  return { width: rounded(side * Math.sqrt(ratio)), height: rounded(side / Math.sqrt(ratio)) };
}
const ASPECT_MAX = 4;

// --- values ---

const BLANKS: ReadonlySet<string> = new Set(["", "none", "null", "nan", "n/a", "-", "default", "auto"]);

/** The value, or undefined where a cell is empty or says that there is none. */
function present(given: Given | undefined): unknown {
  const value = given?.value;
  if (value === null || value === undefined || Number.isNaN(value)) return undefined;
  return typeof value === "string" && BLANKS.has(value.trim().toLowerCase()) ? undefined : value;
}

/** A number, or a text that is one; a comma may stand for the point. */
function parseNumber(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string" || !NUMBER.test(value.trim())) return null;
  return Number(value.trim().replace(",", "."));
}
const NUMBER = /^[+-]?(?:\d{1,30}(?:[.,]\d{0,30})?|[.,]\d{1,30})(?:e[+-]?\d{1,3})?$/i;

const ANY_SEED: ReadonlySet<string> = new Set(["-1", "any", "random", "rand"]);

/**
 * A seed, or null for "any". Of one beyond what a number holds exactly, and of a negative one, the low 32
 * bits are taken: torch's generator uses no others (`manual_seed`), so the picture is the same.
 */
function parseSeed(value: unknown): number | null | "rounded" | "unreadable" {
  const text = String(value).trim().toLowerCase();
  if (typeof value !== "string" && typeof value !== "number") return "unreadable";
  if (ANY_SEED.has(text.replace(/[.,]0*$/, ""))) return null;
  const [, digits] = /^\+?(-?\d{1,40})(?:[.,]0*)?$/.exec(text) ?? [];
  if (digits === undefined) {
    const parsed = parseNumber(value);
    if (parsed === null || !Number.isInteger(parsed)) return "unreadable";
    return Number.isSafeInteger(parsed) && parsed >= 0 && !/e/.test(text) ? parsed : "rounded";
  }
  const whole = Number(digits);
  return Number.isSafeInteger(whole) && whole >= 0 ? whole : Number(BigInt.asUintN(32, BigInt(digits)));
}

// --- samplers ---

const plainSampler = (name: string): string =>
  name
    .toLowerCase()
    .replace(/scheduler$/, "")
    .replace(/^(?:k|sample)[\s_-]+/, "")
    .replace(/[^a-z0-9+]/g, "")
    .replace("dpmpp", "dpm++");

/** Names in other programs, beside ours, diffusers' and A1111's. */
const OTHER_SAMPLERS: Readonly<Record<string, SchedulerName>> = {
  plms: "pndm",
  eulera: "euler-ancestral",
  dpmsolver: "dpm++2m",
  "dpmsolver++": "dpm++2m",
  dpmsolvermultistep: "dpm++2m",
  // DiffusionDB's numbers.
  "1": "ddim",
  "2": "pndm",
  "3": "euler",
  "4": "euler-ancestral",
};
/** Their class means the scheduler without that setting. */
const VARIANTS: ReadonlySet<SchedulerName> = new Set(["dpm++2m-karras", "ddim-trailing"]);
const SAMPLERS: ReadonlyMap<string, SchedulerName> = new Map([
  ...SCHEDULERS.flatMap((name) =>
    [
      name,
      SCHEDULER_NAMES[name].sampler,
      ...(VARIANTS.has(name) ? [] : [SCHEDULER_NAMES[name].className]),
    ].map((known) => [plainSampler(known), name] as const),
  ),
  ...Object.entries(OTHER_SAMPLERS),
]);
/** Schedules that say nothing beyond the sampler. */
const PLAIN_SCHEDULES: ReadonlySet<string> = new Set(["automatic", "normal", "simple", "uniform", "auto"]);

/** The scheduler that a sampler and a schedule mean. An unknown one is noted, and the usual one is taken. */
function readScheduler(given: GivenOptions, unread: string[]): SchedulerName | null {
  const sampler = present(given.scheduler);
  const schedule = present(given.schedule);
  let found: SchedulerName | null = null;
  if (sampler !== undefined) {
    found = SAMPLERS.get(plainSampler(String(sampler))) ?? null;
    if (found === null)
      unread.push(`\`${shown(sampler)}\` is not a sampler of ours, so the usual one is taken`);
  }
  if (schedule === undefined || PLAIN_SCHEDULES.has(plainSampler(String(schedule)))) return found;
  const asSampler = SAMPLERS.get(plainSampler(String(schedule))) ?? null;
  if (sampler === undefined && asSampler !== null) return asSampler;
  const both = sampler === undefined ? undefined : SAMPLERS.get(plainSampler(`${sampler} ${schedule}`));
  if (both !== undefined) return both;
  if (!(plainSampler(String(schedule)) === "karras" && found === "dpm++2m-karras"))
    unread.push(`the schedule \`${shown(schedule)}\` is not read`);
  return found;
}

const SHOWN_MAX = 40;

/** A value of a file as a message may name it: short, and without marks of its own. */
export function shown(value: unknown): string {
  const text = cleanPrompt(String(value)).replaceAll("`", "'");
  return [...text.slice(0, 2 * SHOWN_MAX)].length > SHOWN_MAX
    ? `${[...text].slice(0, SHOWN_MAX).join("")}…`
    : text;
}
