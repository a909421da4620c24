import { ApplicationCommandType } from "discord.js";
import { randomSeed } from "../../core/options.js";
import { readPrompt } from "../requests/request.js";
import { commandTexts } from "../words/commands.js";
import type { RequestCommand } from "./command.js";
import { completeRequest } from "./completions.js";
import { modeOption, promptOption, promptsOption, readPrompts, readText } from "./options.js";

/** `/optimize prompt [mode] [prompts]`: the rewrite alone. */
export const optimize: RequestCommand = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "optimize",
    description: commandTexts.optimize.description,
    options: [promptOption(limits), modeOption, promptsOption],
  }),

  complete: completeRequest,

  read(interaction, context) {
    const prompt = readPrompt(interaction, context.limits);
    const seed = randomSeed();
    return {
      kind: "optimize",
      text: readText(interaction, context, seed),
      image: {
        ...context.defaults.image,
        prompts: readPrompts(interaction, context.defaults.image),
        seed,
      },
      known: [prompt],
      prompts: async () => ({ items: [{ prompt, rewrite: null }] }),
    };
  },
};
