import type { ChatInputCommandInteraction } from "discord.js";
import { codeOf, InputError } from "../../core/errors.js";
import type { FileNotes } from "../../core/file-notes.js";
import type { Grid } from "../../core/grid.js";
import {
  type EvaluationDesign,
  type JobKind,
  type Phase,
  textOptionsOf,
  unwrittenSides,
} from "../../core/job.js";
import type { OfferedModels } from "../../core/known-models.js";
import {
  DEFAULT_SIDES,
  DEFAULT_SPEED,
  IMAGE_RANGES,
  type ImageOptions,
  isInRange,
  namedSizes,
  type OwnOptions,
  type PictureSize,
  parseSize,
  type Range,
  SIDE_MULTIPLE,
  type Sides,
  type SizeName,
  type Speed,
  showSize,
  type TextOptions,
} from "../../core/options.js";
import { checkMemory } from "../../core/picture-memory.js";
import {
  isModel,
  nameOfStyle,
  rewriterNameOf,
  rewriterOptions,
  styleIn,
  titleOf,
} from "../../core/rewriters.js";
import { asDrawn, atSpeed, ownAtSpeed, type Speeds, speedsOf } from "../../core/speeds.js";
import { applyStyle, NO_STYLE, PRESETS, requireStyle, type Style, styleNamed } from "../../core/styles.js";
import type { JobCaps, NewItem } from "../../db/queue.js";
import type { PictureKey } from "../../pictures/store.js";
import { cleanPrompt, isLongerThan } from "../../prompt-files/clean-prompt.js";
import type { ModelsHere } from "../../prompt-files/picture-prompt.js";
import { type Expectation, expectations, Values } from "../words/english/errors.js";

export interface Defaults {
  readonly text: TextOptions;
  /** At full speed. */
  readonly image: ImageOptions;
  /** `DEFAULT_SPEED` where it is left out. */
  readonly speed?: Speed;
  /** The phases that a miniature model runs, which is said small under every result. */
  readonly miniature: readonly Phase[];
  /** What draws here, to tell what of a picture from elsewhere is missing; unknown where it is left out. */
  readonly models?: ModelsHere;
}

export interface Limits {
  /** In characters. */
  readonly maxPromptLength: number;
  /** Prompts in one file. */
  readonly maxBatch: number;
  readonly maxFileBytes: number;
  readonly maxSteps: number;
  /** Pairs of one `/compare`. */
  readonly maxPairs: number;
  /** Pictures of one `/grid`; `LIMIT_RANGES.cells` by default. */
  readonly maxCells?: number;
  /** Of the pictures; those of Stable Diffusion 1.5 by default. */
  readonly sides?: Sides;
  /** Most jobs in line at once; more wait outside. Most open jobs; more are refused. */
  readonly inLine?: JobCaps;
  readonly open?: JobCaps;
  /** Minutes of the card a day, per person and per server. */
  readonly minutes?: { readonly user?: number; readonly server?: number };
}

export interface CommandContext {
  readonly defaults: Defaults;
  readonly limits: Limits;
  /** Fetches an attached file of at most this many bytes; `limits.maxFileBytes` where they are left out. */
  readonly download: (url: string, maxBytes?: number) => Promise<Uint8Array>;
  /** Whether a comparison hides which picture is which, where the command does not say. */
  readonly blind: boolean;
  /** Who writes the other side of a pair where nobody says so, by name; the prompt as written where it is left out. */
  readonly against?: string;
  /** The styles that can be chosen; the presets where they are left out. */
  readonly styles?: readonly Style[];
  /** The names of the rewriters whose files are here; all that are known where it is left out. */
  readonly rewriters?: () => readonly string[];
  /** The models and LoRAs that can be named; none where they are left out. */
  readonly offered?: OfferedModels;
  /** Whether pictures are shown as they form. */
  readonly preview?: boolean;
  /** What the channel draws with at its own speed. */
  readonly paced?: Partial<Pick<ImageOptions, "steps" | "guidance" | "scheduler">>;
}

/** What a command asks for. */
export interface CommandRequest {
  readonly kind: JobKind;
  readonly text: TextOptions;
  readonly image: ImageOptions;
  /** The axes whose cells the prompts are. */
  readonly grid?: Grid;
  readonly evaluation?: EvaluationDesign;
  /** The job under whose result a button made the request. */
  readonly parentId?: string;
  readonly blind?: boolean;
  /** Whether the user sees a draft first and presses Start: always, or where there are notes to read first. */
  readonly confirm?: boolean | "notes";
  /** The texts that are known before anything is fetched, so that refused words are refused at once. */
  readonly known: readonly (string | null)[];
  /**
   * Fetches and reads what is not in the interaction itself; throws InputError. Called after the first
   * answer.
   */
  readonly prompts: () => Promise<Prompts>;
}

