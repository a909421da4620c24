import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { isFinished } from "../../core/job.js";
import { commandTexts, refusals } from "../messages.js";
import { toRequest } from "../outgoing.js";
import { mayModerate } from "../place.js";
import type { AnswerCommand } from "./answer.js";
import { privately } from "./settings.js";

/** `/show id`: a stored result again, with its buttons; for one whose message is gone, or never came. */
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
      },
    ],
  }),

  async run(interaction, { queue, compose, placeOf }) {
    const job = await queue.get(interaction.options.getString("id", true).trim());
    if (job === undefined) return privately(interaction, refusals.unknownJob);
    if (!mayModerate(interaction, job.origin, placeOf(job.origin))) {
      return privately(interaction, refusals.notYours);
    }
    if (!isFinished(job.state)) return privately(interaction, refusals.stillOpen);
    await interaction.deferReply();
    const { body, files } = toRequest(await compose(job, interaction.attachmentSizeLimit, interaction), null);
    await interaction.editReply({
      content: body.content ?? "",
      embeds: body.embeds ?? [],
      components: body.components ?? [],
      files: files.map(({ name, data }, i) => ({
        name,
        attachment: data as Buffer,
        description: body.attachments?.[i]?.description ?? "",
      })),
    });
  },
};
