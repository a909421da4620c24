import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { InputError } from "../../core/errors.js";
import { commandTexts } from "../messages.js";
import { readPrompts } from "../read-prompts.js";
import { type Command, randomSeed } from "./command.js";

const texts = commandTexts.batch;

/** `/batch file`: `/compare` for each prompt of a file; pairs in it skip the rewriting. */
export const batch: Command = {
  definition: () => ({
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
    ],
  }),

  read(interaction, { defaults, limits, download }) {
    const file = interaction.options.getAttachment("file", true);
    if (file.size > limits.maxFileBytes) {
      throw new InputError("FILE_TOO_BIG", `The file is larger than ${limits.maxFileBytes} bytes.`, {
        limit: limits.maxFileBytes,
        found: file.size,
      });
    }
    const seed = randomSeed();
    return {
      kind: "batch",
      text: { ...defaults.text, seed },
      image: { ...defaults.image, seed },
      known: [],
      prompts: async () =>
        readPrompts(await download(file.url), file.name, {
          maxBytes: limits.maxFileBytes,
          maxPrompts: limits.maxBatch,
          maxPromptLength: limits.maxPromptLength,
        }),
    };
  },
};
