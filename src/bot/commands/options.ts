import {
  type APIApplicationCommandBasicOption,
  ApplicationCommandOptionType,
  type ChatInputCommandInteraction,
} from "discord.js";
import {
  IMAGE_RANGES,
  type ImageOptions,
  randomSeed,
  SCHEDULERS,
  SEARCH_MODES,
  type TextOptions,
} from "../../core/options.js";
import { cleanPrompt, isLongerThan } from "../../prompt-files/prompt-file.js";
import {
  type CommandContext,
  checkOption,
  checkRange,
  type Limits,
  textOptionMax,
} from "../requests/request.js";
import { parseSetting } from "../requests/setting-catalog.js";
import { commandTexts } from "../words/commands.js";
import { expectations } from "../words/errors.js";

const texts = commandTexts.options;

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

/** How the pictures are drawn; what is left out is as the channel has it. */
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
  { type: ApplicationCommandOptionType.String, name: "size", description: texts.size, max_length: 9 },
  {
    type: ApplicationCommandOptionType.String,
    name: "scheduler",
    description: texts.scheduler,
    choices: SCHEDULERS.map((value) => ({ name: value, value })),
  },
];

/**
 * Discord checks values in its own clients alone, so all are checked again. Throws InputError INPUT_OPTION.
 */
export function readImage(
  { options }: ChatInputCommandInteraction,
  { defaults, limits }: CommandContext,
): ImageOptions {
  const { image } = defaults;
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
  checkOption("negative", !isLongerThan(negative, maxPromptLength), expectations.text(maxPromptLength));
  const size = options.getString("size");
  const scheduler = options.getString("scheduler");
  return {
    seed,
    steps,
    guidance,
    negative,
    size: size === null ? image.size : parseSetting("size", size),
    scheduler: scheduler === null ? image.scheduler : parseSetting("scheduler", scheduler),
  };
}

export function readText(
  { options }: ChatInputCommandInteraction,
  { defaults }: CommandContext,
  seed: number,
): TextOptions {
  const mode = options.getString("mode");
  return { ...defaults.text, seed, mode: mode === null ? defaults.text.mode : parseSetting("mode", mode) };
}
