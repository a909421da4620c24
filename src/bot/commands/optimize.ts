import { ApplicationCommandType } from "discord.js";
import { randomSeed } from "../../core/options.js";
import { laterImage, readPrompt, readStyle } from "../requests/request.js";
import { commandTexts } from "../words/english/commands.js";
import type { RequestCommand } from "./command.js";
import { completeRequest } from "./completions.js";
import {
  modelOptions,
  modelsOf,
  modeOption,
  promptOption,
  promptsOption,
  readPrompts,
  readText,
  styleOption,
} from "./options.js";

/** `/optimize prompt [mode] [prompts] [style] [model] [lora]`: the rewrite alone; its buttons draw with the models. */
export const optimize: RequestCommand = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "optimize",
    description: commandTexts.optimize.description,
    options: [promptOption(limits), modeOption, promptsOption, styleOption, ...modelOptions],
  }),

  complete: completeRequest,

  read(interaction, context) {
    const prompt = readPrompt(interaction, context.limits);
    const seed = randomSeed();
    const { style: _, model: __, loras: ___, ...usual } = laterImage(context);
    return {
      kind: "optimize",
      text: readText(interaction, context, seed),
      image: {
        ...usual,
        prompts: readPrompts(interaction, usual),
        ...readStyle(interaction.options.getString("style"), context),
        ...modelsOf(interaction, context),
        seed,
      },
      known: [prompt],
      prompts: async () => ({ items: [{ prompt, rewrite: null }] }),
    };
  },
};
