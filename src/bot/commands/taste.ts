import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type ChatInputCommandInteraction,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import type { Share } from "../../core/statistics/shares.js";
import { type VoteRow, votesPlot } from "../../pictures/plots.js";
import { type KnownPhrase, knownPhrases, likingOf } from "../../taste/known-phrases.js";
import { deferReply, replyPrivately } from "../discord/interactions.js";
import { clip, escapeMarkdown } from "../discord/markdown.js";
import { ALT_TEXT_MAX } from "../discord/outgoing.js";
import { mayManage } from "../requests/rules.js";
import { commandTexts } from "../words/english/commands.js";
import type { Words } from "../words/english/english.js";
import { tastePicture as inPictures } from "../words/english/taste.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand, Services } from "./command.js";
import { sendExport } from "./export.js";

const texts = commandTexts.taste;
const PHRASES_SHOWN = 10;
/** The surest of each kind that the picture has. */
const PHRASES_DRAWN = 5;
const PHRASE_MAX = 60;

/** `/taste show | export | forget`: what the blind votes have taught of a server. */
export const taste: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "taste",
    description: texts.description,
    options: [
      { type: ApplicationCommandOptionType.Subcommand, name: "show", description: texts.show },
      { type: ApplicationCommandOptionType.Subcommand, name: "export", description: texts.export },
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "forget",
        description: texts.forget,
        options: [
          {
            type: ApplicationCommandOptionType.Boolean,
            name: "sure",
            description: texts.sure,
            required: true,
          },
        ],
      },
    ],
  }),

  async run(interaction, services) {
    const { guildId } = interaction;
    const words = wordsOf(interaction.locale);
    if (guildId === null) return replyPrivately(interaction, words.tasteLines.noServer);
    const subcommand = interaction.options.getSubcommand();
    if (subcommand === "export") return exportPhrases(interaction, guildId, services, words);
    if (subcommand === "forget") return forget(interaction, guildId, services, words);
    return show(interaction, guildId, services, words);
  },
};

async function show(
  interaction: ChatInputCommandInteraction,
  guildId: string,
  { tastes, votes: cast }: Services,
  { tasteLines }: Words,
): Promise<void> {
  await deferReply(interaction);
  const { votes, liked, disliked } = likingOf(await tastes.of(guildId));
  const shares = await cast.tasteShares(guildId);
  if (votes === 0) {
    await interaction.editReply({ embeds: [{ title: tasteLines.title, description: tasteLines.none }] });
    return;
  }
  const line = ({ phrase, share, interval, n }: KnownPhrase) =>
    tasteLines.phrase(`**${escapeMarkdown(clip(phrase, PHRASE_MAX))}**`, share, interval, n);
  const list = (title: string, some: readonly KnownPhrase[]) =>
    some.length === 0 ? [] : ["", `__${title}__`, ...some.slice(0, PHRASES_SHOWN).map(line)];
  const description = [
    tasteLines.learned(votes),
    ...list(tasteLines.liked, liked),
    ...list(tasteLines.disliked, disliked),
    ...(shares.with === null ? [] : ["", tasteLines.shares(shares.with, shares.without)]),
    "",
    `-# ${tasteLines.intervals}`,
  ].join("\n");
  const drawn = [...liked.slice(0, PHRASES_DRAWN), ...disliked.slice(0, PHRASES_DRAWN).reverse()];
  const rows = [
    ...drawn.map(({ phrase, share, interval, n }) => rowOf(phrase, { share, ...interval, n })),
    ...(shares.with === null ? [] : [rowOf(inPictures.chosen, shares.with)]),
    ...(shares.without === null ? [] : [rowOf(inPictures.first, shares.without)]),
  ];
  const embed = { title: tasteLines.title, description };
  if (rows.length === 0) {
    await interaction.editReply({ embeds: [embed] });
    return;
  }
  const attachment = await votesPlot(inPictures.title, rows, inPictures.share);
  await interaction.editReply({
    embeds: [{ ...embed, image: { url: "attachment://taste.png" } }],
    files: [{ name: "taste.png", attachment, description: clip(description, ALT_TEXT_MAX) }],
  });
}

/** A row of the picture, whose words are English. */
const rowOf = (label: string, { share, n, ...interval }: Share): VoteRow => ({
  label,
  rate: share,
  interval,
  note: inPictures.note(share, n),
});

async function exportPhrases(
  interaction: ChatInputCommandInteraction,
  guildId: string,
  { send, tastes }: Services,
  { tasteLines }: Words,
): Promise<void> {
  const find = async () => {
    const { votes, phrases } = knownPhrases(await tastes.of(guildId));
    if (phrases.length === 0) return tasteLines.none;
    return { records: phrases, closing: tasteLines.exported(phrases.length, votes) };
  };
  await sendExport(interaction, send, find, {
    name: "taste",
    ending: "jsonl",
    piecesOf: ({ phrase, share, interval, effect, deviation, n }) => {
      const line = { phrase, share, ...interval, effect, deviation, votes: n };
      return [{ list: "phrases", data: Buffer.from(`${JSON.stringify(line)}\n`) }];
    },
    write: (pieces) => pieces.map(({ data }) => data),
  });
}

async function forget(
  interaction: ChatInputCommandInteraction,
  guildId: string,
  { lessons, settings }: Services,
  { tasteLines }: Words,
): Promise<void> {
  if (!mayManage(interaction, await settings.resolve(interaction)))
    throw new InputError("NOT_ALLOWED", "Only who manages the server may forget its taste.");
  if (!interaction.options.getBoolean("sure", true)) return replyPrivately(interaction, tasteLines.notSure);
  await lessons.forget(guildId);
  await replyPrivately(interaction, tasteLines.forgotten);
}
