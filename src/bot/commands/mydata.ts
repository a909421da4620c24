import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ApplicationCommandOptionType, ApplicationCommandType, MessageFlags } from "discord.js";
import { commandTexts, dataLines } from "../messages.js";
import type { AnswerCommand } from "./answer.js";
import { privately } from "./settings.js";

const texts = commandTexts.mydata;

/** `/mydata export | erase`: all that is stored about the asker, and its end. */
export const mydata: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "mydata",
    description: texts.description,
    options: [
      { type: ApplicationCommandOptionType.Subcommand, name: "export", description: texts.export },
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "erase",
        description: texts.erase,
        options: [
          {
            type: ApplicationCommandOptionType.Boolean,
            name: "confirm",
            description: texts.confirm,
            required: true,
          },
        ],
      },
    ],
  }),

  async run(interaction, { queue, votes, drafts, settings, events, picturesDir }) {
    const userId = interaction.user.id;
    if (interaction.options.getSubcommand() === "export") {
      await interaction.deferReply({ flags: MessageFlags.Ephemeral });
      const jobs = (await queue.ofUser(userId)).map(({ origin, ...job }) => ({
        ...job,
        // The token is a key of Discord's, not a person's data.
        origin: { ...origin, interactionToken: undefined },
      }));
      const all = {
        jobs,
        // What was attached and not started yet.
        drafts: drafts.ofUser(userId).map(({ request, createdAt }) => ({ ...request, createdAt })),
        votes: votes.list({ userId }),
        settings: settings.list("user", userId),
      };
      const data = Buffer.from(`${JSON.stringify(all, null, 2)}\n`);
      await interaction.editReply({
        content: dataLines.exported(jobs.length, all.votes.length),
        files: [{ name: "mydata.json", attachment: data }],
      });
      return;
    }
    if (!interaction.options.getBoolean("confirm", true))
      return privately(interaction, dataLines.notConfirmed);
    await interaction.deferReply({ flags: MessageFlags.Ephemeral });
    const { deleted, stopping } = await queue.eraseUser(userId);
    for (const id of deleted)
      await rm(join(picturesDir, id), { recursive: true, force: true, maxRetries: 3 });
    for (const jobId of stopping) events.emit("job.cancel-requested", { jobId });
    votes.erase(userId);
    drafts.erase(userId);
    settings.erase(userId);
    await interaction.editReply({ content: dataLines.erased(deleted.length, stopping.length) });
  },
};
