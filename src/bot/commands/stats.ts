import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type ChatInputCommandInteraction,
} from "discord.js";
import { GIVEN, NO_REWRITER, titleOf } from "../../core/rewriters.js";
import { bradleyTerry } from "../../core/statistics/bradley-terry.js";
import type { ExportedVote, Tally, VoteFilter, VoteKey, Votes } from "../../db/votes.js";
import { votesPlot } from "../../pictures/plots.js";
import { deferReply } from "../discord/interactions.js";
import { mayManage } from "../requests/rules.js";
import { commandTexts } from "../words/english/commands.js";
import type { Words } from "../words/english/english.js";
import { statsLines as inPictures, type Verdict, verdictOf } from "../words/english/votes.js";
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
  readonly verdict: Omit<Verdict, "decided">;
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
              { name: texts.byRewriter, value: "rewriter" },
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
  const overall = lineOf(statsLines.all, inPictures.all, tally, words);
  const groups = Object.hasOwn(GROUPS, by)
    ? await GROUPS[by as keyof typeof GROUPS](votes, filter, words)
    : [];
  // Between two rewriters people may well have voted all the same.
  const hasNone = Object.values(tally).every((votes) => votes === 0);
  if (hasNone && groups.length === 0) {
    const { sentence } = overall.verdict;
    await interaction.editReply({ embeds: [{ title: statsLines.title, description: sentence }] });
    return;
  }
  const told = [...(hasNone ? [] : [overall]), ...groups];
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

const lineOf = (
  label: string,
  drawn: string,
  tally: Tally,
  { verdictLines }: Words,
  userId: string | null = null,
): Line => ({ label, userId, drawn, verdict: verdictOf(tally, verdictLines) });

/** The lines below the first one, by what is compared. */
const GROUPS = {
  server: async () => [],
  mode: async (votes: Votes, filter: VoteFilter, words: Words): Promise<Line[]> =>
    (await votes.by("mode", filter, GROUPS_SHOWN)).map(({ key, ...tally }) => lineOf(key, key, tally, words)),
  user: async (votes: Votes, filter: VoteFilter, words: Words): Promise<Line[]> =>
    (await votes.by("user", filter, GROUPS_SHOWN)).map(({ key, ...tally }, i) =>
      lineOf(words.statsLines.voter(i + 1), inPictures.voter(i + 1), tally, words, key),
    ),
  rewriter: async (votes: Votes, filter: VoteFilter, { statsLines }: Words): Promise<Line[]> => {
    const duels = (await votes.duels(filter)).map(
      ({ baselineRewriter, optimizedRewriter, baseline, optimized }) => ({
        one: optimizedRewriter,
        other: baselineRewriter,
        won: optimized,
        lost: baseline,
      }),
    );
    const rated = bradleyTerry(duels, NO_REWRITER).filter(({ n }) => n > 0);
    return rated.slice(0, GROUPS_SHOWN).map((rating, i): Line => {
      const { name, share, n, ...interval } = rating;
      const isReference = name === NO_REWRITER;
      const label = isReference ? statsLines.asWritten : name === GIVEN ? statsLines.given : titleOf(name);
      const drawn = isReference ? inPictures.asWritten : name === GIVEN ? inPictures.given : titleOf(name);
      return {
        label: `${i + 1}. ${label}`,
        userId: null,
        drawn,
        verdict: {
          rate: share,
          interval,
          sentence: isReference ? statsLines.reference(n) : statsLines.rated(share, interval, n),
          note: isReference ? `n = ${n}` : `${Math.round(share * 100)} %, n = ${n}`,
        },
      };
    });
  },
} as const;

async function* exportedVotes(votes: Votes, keys: readonly VoteKey[]): AsyncGenerator<ExportedVote> {
  for (const key of keys) {
    const vote = await votes.exported(key);
    if (vote !== undefined) yield vote;
  }
}
