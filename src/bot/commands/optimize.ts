import { ApplicationCommandType } from "discord.js";
import { InputError } from "../../core/errors.js";
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
  rewriterOption,
  styleOption,
} from "./options.js";

/** Rewriters that one command compares. */
const REWRITERS_MAX = 4;

/**
 * `/optimize prompt [rewriter] [mode] [prompts] [style] [model] [lora]`: the rewrite alone, of several rewriters side by
 * side; its buttons draw with the models.
 */
export const optimize: RequestCommand = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "optimize",
    description: commandTexts.optimize.description,
    options: [promptOption(limits), rewriterOption, modeOption, promptsOption, styleOption, ...modelOptions],
  }),

  complete: completeRequest,

  read(interaction, context) {
    const prompt = readPrompt(interaction, context.limits);
    const seed = randomSeed();
    const { style: _, model: __, loras: ___, ...usual } = laterImage(context);
    const named = interaction.options.getString("rewriter")?.split(",") ?? [null];
    if (named.length > REWRITERS_MAX)
      throw new InputError("INPUT_REWRITER", `At most ${REWRITERS_MAX} rewriters at once.`, {
        rewriter: named[REWRITERS_MAX]!.trim(),
      });
    const [text, ...others] = named.map((name) => readText(interaction, context, seed, name));
    return {
      kind: "optimize",
      text: text!,
      image: {
        ...usual,
        prompts: readPrompts(interaction, usual),
        ...readStyle(interaction.options.getString("style"), context),
        ...modelsOf(interaction, context),
        seed,
      },
      known: [prompt],
      prompts: async () => ({
        items: [text!, ...others].map((own, i) => ({
          prompt,
          rewrite: null,
          ...(i === 0 ? {} : { seed, text: own }),
        })),
      }),
    };
  },
};
