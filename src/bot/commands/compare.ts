import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { LIMIT_RANGES } from "../../core/options.js";
import { promptsFromPicture } from "../requests/from-picture.js";
import { checkedPrompt, checkRange } from "../requests/request.js";
import { commandTexts } from "../words/english/commands.js";
import type { RequestCommand } from "./command.js";
import { completeRequest } from "./completions.js";
import { imageOptions, modeOption, promptOption, readImage, readText } from "./options.js";

const texts = commandTexts.compare;

/**
 * `/compare prompt [...]`: the rewrite and a picture of each from one seed; further pairs from the seeds
 * after it. `from`: a picture whose prompt and settings are used where the command does not say otherwise.
 */
export const compare: RequestCommand = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "compare",
    description: texts.description,
    options: [
      { ...promptOption(limits), required: false },
      {
        type: ApplicationCommandOptionType.Attachment,
        name: "from",
        description: texts.from,
      },
      ...imageOptions(limits),
      modeOption,
      {
        type: ApplicationCommandOptionType.Integer,
        name: "pairs",
        description: texts.pairs,
        min_value: LIMIT_RANGES.pairs.min,
        max_value: limits.maxPairs,
      },
      { type: ApplicationCommandOptionType.Boolean, name: "blind", description: texts.blind },
    ],
  }),

  complete: completeRequest,

  read(interaction, context) {
    const { options } = interaction;
    const from = options.getAttachment("from");
    const typed = options.getString("prompt") ?? "";
    const prompt = from !== null && typed.trim() === "" ? null : checkedPrompt(typed, context.limits);
    const image = readImage(interaction, context);
    const pairs = checkRange("pairs", options.getInteger("pairs") ?? 1, {
      ...LIMIT_RANGES.pairs,
      max: context.limits.maxPairs,
    });
    return {
      kind: "compare",
      text: readText(interaction, context, image.seed),
      image,
      blind: pairs === 1 && (options.getBoolean("blind") ?? context.blind),
      known: [prompt],
      ...(from === null ? {} : { confirm: "notes" }),
      prompts: async () =>
        from === null
          ? { items: Array.from({ length: pairs }, () => ({ prompt: prompt ?? "", rewrite: null })) }
          : promptsFromPicture(from, context, {
              prompt,
              rewriteAnew: options.getString("mode") !== null,
              given: (name) => options.get(name) !== null,
              pairs,
            }),
    };
  },
};
