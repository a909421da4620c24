import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { FoundCheckpoint } from "../../checkpoints/layouts/catalog.js";
import { type EmbeddingChoice, parseEmbedding } from "../../checkpoints/layouts/embeddings.js";
import { BLOCK_COUNTS, type LoraChoice } from "../../checkpoints/layouts/lora.js";
import type { Config } from "../../config.js";
import { DEVICE_HELP, type DeviceName, readDevice } from "../../core/devices.js";
import { InputError } from "../../core/errors.js";
import type { TurboLora } from "../../core/known-models.js";
import {
  CLIP_SKIP_RANGE,
  DECODERS,
  DEFAULT_STRENGTH,
  type DecoderName,
  IMAGE_RANGES,
  type ImageOptions,
  isInRange,
  KEEP_PROMPTS,
  type KeepPrompt,
  LENGTH_RULES,
  LORA_WEIGHT_RANGE,
  type PictureSize,
  PRECISIONS,
  PROMPT_MODES,
  type Precision,
  type PromptMode,
  parseSize,
  type Range,
  SCHEDULERS,
  type SchedulerName,
  SEARCH_MODES,
  SIDE_MULTIPLE,
  SPEEDS,
  type Speed,
  STRENGTH_RANGE,
  TEXT_RANGES,
  TEXT_WEIGHTS,
  type TextOptions,
  type TextWeights,
} from "../../core/options.js";
import { REWRITER_NAMES, rewriterOptions } from "../../core/rewriters.js";
import { atSpeed, ownAtSpeed, type Speeds, speedsOf } from "../../core/speeds.js";
import type { FromFile } from "../../inference/worker/protocol.js";
import { chosenStyle, type StyleFlags } from "./styles.js";

/** The verbs' options, with defaults from the configuration, and how they become a job's options. */

export const integer =
  (min: number, max: number) =>
  (value: string): number => {
    const parsed = Number(value);
    if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(parsed) || parsed < min || parsed > max)
      throw new InvalidArgumentError(`expected an integer from ${min} to ${max}`);
    return parsed;
  };

function parseDevice(value: string): DeviceName {
  const read = readDevice(value);
  if ("problem" in read) throw new InvalidArgumentError(read.problem);
  return read.device;
}

const real =
  (min: number, max: number) =>
  (value: string): number => {
    const parsed = value.trim() === "" ? Number.NaN : Number(value);
    if (!(parsed >= min && parsed <= max))
      throw new InvalidArgumentError(`expected a number from ${min} to ${max}`);
    return parsed;
  };

export const inRange = ({ min, max, whole }: Range) => (whole ? integer(min, max) : real(min, max));

const { side } = IMAGE_RANGES;
const size = (value: string): PictureSize => {
  const parsed = parseSize(value);
  if (parsed === null)
    throw new InvalidArgumentError(
      `expected WIDTHxHEIGHT such as 512x512, both sides multiples of ${SIDE_MULTIPLE} from ${side.min} to ${side.max}`,
    );
  return parsed;
};

const NUMBER = "-?(?:\\d+\\.?\\d*|\\.\\d+)";
const LORA = new RegExp(`^(.+?)(?::(${NUMBER})(?::(${NUMBER}(?:,${NUMBER})*))?)?$`, "s");

/**
 * `FILE`, `FILE:WEIGHT` or `FILE:WEIGHT:BLOCKS`, appended to `before`; the file may be a name. A Windows drive's colon is not followed by
 * a number.
 */
const lora = (value: string, before: readonly LoraChoice[]): LoraChoice[] => {
  const [, file, text = "1", list] = LORA.exec(value) ?? [];
  const [weight, ...blocks] = [text, ...(list?.split(",") ?? [])].map(Number) as [number, ...number[]];
  if (file === undefined || [weight, ...blocks].some((it) => !isInRange(it, LORA_WEIGHT_RANGE)))
    throw new InvalidArgumentError(
      `expected FILE or FILE:WEIGHT with a weight from ${LORA_WEIGHT_RANGE.min} to ${LORA_WEIGHT_RANGE.max}`,
    );
  if (list !== undefined && !BLOCK_COUNTS.includes(blocks.length))
    throw new InvalidArgumentError(
      `expected ${BLOCK_COUNTS.join(" or ")} weights of blocks after FILE:WEIGHT:, not ${blocks.length}`,
    );
  const choice = { file, weight };
  return [...before, list === undefined ? choice : { ...choice, blocks }];
};