/** A picture to store with a job that goes on from it. */
export interface SourceFile {
  /** Its name there. */
  readonly file: string;
  /** What to store, or which stored picture to copy. */
  readonly picture: Uint8Array | PictureKey;
}

/** The prompts of a request. */
export interface Prompts {
  readonly items: readonly NewItem[];
  /** Options that came with the prompts and override those of the request. */
  readonly image?: Partial<ImageOptions>;
  /** The files that `image.from` names; the parent's of the same names where they are left out. */
  readonly sources?: readonly SourceFile[];
  /** They say themselves whether they were drawn in a style, so a channel's usual one is not theirs. */
  readonly isAsDrawn?: boolean;
  /** What a person should know of the file that the prompts come from. */
  readonly notes?: FileNotes;
}

/** Discord: the longest `max_length` of a text option. */
const TEXT_OPTION_MAX = 6000;

export const textOptionMax = (limit: number): number => Math.min(limit, TEXT_OPTION_MAX);

export const readPrompt = (interaction: ChatInputCommandInteraction, limits: Limits): string =>
  checkedPrompt(interaction.options.getString("prompt", true), limits);

/**
 * Options that came with a prompt's text. Throws InputError INPUT_OPTION, or INPUT_SIZE, for one out of the
 * ranges of the commands' own options.
 */
export function checkedOptions(
  own: OwnOptions,
  { maxSteps, sides }: Pick<Limits, "maxSteps" | "sides">,
): OwnOptions {
  const { steps, guidance, size } = own;
  if (steps !== undefined) checkRange("steps", steps, { ...IMAGE_RANGES.steps, max: maxSteps });
  if (guidance !== undefined) checkRange("guidance", guidance, IMAGE_RANGES.guidance);
  if (size !== undefined && size !== null) readSize(showSize(size), sides === undefined ? {} : { sides });
  return asDrawn(own);
}

/**
 * The style that a command names, as the part of image options that it is: `none` for none, and the usual one where it
 * names none. Throws InputError INPUT_STYLE.
 */
export function readStyle(
  name: string | null,
  { defaults, styles = PRESETS }: Pick<CommandContext, "defaults" | "styles">,
): Pick<ImageOptions, "style"> {
  const usual = defaults.image.style;
  if (name === null) return usual === undefined ? {} : { style: usual };
  const isNone = name.trim().toLowerCase() === NO_STYLE && styleNamed(name, styles) === undefined;
  return isNone ? {} : { style: requireStyle(name, styles) };
}

/** What decides how prompts are rewritten where nobody says so. */
export interface RewritingContext extends Pick<CommandContext, "styles" | "rewriters" | "against"> {
  readonly defaults: Pick<Defaults, "text">;
}

/**
 * How prompts are rewritten: by the rewriter that is named, else by the usual one, with its own settings but for what
 * is said of the search. Throws InputError INPUT_REWRITER (unknown), MODEL_GONE (its files are not here), or
 * INPUT_STYLE.
 */
export function readRewriting(
  { rewriter, search = {} }: { readonly rewriter: string | null; readonly search?: Partial<TextOptions> },
  context: RewritingContext,
  seed: number,
): TextOptions {
  const { text } = context.defaults;
  const name = rewriter ?? rewriterNameOf(text);
  const style = styleIn(name);
  if (style !== null) {
    const { name: known } = requireStyle(style, context.styles ?? PRESETS);
    return { ...text, seed, rewriter: nameOfStyle(known) };
  }
  const options = rewriterOptions(name, { ...text, seed }, search);
  const { rewriters } = context;
  if (isModel(rewriterNameOf(options)) && rewriters?.().includes(rewriterNameOf(options)) === false)
    throw new InputError("MODEL_GONE", `The files of the rewriter ${name} are not here.`, {
      model: titleOf(rewriterNameOf(options)),
      kind: "rewriter",
    });
  return options;
}

/** The item with the texts that need no model: the prompt as it is, or with a style's words. Throws INPUT_STYLE. */
export function withoutModel(item: NewItem, text: TextOptions, styles: readonly Style[]): NewItem {
  let written = item;
  for (const side of unwrittenSides(item)) {
    const name = rewriterNameOf(textOptionsOf({ text }, item, side));
    if (isModel(name)) continue;
    const style = styleIn(name);
    const words = style === null ? undefined : requireStyle(style, styles);
    const rewrite = applyStyle({ prompt: item.prompt, negative: "" }, words).prompt;
    const { against } = written;
    written = {
      ...written,
      ...(side === "baseline" && against !== undefined ? { against: { ...against, rewrite } } : { rewrite }),
    };
  }
  return written;
}

