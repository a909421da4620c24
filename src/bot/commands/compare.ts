import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { InputError } from "../../core/errors.js";
import { DEFAULT_STRENGTH, LIMIT_RANGES, STRENGTH_RANGE } from "../../core/options.js";
import { promptsFromPicture } from "../requests/from-picture.js";
import { checkedPrompt, checkRange } from "../requests/request.js";
import { fromAttached } from "../requests/sources.js";
import { commandTexts } from "../words/english/commands.js";
import type { RequestCommand } from "./command.js";
import { completeRequest } from "./completions.js";
import {
  againstOption,
  decidedBy,
  imageOptions,
  modeOption,
  promptOption,
  readImage,
  rewriterOption,
  sidesOf,
} from "./options.js";

const texts = commandTexts.compare;

/**
 * `/compare prompt [...]`: the rewrite and a picture of each from one seed; further pairs from the seeds
 * after it. `against`: another rewriter in place of the prompt as written. `from`: a picture whose prompt and settings are used where the command does not say otherwise; `image`: one
 * that both sides go on from.
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
      {
        type: ApplicationCommandOptionType.Attachment,
        name: "image",
        description: texts.image,
      },
      {
        type: ApplicationCommandOptionType.Number,
        name: "strength",
        description: texts.strength,
        min_value: STRENGTH_RANGE.min,
        max_value: STRENGTH_RANGE.max,
      },
      ...imageOptions(limits),
      rewriterOption,
      againstOption,
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
    const start = options.getAttachment("image");
    const given = options.getNumber("strength");
    if (start === null && given !== null)
      throw new InputError("INPUT_STRENGTH", "There is a strength, and no image to go on from.");
    const strength = checkRange("strength", given ?? DEFAULT_STRENGTH, STRENGTH_RANGE);
    const image = readImage(interaction, context);
    const pairs = checkRange("pairs", options.getInteger("pairs") ?? 1, {
      ...LIMIT_RANGES.pairs,
      max: context.limits.maxPairs,
    });
    const { text, ...opponent } = sidesOf(interaction, context, image.seed);
    return {
      kind: "compare",
      text,
      image,
      blind: pairs === 1 && (options.getBoolean("blind") ?? context.blind),
      known: [prompt],
      ...(from === null && start === null ? {} : { confirm: "notes" }),
      prompts: async () => {
        const prompts =
          from === null
            ? {
                items: Array.from({ length: pairs }, () => ({
                  prompt: prompt ?? "",
                  rewrite: null,
                  ...opponent,
                })),
              }
            : await promptsFromPicture(from, context, {
                prompt,
                rewriteAnew: ["mode", "rewriter"].some((name) => options.get(name) !== null),
                ...(options.getString("against") === null ? {} : { opponent: opponent.against ?? null }),
                given: decidedBy(interaction),
                pairs,
              });
        return start === null ? prompts : fromAttached(start, strength, context, image, prompts);
      },
    };
  },
};