/** `FILE` or `FILE:NAME`, appended to `before`; the file may be a name. */
const embedding = (value: string, before: readonly EmbeddingChoice[]): EmbeddingChoice[] => {
  const { file, token } = parseEmbedding(value);
  if (file.trim() === "") throw new InvalidArgumentError("expected FILE or FILE:NAME");
  return [...before, { file, token, isRequired: true }];
};

export const loraOption = (description: string): Option =>
  new Option("--lora <file:weight>", description).argParser(lora).default([], "none");

/** Shows command lines under a verb's `--help`; `promptist` is put before those that do not begin with a variable. */
export function addExamples(command: Command, lines: readonly string[]): Command {
  const shown = lines.map((line) => `  ${/^\w+=/.test(line) ? line : `promptist ${line}`}`);
  return command.addHelpText("after", `\nExamples:\n${shown.join("\n")}`);
}

export interface CommonFlags {
  readonly json?: boolean;
  readonly device: DeviceName;
}
export interface TextFlags extends CommonFlags {
  readonly rewriter: string;
  readonly promptist?: string;
  readonly keepPrompt: KeepPrompt;
  readonly mode: TextOptions["mode"];
  readonly beams: number;
  readonly maxNewTokens: number;
  readonly lengthPenalty: number;
  readonly lengthRule: TextOptions["lengthRule"];
  readonly repetitionPenalty: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed?: number;
  readonly weights: TextWeights;
}
export interface PromptsFlags extends StyleFlags {
  readonly prompts: PromptMode;
}
export interface ImageFlags extends CommonFlags, PromptsFlags {
  readonly diffusion?: string;
  readonly model?: string;
  readonly lora: readonly LoraChoice[];
  readonly embedding: readonly EmbeddingChoice[];
  readonly vae?: string;
  readonly clipSkip: number;
  readonly decoder: DecoderName;
  readonly seed?: number;
  readonly steps: number;
  readonly guidance?: number;
  readonly negative: string;
  readonly size?: PictureSize;
  readonly scheduler: SchedulerName;
  readonly speed: Speed;
  readonly precision: Precision;
}

/** A picture to go on from. */
export interface SourceFlags {
  readonly image?: string;
  readonly strength?: number;
}

export function addCommonOptions(command: Command, config: Config): Command {
  return command
    .addOption(
      new Option("--device <name>", `where models run: ${DEVICE_HELP}`)
        .argParser(parseDevice)
        .default(config.DEVICE),
    )
    .option("--json", "print one JSON object");
}

export function addTextOptions(command: Command, config: Config): Command {
  return addSearchOptions(
    command.addOption(
      new Option("--rewriter <name>", "what rewrites the prompt; none: nothing does")
        .choices(REWRITER_NAMES)
        .default(config.REWRITER),
    ),
    config,
  );
}

