import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type ChatInputCommandInteraction,
} from "discord.js";
import type { ExportedVote, Tally, VoteFilter, VoteKey, Votes } from "../../db/votes.js";
import { votesPlot } from "../../pictures/plots.js";
import { deferReply } from "../discord/interactions.js";
import { mayManage } from "../requests/rules.js";
import { commandTexts } from "../words/english/commands.js";
import type { Words } from "../words/english/english.js";
import { statsLines as inPictures, verdictOf } from "../words/english/votes.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand, Services } from "./command.js";
import { sendExport } from "./export.js";

const texts = commandTexts.stats;
const GROUPS_SHOWN = 10;

interface Line {
  /** In the reader's words. */
  readonly label: string;
  /** The user whose votes these are; null for those of several. */
  readonly userId: string | null;
  /** The label in the plot, whose texts are English. */
  readonly drawn: string;
  readonly tally: Tally;
}

/** `/stats show [by]`, `/stats export`: how often people prefer the rewrite, and how sure that is. */
export const stats: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "stats",
    description: texts.description,
    options: [
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "show",
        description: texts.show,
        options: [
          {
            type: ApplicationCommandOptionType.String,
            name: "by",
            description: texts.by,
            choices: [
              { name: texts.byServer, value: "server" },
              { name: texts.byUser, value: "user" },
              { name: texts.byMode, value: "mode" },
            ],
          },
        ],
      },
      { type: ApplicationCommandOptionType.Subcommand, name: "export", description: texts.export },
    ],
  }),

  async run(interaction, services) {
    const { guildId, user } = interaction;
    // In a direct message there is no server: users see their own votes.
    const filter: VoteFilter = guildId === null ? { userId: user.id } : { guildId };
    return interaction.options.getSubcommand() === "export"
      ? exportVotes(interaction, filter, services)
      : show(interaction, filter, services);
  },
};

async function exportVotes(
  interaction: ChatInputCommandInteraction,
  filter: VoteFilter,
  { send, votes, settings }: Services,
): Promise<void> {
  const { guildId, user } = interaction;
  const all = guildId === null || mayManage(interaction, await settings.resolve(interaction));
  const { refusals } = wordsOf(interaction.locale);
  const find = async () => {
    const keys = await votes.keys(all ? filter : { ...filter, userId: user.id });
    return keys.length === 0 ? refusals.noVotes : { records: exportedVotes(votes, keys), closing: "" };
  };
  await sendExport(interaction, send, find, {
    name: "votes",
    ending: "jsonl",
    piecesOf: (vote) => [{ list: "votes", data: Buffer.from(`${JSON.stringify(vote)}\n`) }],
    write: (pieces) => pieces.map(({ data }) => data),
  });
}

async function show(
  interaction: ChatInputCommandInteraction,
  filter: VoteFilter,
  { votes }: Services,
): Promise<void> {
  await deferReply(interaction);
  const by = interaction.options.getString("by") ?? "server";
  const words = wordsOf(interaction.locale);
  const { statsLines } = words;
  const tally = await votes.total(filter);
  const overall: Line = { label: statsLines.all, userId: null, drawn: inPictures.all, tally };
  if (Object.values(tally).every((votes) => votes === 0)) {
    const { sentence } = verdictOf(tally, words.verdictLines);
    await interaction.editReply({ embeds: [{ title: statsLines.title, description: sentence }] });
    return;
  }
  const groups = Object.hasOwn(GROUPS, by)
    ? await GROUPS[by as keyof typeof GROUPS](votes, filter, words)
    : [];
  const told = [overall, ...groups].map((line) => ({
    ...line,
    verdict: verdictOf(line.tally, words.verdictLines),
  }));
  const plot = await votesPlot(
    inPictures.title,
    told.map(({ drawn, verdict: { rate, interval, note } }) => ({ label: drawn, rate, interval, note })),
  );
  await interaction.editReply({
    embeds: [
      {
        title: statsLines.title,
        description: told
          .map(({ label, userId, verdict }) => {
            const whose = userId === null ? "" : ` <@${userId}>`;
            return `**${label}${whose}**: ${verdict.sentence}`;
          })
          .join("\n"),
        image: { url: "attachment://stats.png" },
      },
    ],
    files: [
      {
        name: "stats.png",
        attachment: plot,
        description: told.map(({ label, verdict }) => `${label}: ${verdict.sentence}`).join(" "),
      },
    ],
  });
}

/** The lines below the first one, by what is compared. */
const GROUPS = {
  server: async () => [],
  mode: async (votes: Votes, filter: VoteFilter): Promise<Line[]> =>
    (await votes.by("mode", filter, GROUPS_SHOWN)).map(({ key, ...tally }) => ({
      label: key,
      userId: null,
      drawn: key,
      tally,
    })),
  user: async (votes: Votes, filter: VoteFilter, { statsLines }: Words): Promise<Line[]> =>
    (await votes.by("user", filter, GROUPS_SHOWN)).map(({ key, ...tally }, i) => ({
      label: statsLines.voter(i + 1),
      userId: key,
      drawn: inPictures.voter(i + 1),
      tally,
    })),
} as const;

async function* exportedVotes(votes: Votes, keys: readonly VoteKey[]): AsyncGenerator<ExportedVote> {
  for (const key of keys) {
    const vote = await votes.exported(key);
    if (vote !== undefined) yield vote;
  }
}
