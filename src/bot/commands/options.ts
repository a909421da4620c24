import {
  type APIApplicationCommandBasicOption,
  ApplicationCommandOptionType,
  type ChatInputCommandInteraction,
  type Locale,
} from "discord.js";
import { loraList } from "../../core/known-models.js";
import {
  DEFAULT_SIDES,
  fitsSides,
  IMAGE_RANGES,
  type ImageOptions,
  LORA_WEIGHT_RANGE,
  namedSizes,
  PROMPT_MODES,
  type PromptMode,
  parseSize,
  promptModeOf,
  randomSeed,
  SCHEDULERS,
  SEARCH_MODES,
  type SizeName,
  type Speed,
  showSize,
  type TextOptions,
} from "../../core/options.js";
import { isDecided } from "../../core/speeds.js";
import { STYLE_MAX } from "../../core/styles.js";
import { cleanPrompt, isLongerThan } from "../../prompt-files/clean-prompt.js";
import { readModels } from "../requests/models.js";
import { type GivenSides, type PairSides, readSides } from "../requests/opponents.js";
import {
  type CommandContext,
  checkOption,
  checkRange,
  type Limits,
  readRewriting,
  readSize,
  readStyle,
  textOptionMax,
  usualImage,
} from "../requests/request.js";
import { parseSetting } from "../requests/setting-catalog.js";
import { commandTexts } from "../words/english/commands.js";
import { sizeLabel } from "../words/translations.js";

const texts = commandTexts.options;

/** In characters; a size may also be given by its name. */
const SIZE_TEXT_MAX = 20;

/** In characters; `/optimize` takes several names. */
const REWRITERS_TEXT_MAX = 200;

/** The prompt; the user's own recent ones are offered while it is typed. */
export const promptOption = (limits: Limits): APIApplicationCommandBasicOption => ({
  type: ApplicationCommandOptionType.String,
  name: "prompt",
  description: texts.prompt,
  required: true,
  min_length: 1,
  max_length: textOptionMax(limits.maxPromptLength),
  autocomplete: true,
});

export const modeOption: APIApplicationCommandBasicOption = {
  type: ApplicationCommandOptionType.String,
  name: "mode",
  description: texts.mode,
  choices: SEARCH_MODES.map((value) => ({ name: texts.modes[value], value })),
};

export const promptsOption: APIApplicationCommandBasicOption = {
  type: ApplicationCommandOptionType.String,
  name: "prompts",
  description: texts.prompts,
  choices: PROMPT_MODES.map((value) => ({ name: texts.promptModes[value], value })),
};

/** The rewriter; those that are here are offered while it is typed, and styles in its place. */
export const rewriterOption: APIApplicationCommandBasicOption = {
  type: ApplicationCommandOptionType.String,
  name: "rewriter",
  description: texts.rewriter,
  max_length: REWRITERS_TEXT_MAX,
  autocomplete: true,
};

/** What stands in place of the prompt as written, by the same names. */
export const againstOption: APIApplicationCommandBasicOption = {
  ...rewriterOption,
  name: "against",
  description: texts.against,
};

/** The style; those of the server and the presets are offered while it is typed. */
export const styleOption: APIApplicationCommandBasicOption = {
  type: ApplicationCommandOptionType.String,
  name: "style",
  description: texts.style,
  max_length: STYLE_MAX.name,
  autocomplete: true,
};

/** The speed; what each stands for here is told while it is typed. */
export const speedOption: APIApplicationCommandBasicOption = {
  type: ApplicationCommandOptionType.String,
  name: "speed",
  description: texts.speed,
  autocomplete: true,
};

/** Characters of the options that name models; Discord's choices have as many. */
const MODEL_MAX = 100;

/** The model and its LoRAs; those that are offered in the channel are offered while they are typed. */
export const modelOptions: readonly APIApplicationCommandBasicOption[] = [
  {
    type: ApplicationCommandOptionType.String,
    name: "model",
    description: texts.model,
    max_length: MODEL_MAX,
    autocomplete: true,
  },
  {
    type: ApplicationCommandOptionType.String,
    name: "lora",
    description: texts.lora,
    max_length: MODEL_MAX,
    autocomplete: true,
  },
  {
    type: ApplicationCommandOptionType.Number,
    name: "lora-strength",
    description: texts.loraStrength,
    min_value: LORA_WEIGHT_RANGE.min,
    max_value: LORA_WEIGHT_RANGE.max,
  },
];

/** Options of the pictures; the channel's settings fill in those left out. */
export const imageOptions = (limits: Limits): APIApplicationCommandBasicOption[] => [
  {
    type: ApplicationCommandOptionType.Integer,
    name: "seed",
    description: texts.seed,
    min_value: IMAGE_RANGES.seed.min,
    max_value: IMAGE_RANGES.seed.max,
  },
  {
    type: ApplicationCommandOptionType.Integer,
    name: "steps",
    description: texts.steps,
    min_value: IMAGE_RANGES.steps.min,
    max_value: limits.maxSteps,
  },
  {
    type: ApplicationCommandOptionType.Number,
    name: "guidance",
    description: texts.guidance,
    min_value: IMAGE_RANGES.guidance.min,
    max_value: IMAGE_RANGES.guidance.max,
  },
  {
    type: ApplicationCommandOptionType.String,
    name: "negative",
    description: texts.negative,
    max_length: textOptionMax(limits.maxPromptLength),
  },
  {
    type: ApplicationCommandOptionType.String,
    name: "size",
    description: texts.size,
    max_length: SIZE_TEXT_MAX,
    autocomplete: true,
  },
  {
    type: ApplicationCommandOptionType.String,
    name: "scheduler",
    description: texts.scheduler,
    choices: SCHEDULERS.map((value) => ({ name: value, value })),
  },
  promptsOption,
  styleOption,
  speedOption,
  ...modelOptions,
];

