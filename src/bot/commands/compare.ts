import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { cleanPrompt, isLongerThan } from "../../core/prompt-file.js";
import { commandTexts, expectations } from "../messages.js";
import {
  type Command,
  checkInteger,
  checkNumber,
  checkOption,
  MAX_GUIDANCE,
  randomSeed,
  readPrompt,
  textOptionMax,
} from "./command.js";

const texts = commandTexts.compare;
const MAX_SEED = Number.MAX_SAFE_INTEGER;

/** `/compare prompt [seed] [steps] [guidance] [negative]`: the rewrite, and a picture of each from one seed. */
export const compare: Command = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "compare",
    description: texts.description,
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: "prompt",
        description: texts.prompt,
        required: true,
        min_length: 1,
        max_length: textOptionMax(limits.maxPromptLength),
      },
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
      { type: ApplicationCommandOptionType.Boolean, name: "blind", description: texts.blind },
    ],
  }),

  read(interaction, { defaults, limits, blind }) {
    const { options } = interaction;
    const prompt = readPrompt(interaction, limits);
    const { image } = defaults;
    const seed = checkInteger("seed", options.getInteger("seed") ?? randomSeed(), 0, MAX_SEED);
    const steps = checkInteger("steps", options.getInteger("steps") ?? image.steps, 1, limits.maxSteps);
    const guidance = checkNumber(
      "guidance",
      options.getNumber("guidance") ?? image.guidance,
      0,
      MAX_GUIDANCE,
    );
    const negative = cleanPrompt(options.getString("negative") ?? image.negative);
    const { maxPromptLength } = limits;
    checkOption("negative", !isLongerThan(negative, maxPromptLength), expectations.text(maxPromptLength));
    return {
      kind: "compare",
      text: { ...defaults.text, seed },
      image: { ...image, seed, steps, guidance, negative },
      blind: options.getBoolean("blind") ?? blind,
      known: [prompt],
      prompts: async () => [{ prompt, optimized: null }],
    };
  },
};
