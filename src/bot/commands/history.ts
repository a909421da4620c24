import { ApplicationCommandType } from "discord.js";
import { replyPrivately } from "../discord/interactions.js";
import { HISTORY_MAX, historyMessage } from "../messages/history-message.js";
import { commandTexts } from "../words/english/commands.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand } from "./command.js";

/** `/history`: the user's last jobs, and a menu that does one of them again. */
export const history: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "history",
    description: commandTexts.history.description,
  }),

  async run(interaction, { records }) {
    const entries = await records.recentJobs(interaction.user.id, "", HISTORY_MAX);
    await replyPrivately(interaction, historyMessage(entries, Date.now(), wordsOf(interaction.locale)));
  },
};