/** The same for a verb that names its rewriters otherwise. */
export function addSearchOptions(command: Command, config: Config): Command {
  return command
    .option("--promptist <dir>", "Promptist checkpoint")
    .addOption(
      new Option(
        "--keep-prompt <when>",
        "hold rewrites to begin with the prompt and to say no phrase twice; auto: the miniature's",
      )
        .choices(KEEP_PROMPTS)
        .default(config.KEEP_PROMPT),
    )
    .addOption(
      new Option("--mode <name>", "how to search for a rewrite")
        .choices(SEARCH_MODES)
        .default(config.text.mode, `${config.text.mode}, or as the rewriter wants`),
    )
    .option("--beams <n>", "number of beams", inRange(TEXT_RANGES.beams), config.text.beams)
    .option(
      "--max-new-tokens <n>",
      "longest rewrite, in tokens",
      inRange(TEXT_RANGES.maxNewTokens),
      config.text.maxNewTokens,
    )
    .option(
      "--length-penalty <x>",
      "exponent of the length in the score",
      inRange(TEXT_RANGES.lengthPenalty),
      config.text.lengthPenalty,
    )
    .addOption(
      new Option("--length-rule <rule>", "which length the penalty counts")
        .choices(LENGTH_RULES)
        .default(config.text.lengthRule),
    )
    .option(
      "--repetition-penalty <x>",
      "above 1: words already used become less likely",
      inRange(TEXT_RANGES.repetitionPenalty),
      config.text.repetitionPenalty,
    )
    .option(
      "--temperature <x>",
      "temperature of sampling",
      inRange(TEXT_RANGES.temperature),
      config.text.temperature,
    )
    .option(
      "--top-k <n>",
      "sample from this many likeliest tokens; 0: from all",
      inRange(TEXT_RANGES.topK),
      config.text.topK,
    )
    .option(
      "--top-p <x>",
      "sample from the likeliest tokens of this total probability",
      inRange(TEXT_RANGES.topP),
      config.text.topP,
    )
    .addOption(
      new Option("--weights <type>", "number type of Promptist's weights")
        .choices(TEXT_WEIGHTS)
        .default(config.PROMPTIST_WEIGHTS),
    );
}

export function addImageOptions(command: Command, config: Config): Command {
  return addPromptsOption(command, config)
    .option(
      "--diffusion <path>",
      "Stable Diffusion checkpoint: a folder, a single file, or a name that checkpoints list shows",
    )
    .option("--model <name>", "the same, under the name that the option has in Discord")
    .addOption(loraOption("LoRA to merge, a file or a name, such as style:0.8; give it again for more"))
    .addOption(
      new Option(
        "--embedding <file:name>",
        "embedding (textual inversion) that prompts ask for by name, a file or a name; give it again for more (default: EMBEDDINGS)",
      )
        .argParser(embedding)
        .default([], "none"),
    )
    .option(
      "--vae <path>",
      "VAE to use instead of the checkpoint's own: a file, a folder or a name (default: VAE)",
    )
    .addOption(
      new Option("--decoder <name>", "what makes the finished picture; taesd is quick and softens details")
        .choices(DECODERS)
        .default(config.DECODER),
    )
    .option(
      "--clip-skip <n>",
      "last layers of the text encoder to leave out",
      inRange(CLIP_SKIP_RANGE),
      config.CLIP_SKIP,
    )
    .addOption(
      new Option(
        "--speed <name>",
        "fast: 20 steps of dpm++2m-karras; turbo: 4 to 8 steps with an LCM-LoRA (promptist checkpoints pull lcm-lora)",
      )
        .choices(SPEEDS)
        .default(config.SPEED),
    )
    .option("--steps <n>", "denoising steps", inRange(IMAGE_RANGES.steps), config.image.steps)
    .option(
      "--guidance <x>",
      "classifier-free guidance scale (default: the checkpoint's own; 7.5 for Stable Diffusion 1.5)",
      inRange(IMAGE_RANGES.guidance),
      config.image.guidance ?? undefined,
    )
    .option("--negative <text>", "negative prompt", config.image.negative)
    .option(
      "--size <WxH>",
      `pixels, multiples of ${SIDE_MULTIPLE} (default: the checkpoint's own)`,
      size,
      config.image.size ?? undefined,
    )
    .addOption(
      new Option("--scheduler <name>", "sampling method").choices(SCHEDULERS).default(config.image.scheduler),
    )
    .addOption(
      new Option("--precision <type>", "number type that Stable Diffusion computes in")
        .choices(PRECISIONS)
        .default(config.DIFFUSION_PRECISION),
    );
}

