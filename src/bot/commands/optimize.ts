import { ApplicationCommandType } from "discord.js";
import { randomSeed } from "../../core/options.js";
import { type Command, readPrompt } from "../requests/request.js";
import { commandTexts } from "../words/messages.js";
import { modeOption, promptOption, readText } from "./options.js";

/** `/optimize prompt [mode]`: the rewrite alone. */
export const optimize: Command = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "optimize",
    description: commandTexts.optimize.description,
    options: [promptOption(limits), modeOption],
  }),

  read(interaction, context) {
    const prompt = readPrompt(interaction, context.limits);
    const seed = randomSeed();
    return {
      kind: "optimize",
      text: readText(interaction, context, seed),
      image: { ...context.defaults.image, seed },
      known: [prompt],
      prompts: async () => [{ prompt, rewrite: null }],
    };
  },
};