/**
 * Sizes that suit the checkpoint, those first that contain what was typed, in the user's language where it is
 * one of ours; and the size that was typed, if it is allowed.
 */
export function completeSize(
  typed: string,
  locale: Locale,
  { sides = DEFAULT_SIDES }: Limits,
): { name: string; value: string }[] {
  const wanted = typed.trim().toLowerCase();
  const choices = Object.entries(namedSizes(sides)).map(([name, size]) => {
    const value = showSize(size);
    return { name: `${sizeLabel(name as SizeName, locale)} · ${value}`, value };
  });
  const fitting = choices.filter(({ name }) => name.toLowerCase().includes(wanted));
  if (fitting.length > 0) return fitting;
  const own = parseSize(wanted);
  if (own !== null && fitsSides(own, sides)) return [{ name: showSize(own), value: showSize(own) }];
  return choices;
}

/**
 * Discord checks values in its own clients alone, so all are checked again. Throws InputError INPUT_OPTION.
 */
export function readImage({ options }: ChatInputCommandInteraction, context: CommandContext): ImageOptions {
  const { limits } = context;
  // What these are is said again below, or that there are none.
  const { style: _, model: __, ...image } = usualImage(context, readSpeed(options.getString("speed")));
  const seed = checkRange("seed", options.getInteger("seed") ?? randomSeed(), IMAGE_RANGES.seed);
  const steps = checkRange("steps", options.getInteger("steps") ?? image.steps, {
    ...IMAGE_RANGES.steps,
    max: limits.maxSteps,
  });
  const guidance = checkRange(
    "guidance",
    options.getNumber("guidance") ?? image.guidance,
    IMAGE_RANGES.guidance,
  );
  const negative = cleanPrompt(options.getString("negative") ?? image.negative);
  const { maxPromptLength } = limits;
  checkOption("negative", !isLongerThan(negative, maxPromptLength), {
    takes: "text",
    limit: maxPromptLength,
  });
  const { loras: named = [], ...model } = modelsOf({ options }, context);
  const loras = loraList([...(image.loras ?? []), ...named]);
  const size = options.getString("size");
  const scheduler = options.getString("scheduler");
  return {
    ...image,
    seed,
    steps,
    guidance,
    negative,
    size: size === null ? image.size : readSize(size, limits),
    scheduler: scheduler === null ? image.scheduler : parseSetting("scheduler", scheduler),
    prompts: readPrompts({ options }, image),
    ...readStyle(options.getString("style"), context),
    ...model,
    ...(loras.length === 0 ? {} : { loras }),
  };
}

const readSpeed = (given: string | null): Speed | undefined =>
  given === null ? undefined : parseSetting("speed", given.toLowerCase());

/** Whether a command decides an option, itself or by its speed; a file's own then doesn't count. */
export const decidedBy = ({ options }: ChatInputCommandInteraction) =>
  isDecided((name) => options.get(optionOf(name)) !== null);

/** The option of the commands that gives a part of the image options. */
export const optionOf = (name: string): string => (name === "loras" ? "lora" : name);

/** The model and LoRAs that the options name, or the usual model. Throws InputError INPUT_MODEL, MODEL_ADULT or INPUT_OPTION. */
export const modelsOf = (
  { options }: Pick<ChatInputCommandInteraction, "options">,
  context: Pick<CommandContext, "defaults" | "offered">,
): Pick<ImageOptions, "model" | "loras"> =>
  readModels(
    {
      model: options.getString("model"),
      lora: options.getString("lora"),
      strength: options.getNumber("lora-strength"),
    },
    context,
  );

/** How to read the prompt: as the option says, or as the channel has it. */
export function readPrompts(
  { options }: Pick<ChatInputCommandInteraction, "options">,
  image: Pick<ImageOptions, "prompts">,
): PromptMode {
  const given = options.getString("prompts");
  return given === null ? promptModeOf(image) : parseSetting("prompts", given);
}

/** The two sides of the pairs that a command asks for. Throws InputError like `readSides`. */
export const sidesOf = (
  { options }: Pick<ChatInputCommandInteraction, "options">,
  context: CommandContext,
  seed: number,
): PairSides => readSides(givenSides({ options }), context, seed);

/** What the options say of the two sides. Throws InputError INPUT_OPTION. */
export function givenSides({ options }: Pick<ChatInputCommandInteraction, "options">): GivenSides {
  const mode = options.getString("mode");
  return {
    rewriter: options.getString("rewriter"),
    against: options.getString("against"),
    ...(mode === null ? {} : { search: { mode: parseSetting("mode", mode) } }),
  };
}

/** How prompts are rewritten, as the options and the channel say. Throws InputError like `readRewriting`. */
export const readText = (
  { options }: Pick<ChatInputCommandInteraction, "options">,
  context: CommandContext,
  seed: number,
  rewriter: string | null = options.getString("rewriter"),
): TextOptions => readRewriting({ ...givenSides({ options }), rewriter }, context, seed);