export const addAgainstOption = (command: Command): Command =>
  command.option(
    "--against <name>",
    "compare with this rewriter, or with style:NAME, in place of the prompt as written",
  );

export const addSourceOptions = (command: Command): Command =>
  command
    .option("--image <file>", "go on from this picture, in its size unless --size says another")
    .option(
      "--strength <x>",
      `how much of --image is drawn anew (default: ${DEFAULT_STRENGTH})`,
      inRange(STRENGTH_RANGE),
    );

/** The picture to go on from; null for none. Throws InputError INPUT_OPTION for a strength without one. */
export function sourceOf({ image, strength }: SourceFlags): FromFile | null {
  if (image !== undefined) return { file: resolve(image), strength: strength ?? DEFAULT_STRENGTH };
  if (strength === undefined) return null;
  throw new InputError("INPUT_OPTION", "--strength needs --image, the picture to go on from.");
}

/** For every verb that reads a prompt. */
export function addPromptsOption(command: Command, config: Config): Command {
  return command
    .addOption(
      new Option(
        "--prompts <mode>",
        "how to read prompts: weighted understands (word:1.3), [word] and BREAK, at any length",
      )
        .choices(PROMPT_MODES)
        .default(config.image.prompts),
    )
    .option(
      "--style <name>",
      "words around what is drawn: a preset that promptist styles lists, or one of --styles",
    )
    .option("--styles <file.csv>", "more styles: a styles.csv as A1111 writes it");
}

export function addSeedOption(command: Command, usual = "a random one, which is printed"): Command {
  return command.option("--seed <n>", `seed (default: ${usual})`, inRange(IMAGE_RANGES.seed));
}

export function textOptions(
  flags: TextFlags,
  seed: number,
  isGiven: (option: string) => boolean,
): TextOptions {
  const { usual, given } = searchOptions(flags, seed, isGiven);
  return { ...rewriterOptions(flags.rewriter, usual, given), seed };
}

/** How rewriters search: what the flags give counts for all of them, the rest where a rewriter has no way of its own. */
export function searchOptions(
  flags: TextFlags,
  seed: number,
  isGiven: (option: string) => boolean,
): { readonly usual: TextOptions; readonly given: Partial<TextOptions> } {
  const { mode, beams, maxNewTokens, lengthPenalty, lengthRule, repetitionPenalty, temperature, topK, topP } =
    flags;
  const usual: TextOptions = {
    mode,
    beams,
    maxNewTokens,
    lengthPenalty,
    lengthRule,
    repetitionPenalty,
    temperature,
    topK,
    topP,
    seed,
  };
  return { usual, given: Object.fromEntries(Object.entries(usual).filter(([option]) => isGiven(option))) };
}

/** Options of a picture, and what each speed stands for beside the flags. */
export interface PacedOptions {
  readonly image: ImageOptions;
  readonly speeds: Speeds;
}

/**
 * The options that the flags give: at a speed, what they don't say is what it stands for.
 * @param own options of the prompt or of all prompts of a file, which come before the flags that were not given
 * @param isGiven whether a flag stands on the command line
 * @throws InputError INPUT_SPEED where the speed's LoRA is not there
 */
export function imageOptions(
  flags: ImageFlags,
  seed: number,
  { guidance }: Pick<FoundCheckpoint, "guidance">,
  lora: TurboLora | null,
  own: Partial<ImageOptions>,
  isGiven: (option: string) => boolean,
): PacedOptions {
  const full: ImageOptions = {
    seed,
    steps: flags.steps,
    guidance: flags.guidance ?? guidance,
    negative: flags.negative,
    size: flags.size ?? null,
    scheduler: flags.scheduler,
    prompts: flags.prompts,
    ...chosenStyle(flags),
  };
  const speeds = speedsOf(full, lora);
  const given = Object.entries(full).filter(([name]) => isGiven(name));
  const image = { ...atSpeed(full, flags.speed, speeds), ...Object.fromEntries(given) };
  return { image: { ...image, ...own, ...ownAtSpeed(image, own, speeds) }, speeds };
}