type SpeedContext = Pick<CommandContext, "defaults" | "limits" | "offered" | "paced">;

/** What each speed stands for in a channel. */
export const speedsIn = ({ defaults, limits, offered }: SpeedContext): Speeds =>
  speedsOf(defaults.image, offered?.turbo ?? null, limits.maxSteps);

/**
 * What is drawn with where a command says nothing but its speed, if that: at the channel's own speed with the
 * channel's own options. Throws InputError INPUT_SPEED where its LoRA is not there.
 */
export function usualImage(context: SpeedContext, asked?: Speed | null): ImageOptions {
  const { image, speed: usual = DEFAULT_SPEED } = context.defaults;
  const speed = asked ?? usual;
  const drawn = atSpeed(image, speed, speedsIn(context));
  const { steps = drawn.steps, ...paced } = speed === usual ? (context.paced ?? {}) : {};
  // A default above the limit would refuse every command without the option.
  return { ...drawn, ...paced, steps: Math.min(steps, context.limits.maxSteps) };
}

/** The same for a rewrite alone, which draws nothing yet: at full speed where the channel's own can't be had. */
export function laterImage(context: SpeedContext): ImageOptions {
  try {
    return usualImage(context);
  } catch (error) {
    if (codeOf(error) === "INPUT_SPEED") return usualImage(context, "full");
    throw error;
  }
}

/** What a message or a picture says, over what is usual. Throws InputError INPUT_SPEED. */
export function imageWith(own: OwnOptions, context: SpeedContext): ImageOptions {
  const image = usualImage(context, own.speed);
  return { ...image, ...ownAtSpeed(image, own, speedsIn(context)) };
}

/** A user's text as a prompt. Throws InputError INPUT_EMPTY or INPUT_TOO_LONG. */
export function checkedPrompt(text: string, { maxPromptLength }: Limits): string {
  const prompt = cleanPrompt(text);
  if (prompt === "") throw new InputError("INPUT_EMPTY", "The prompt is empty.");
  if (isLongerThan(prompt, maxPromptLength)) {
    throw new InputError("INPUT_TOO_LONG", `The prompt is longer than ${maxPromptLength} characters.`, {
      limit: maxPromptLength,
    });
  }
  return prompt;
}

/**
 * Throws INPUT_OPTION. Discord checks ranges only in its own clients, and a request may come from another
 * one.
 */
export function checkOption(option: string, holds: boolean, expectation: Expectation): void {
  if (!holds) throw optionError(`The option ${option}`, option, expectation);
}

/** Refuses a value; `subject` begins the sentence for the log. */
export function optionError(subject: string, option: string, expectation: Expectation): InputError {
  const expected = new Values({ ...expectation }).expected(expectations);
  return new InputError("INPUT_OPTION", `${subject} takes ${expected}.`, { option, ...expectation });
}

/** Throws InputError INPUT_OPTION for a number that the option does not take. */
export function checkRange(option: string, value: number, range: Range): number {
  const { min, max, whole } = range;
  checkOption(option, isInRange(value, range), { takes: whole ? "integer" : "number", min, max });
  return value;
}

/**
 * A size as a person writes it: by its name or as `WIDTHxHEIGHT`. Throws InputError INPUT_OPTION for anything
 * else, and INPUT_SIZE for one that is too large.
 */
export function readSize(text: string, { sides = DEFAULT_SIDES }: Pick<Limits, "sides">): PictureSize {
  const written = text.trim().toLowerCase();
  const size = namedSizes(sides)[written as SizeName] ?? parseSize(written);
  checkOption("size", size !== null, sizeExpectation(sides));
  checkSize(size, { sides });
  return size!;
}

/** What an option for a size takes, with an example. */
export function sizeExpectation(sides: Sides): Expectation {
  const { max } = sides;
  const { portrait = { width: max, height: max } } = namedSizes(sides);
  const { min } = IMAGE_RANGES.side;
  return { takes: "size", size: showSize(portrait), multiple: SIDE_MULTIPLE, min, max };
}

/**
 * Throws InputError INPUT_SIZE for a picture that is larger than is drawn here, INPUT_MEMORY for one that takes more
 * memory than there is.
 */
export function checkSize(size: PictureSize | null, { sides = DEFAULT_SIDES }: Pick<Limits, "sides">): void {
  if (size === null) return;
  const { max, mostPixels = null } = sides;
  checkMemory(size, mostPixels);
  if (Math.max(size.width, size.height) <= max) return;
  throw new InputError("INPUT_SIZE", `The size ${showSize(size)} has a side over ${max} pixels.`, {
    size: showSize(size),
    max,
  });
}
