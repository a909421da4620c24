import { ApplicationCommandType } from "discord.js";
import type { Job } from "../../core/job.js";
import type { JobEntry } from "../../db/records.js";
import { replyPrivately } from "../discord/interactions.js";
import { HISTORY_MAX, historyMessage } from "../messages/history-message.js";
import { commandTexts } from "../words/commands.js";
import { jobCompletion } from "../words/history.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand } from "./command.js";

/** Discord: the most letters of a choice that completes an option. */
const CHOICE_MAX = 100;

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

/** Failed jobs whose prompt or id contains what was typed, as choices that complete an id. */
export const completeFailed = (jobs: readonly Job[], typed: string, locale: string) =>
  completeJobs(
    jobs
      .map(({ id, kind, createdAt, items }) => ({
        id,
        kind,
        state: "failed" as const,
        createdAt,
        prompt: items[0]?.prompt ?? "",
      }))
      .filter(({ id, prompt }) => `${id} ${prompt}`.toLowerCase().includes(typed.trim().toLowerCase())),
    locale,
  );

/** Jobs as the choices that complete an id. */
export const completeJobs = (
  jobs: readonly Pick<JobEntry, "id" | "kind" | "state" | "createdAt" | "prompt">[],
  locale: string,
): { readonly name: string; readonly value: string }[] => {
  const words = wordsOf(locale);
  return jobs.map((job) => ({
    name: jobCompletion(job, Date.now(), CHOICE_MAX, words),
    value: job.id,
  }));
};
