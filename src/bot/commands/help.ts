import { ApplicationCommandType } from "discord.js";
import { replyPrivately } from "../discord/interactions.js";
import { commandTexts } from "../words/english/commands.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand } from "./command.js";

/** `/help`: what there is, in one private message. */
export const help: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "help",
    description: commandTexts.help.description,
  }),
  async run(interaction) {
    const { helpText } = wordsOf(interaction.locale);
    await replyPrivately(interaction, {
      embeds: [{ title: helpText.title, description: helpText.lines.join("\n") }],
    });
  },
};
