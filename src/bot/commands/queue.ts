import { ApplicationCommandType } from "discord.js";
import { replyPrivately } from "../discord/interactions.js";
import { codeSpan } from "../discord/markdown.js";
import { coarse, etas, positionsOf } from "../messages/parts/eta.js";
import type { ModelList } from "../requests/models.js";
import { quotaLine } from "../requests/quotas.js";
import { commandTexts } from "../words/english/commands.js";
import type { Words } from "../words/english/english.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand } from "./command.js";

const SHOWN = 10;

/** `/queue`: what runs and waits on this server, the positions of the user's own jobs, and what is left of quotas. */
export const queue: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "queue",
    description: commandTexts.queue.description,
  }),

  async run(interaction, { queue: jobs, quotas, paces, haveDevicesFailed, models }) {
    const words = wordsOf(interaction.locale);
    const { queueLines, quotaLines } = words;
    const [open, isPaused] = await Promise.all([jobs.work(), jobs.paused()]);
    // While nothing starts, nobody can say when it will be done.
    const hasFailed = haveDevicesFailed();
    const times = isPaused || hasFailed ? new Map<string, number>() : etas(open, paces());
    const positions = positionsOf(open);
    const line = (job: (typeof open)[number]): string => {
      // Jobs of other servers count towards positions, but are not listed.
      const known =
        job.userId === interaction.user.id || (job.guildId !== null && job.guildId === interaction.guildId);
      const ms = times.get(job.id);
      return queueLines.entry(
        known ? job : null,
        job.phase,
        positions.get(job.id) ?? 0,
        ms === undefined ? null : coarse(ms),
        job.held,
      );
    };
    const running = open.filter(({ state }) => state === "running");
    const waiting = open.filter(({ state }) => state === "queued");
    const own = waiting.slice(SHOWN).filter(({ userId }) => userId === interaction.user.id);
    const lines = [
      ...(isPaused ? [queueLines.paused] : hasFailed ? [queueLines.devicesFailed] : []),
      queueLines.counts(running.length, waiting.length),
      ...modelLines(models, words),
      ...running.map(line),
      ...waiting.slice(0, SHOWN).map(line),
      ...(own.length === 0 ? [] : [queueLines.yours, ...own.slice(0, SHOWN).map(line)]),
    ];
    const limits = (await quotas.of(interaction)).map((quota) => quotaLine(quota, words));
    if (limits.length > 0) lines.push("", quotaLines.title, ...limits);
    await replyPrivately(interaction, {
      embeds: [{ title: queueLines.title, description: lines.join("\n") }],
    });
  },
};

/** Which models are loaded, where they take turns. */
function modelLines({ loaded }: ModelList, { queueLines }: Words): string[] {
  if (loaded === undefined || loaded.swaps === 0) return [];
  const { names, swaps } = loaded;
  return [
    [...(names.length === 0 ? [] : [queueLines.loaded(names.map(codeSpan))]), queueLines.swaps(swaps)].join(
      " ",
    ),
  ];
}
