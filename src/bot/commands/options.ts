import {
  type APIApplicationCommandBasicOption,
  ApplicationCommandOptionType,
  type ChatInputCommandInteraction,
} from "discord.js";
import { type ImageOptions, SCHEDULERS, type SearchMode, type TextOptions } from "../../core/job.js";
import { cleanPrompt, isLongerThan } from "../../prompt-files/prompt-file.js";
import {
  type CommandContext,
  checkInteger,
  checkNumber,
  checkOption,
  type Limits,
  MAX_GUIDANCE,
  randomSeed,
  textOptionMax,
} from "../requests/request.js";
import { parseSetting } from "../requests/setting-catalog.js";
import { commandTexts } from "../words/commands.js";
import { expectations } from "../words/errors.js";

const texts = commandTexts.options;
const MAX_SEED = Number.MAX_SAFE_INTEGER;
const MODES = ["beam", "greedy", "sample"] as const satisfies readonly SearchMode[];

/** The prompt; the asker's own recent ones are offered while it is typed. */
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
  choices: MODES.map((value) => ({ name: texts.modes[value], value })),
};

/** How the pictures are drawn; what is left out is as the channel has it. */
export const imageOptions = (limits: Limits): APIApplicationCommandBasicOption[] => [
  {
    type: ApplicationCommandOptionType.Integer,
    name: "seed",
    description: texts.seed,
    min_value: 0,
    max_value: MAX_SEED,
  },
  {
    type: ApplicationCommandOptionType.Integer,
    name: "steps",
    description: texts.steps,
    min_value: 1,
    max_value: limits.maxSteps,
  },
  {
    type: ApplicationCommandOptionType.Number,
    name: "guidance",
    description: texts.guidance,
    min_value: 0,
    max_value: MAX_GUIDANCE,
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

/** Discord checks values in its own clients alone, so all are checked again. Throws InputError INPUT_OPTION. */
export function readImage(
  { options }: ChatInputCommandInteraction,
  { defaults, limits }: CommandContext,
): ImageOptions {
  const { image } = defaults;
  const seed = checkInteger("seed", options.getInteger("seed") ?? randomSeed(), 0, MAX_SEED);
  const steps = checkInteger("steps", options.getInteger("steps") ?? image.steps, 1, limits.maxSteps);
  const guidance = checkNumber("guidance", options.getNumber("guidance") ?? image.guidance, 0, MAX_GUIDANCE);
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
