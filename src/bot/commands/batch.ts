import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { InputError } from "../../core/errors.js";
import { DEFAULT_SIDES, IMAGE_RANGES, type ImageOptions, type Sides, showSize } from "../../core/options.js";
import { commonOptions, type PromptPair, type RowOptions } from "../../prompt-files/prompt-file.js";
import { readPrompts } from "../../prompt-files/read-prompts.js";
import { checkRange, readSize } from "../requests/request.js";
import { commandTexts } from "../words/commands.js";
import type { RequestCommand } from "./command.js";
import { imageOptions, modeOption, readImage, readText } from "./options.js";

const texts = commandTexts.batch;

/**
 * `/batch file [...]`: `/compare` for each prompt of a file, started from a draft. Pairs in the file skip the
 * rewriting, and a batch's own report draws the same pictures again. The command's options override the
 * file's.
 */
export const batch: RequestCommand = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "batch",
    description: texts.description,
    options: [
      {
        type: ApplicationCommandOptionType.Attachment,
        name: "file",
        description: texts.file,
        required: true,
      },
      ...imageOptions(limits),
      modeOption,
    ],
  }),

  read(interaction, context) {
    const { limits, download } = context;
    const { options } = interaction;
    const file = options.getAttachment("file", true);
    if (file.size > limits.maxFileBytes) {
      throw new InputError("FILE_TOO_BIG", `The file is larger than ${limits.maxFileBytes} bytes.`, {
        limit: limits.maxFileBytes,
        found: file.size,
      });
    }
    const image = readImage(interaction, context);
    const given = (name: keyof ImageOptions) => options.get(name) !== null;
    return {
      kind: "batch",
      text: readText(interaction, context, image.seed),
      image,
      known: [],
      confirm: true,
      prompts: async () => {
        const pairs = await readPrompts(await download(file.url), file.name, {
          maxBytes: limits.maxFileBytes,
          maxPrompts: limits.maxBatch,
          maxPromptLength: limits.maxPromptLength,
        });
        return {
          image: optionsOfFile(pairs, limits.maxSteps, given, limits.sides),
          items: pairs.map(({ prompt, optimized, seed }) => ({
            prompt,
            rewrite: optimized,
            ...(seed === undefined || given("seed") ? {} : { seed }),
          })),
        };
      },
    };
  },
};

/**
 * The options that all rows of a file share, without those that the command itself gives. The ranges are
 * those of the command's own options. Throws InputError INPUT_OPTION, and FILE_SHAPE where rows differ.
 */
export function optionsOfFile(
  pairs: readonly PromptPair[],
  maxSteps: number,
  given: (name: keyof ImageOptions) => boolean,
  sides: Sides = DEFAULT_SIDES,
): RowOptions {
  const options = commonOptions(pairs);
  const { steps, guidance, size } = options;
  if (steps !== undefined) checkRange("steps", steps, { ...IMAGE_RANGES.steps, max: maxSteps });
  if (guidance !== undefined) checkRange("guidance", guidance, IMAGE_RANGES.guidance);
  if (size !== undefined) readSize(showSize(size), { sides });
  const named = Object.entries(options).filter(([name]) => !given(name as keyof ImageOptions));
  return Object.fromEntries(named);
}
