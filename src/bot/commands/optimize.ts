import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { commandTexts } from "../messages.js";
import { type Command, randomSeed, readPrompt, textOptionMax } from "./command.js";

const texts = commandTexts.optimize;

/** `/optimize prompt`: the rewrite alone. */
export const optimize: Command = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "optimize",
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
    ],
  }),

  read(interaction, { defaults, limits }) {
    const prompt = readPrompt(interaction, limits);
    const seed = randomSeed();
    return {
      kind: "optimize",
      text: { ...defaults.text, seed },
      image: { ...defaults.image, seed },
      known: [prompt],
      prompts: async () => [{ prompt, optimized: null }],
    };
  },
};
