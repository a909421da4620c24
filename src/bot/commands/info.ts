import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { deferPrivately } from "../discord/interactions.js";
import { pictureMessage } from "../messages/picture-message.js";
import { differences, readAttached } from "../requests/from-picture.js";
import { offeredHere } from "../requests/models.js";
import { contextOf } from "../requests/rules.js";
import { commandTexts } from "../words/english/commands.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand } from "./command.js";

/** `/info picture`: the prompt and settings in a picture's file, told to the user alone. */
export const info: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "info",
    description: commandTexts.info.description,
    options: [
      {
        type: ApplicationCommandOptionType.Attachment,
        name: "picture",
        description: commandTexts.info.picture,
        required: true,
      },
    ],
  }),

  async run(interaction, { context: general, settings, models, send }) {
    const attached = interaction.options.getAttachment("picture", true);
    await deferPrivately(interaction);
    const here = await settings.resolve(interaction);
    const context = contextOf(general, here, [], await offeredHere(models, here, interaction));
    const words = wordsOf(interaction.locale);
    const picture = await readAttached(attached, context);
    await send(interaction, pictureMessage(picture, differences(picture, context), words), "reply");
  },
};
