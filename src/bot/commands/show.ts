import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { isFinished } from "../../core/job.js";
import { deferPrivately, deferReply, replyPrivately } from "../discord/interactions.js";
import { plainMessage } from "../discord/outgoing.js";
import { fileLines } from "../messages/evaluation-message.js";
import { evaluationReport } from "../messages/evaluation-zip.js";
import { finalMessage } from "../messages/final-message.js";
import { zipPart } from "../messages/parts/overview-files.js";
import { CHANNEL_LIMIT } from "../messages/parts/picture-fit.js";
import { mayModerate } from "../requests/rules.js";
import { commandTexts } from "../words/english/commands.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand } from "./command.js";
import { completeOwnJob } from "./completions.js";

const PARTS_MAX = 1000;

/**
 * `/show id [part] [evaluation]`: posts a stored result again, with its buttons, where its message is gone or never
 * came. `part` sends one of the zips of a batch, `evaluation` a report on it, to the user alone.
 */
export const show: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "show",
    description: commandTexts.show.description,
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: "id",
        description: commandTexts.show.id,
        required: true,
        max_length: 64,
        autocomplete: true,
      },
      {
        type: ApplicationCommandOptionType.Integer,
        name: "part",
        description: commandTexts.show.part,
        min_value: 1,
        max_value: PARTS_MAX,
      },
      {
        type: ApplicationCommandOptionType.Boolean,
        name: "evaluation",
        description: commandTexts.show.evaluation,
      },
    ],
  }),

  complete: completeOwnJob,

  async run(interaction, { queue, deliveries, presenter, send, settings }) {
    const words = wordsOf(interaction.locale);
    const { refusals } = words;
    const job = await queue.get(interaction.options.getString("id", true).trim());
    if (job === undefined) return replyPrivately(interaction, refusals.unknownJob);
    if (!mayModerate(interaction, job.origin, await settings.resolve(job.origin))) {
      return replyPrivately(interaction, refusals.notYours);
    }
    if (!isFinished(job.state)) return replyPrivately(interaction, refusals.stillOpen);
    const limit = { ...CHANNEL_LIMIT, perFile: interaction.attachmentSizeLimit };
    const part = interaction.options.getInteger("part");
    if (part !== null) {
      await deferPrivately(interaction);
      const facts = { ...(await presenter.facts(job, interaction, job.items)), words };
      const { file, parts } = await zipPart(job, part, facts, limit);
      if (file === null) await interaction.editReply({ content: refusals.noPart(parts) });
      else await send(interaction, { ...plainMessage(""), files: [file] }, "reply");
      return;
    }
    if (interaction.options.getBoolean("evaluation") === true) {
      await deferPrivately(interaction);
      const facts = { ...(await presenter.facts(job, interaction, job.items)), words };
      const report = await evaluationReport(job, facts, limit.perFile);
      if (report === null) await interaction.editReply({ content: refusals.noEvaluation });
      else {
        const files = report.file === null ? [] : [report.file];
        await send(interaction, { ...plainMessage(fileLines(report, words).join("\n")), files }, "reply");
      }
      return;
    }
    await deferReply(interaction);
    const facts = { ...(await presenter.facts(job, interaction)), words };
    const copy = await send(interaction, await finalMessage(job, facts, limit), "reply");
    // The job's user may have been erased meanwhile.
    if (!(await deliveries.posted(job.id, interaction.channelId, copy))) await interaction.deleteReply();
  },
};
