import { ApplicationCommandType } from "discord.js";
import { randomSeed } from "../../core/options.js";
import { readPrompt } from "../requests/request.js";
import { commandTexts } from "../words/commands.js";
import type { RequestCommand } from "./command.js";
import { completeRequest } from "./completions.js";
import { modeOption, promptOption, readText } from "./options.js";

/** `/optimize prompt [mode]`: the rewrite alone. */
export const optimize: RequestCommand = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "optimize",
    description: commandTexts.optimize.description,
    options: [promptOption(limits), modeOption],
  }),

  complete: completeRequest,

  read(interaction, context) {
    const prompt = readPrompt(interaction, context.limits);
    const seed = randomSeed();
    return {
      kind: "optimize",
      text: readText(interaction, context, seed),
      image: { ...context.defaults.image, seed },
      known: [prompt],
      prompts: async () => ({ items: [{ prompt, rewrite: null }] }),
    };
  },
};
