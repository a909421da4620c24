import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type ChatInputCommandInteraction,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import { PRESETS, STYLE_MAX, type Style, styleNamed } from "../../core/styles.js";
import { cleanPrompt, isLongerThan } from "../../prompt-files/clean-prompt.js";
import { readStylesCsv, STYLES_FILE_MAX_BYTES } from "../../prompt-files/styles-csv.js";
import { deferPrivately, replyPrivately } from "../discord/interactions.js";
import { clip, codeSpan, escapeMarkdown } from "../discord/markdown.js";
import { EMBED_DESCRIPTION_MAX } from "../discord/outgoing.js";
import { checkOption } from "../requests/request.js";
import { checkWords, mayManage, stylesOwner } from "../requests/rules.js";
import { commandTexts } from "../words/english/commands.js";
import type { Words } from "../words/english/english.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand, Services } from "./command.js";
import { styleChoices } from "./completions.js";

const texts = commandTexts.style;
const ENTRY_MAX = 160;
const LISTED_NAMES = 10;

const title = {
  type: ApplicationCommandOptionType.String,
  name: "title",
  description: texts.title,
  required: true,
  max_length: STYLE_MAX.name,
} as const;

const wordsOption = (name: "words" | "without") =>
  ({
    type: ApplicationCommandOptionType.String,
    name,
    description: texts[name],
    max_length: STYLE_MAX.words,
  }) as const;

/**
 * `/style list | save | remove | import`: the styles of a server, which its managers keep, or in direct messages a
 * person's own.
 */
export const style: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "style",
    description: texts.description,
    options: [
      { type: ApplicationCommandOptionType.Subcommand, name: "list", description: texts.list },
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "save",
        description: texts.save,
        options: [title, wordsOption("words"), wordsOption("without")],
      },
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "remove",
        description: texts.remove,
        options: [{ ...title, autocomplete: true }],
      },
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "import",
        description: texts.import,
        options: [
          {
            type: ApplicationCommandOptionType.Attachment,
            name: "styles",
            description: texts.file,
            required: true,
          },
        ],
      },
    ],
  }),

  async complete(interaction, { styles }) {
    const own = await styles.of(stylesOwner(interaction));
    return styleChoices(own, interaction.options.getFocused());
  },

  async run(interaction, services) {
    const words = wordsOf(interaction.locale);
    const subcommand = interaction.options.getSubcommand();
    if (subcommand === "list") return list(interaction, services, words);
    await checkMayChange(interaction, services);
    if (subcommand === "save") return save(interaction, services, words);
    if (subcommand === "remove") return remove(interaction, services, words);
    return importFile(interaction, services, words);
  },
};

/** Throws InputError NOT_ALLOWED where the person may not change the styles here. */
async function checkMayChange(
  interaction: ChatInputCommandInteraction,
  { settings }: Services,
): Promise<void> {
  if (interaction.guildId === null || mayManage(interaction, await settings.resolve(interaction))) return;
  throw new InputError("NOT_ALLOWED", "Only who manages the server may change its styles.");
}

async function list(
  interaction: ChatInputCommandInteraction,
  { styles }: Services,
  { styleLines }: Words,
): Promise<void> {
  const own = await styles.of(stylesOwner(interaction));
  const presets = PRESETS.filter(({ name }) => styleNamed(name, own) === undefined);
  const lines = (some: readonly Style[]) =>
    some.map(({ name, prompt, negative }) =>
      clip(
        [
          `${codeSpan(name)} ${escapeMarkdown(prompt)}`.trim(),
          ...(negative === "" ? [] : [styleLines.without(escapeMarkdown(negative))]),
        ].join(" · "),
        ENTRY_MAX,
      ),
    );
  const tail = ["", styleLines.presets, ...lines(presets), "", styleLines.use];
  const head = interaction.guildId === null ? styleLines.yours : styleLines.server;
  const room = EMBED_DESCRIPTION_MAX - [head, styleLines.more(own.length), ...tail].join("\n").length - 1;
  const shown: string[] = [];
  for (const line of lines(own)) {
    if (shown.join("\n").length + line.length + 1 > room) break;
    shown.push(line);
  }
  const rest = own.length - shown.length;
  const ours = own.length === 0 ? [styleLines.noneHere] : shown;
  const description = [head, ...ours, ...(rest === 0 ? [] : [styleLines.more(rest)]), ...tail].join("\n");
  await replyPrivately(interaction, { embeds: [{ title: styleLines.title, description }] });
}

async function save(
  interaction: ChatInputCommandInteraction,
  { styles, settings }: Services,
  { styleLines }: Words,
): Promise<void> {
  const { options } = interaction;
  const read = (option: string, limit: number): string => {
    const text = cleanPrompt(options.getString(option) ?? "");
    checkOption(option, !isLongerThan(text, limit), { takes: "text", limit });
    return text;
  };
  const saved: Style = {
    name: read("title", STYLE_MAX.name),
    prompt: read("words", STYLE_MAX.words),
    negative: read("without", STYLE_MAX.words),
  };
  checkOption("title", saved.name !== "", { takes: "text", limit: STYLE_MAX.name });
  if (saved.prompt === "" && saved.negative === "") return replyPrivately(interaction, styleLines.needsWords);
  await checkWords(await settings.resolve(interaction), [saved.prompt]);
  const [became] = await styles.save(stylesOwner(interaction), [saved], interaction.user.id);
  const code = codeSpan(saved.name);
  const answers = { added: styleLines.saved(code), replaced: styleLines.replaced(code) };
  await replyPrivately(
    interaction,
    became === undefined || became === "full" ? styleLines.full(STYLE_MAX.styles) : answers[became],
  );
}

async function remove(
  interaction: ChatInputCommandInteraction,
  { styles }: Services,
  { styleLines }: Words,
): Promise<void> {
  const name = interaction.options.getString("title", true).trim();
  const was = await styles.remove(stylesOwner(interaction), name);
  const code = codeSpan(name);
  await replyPrivately(interaction, was ? styleLines.removed(code) : styleLines.notRemoved(code));
}

/** Adds the styles of A1111's `styles.csv`. */
async function importFile(
  interaction: ChatInputCommandInteraction,
  { styles, settings, context }: Services,
  { styleLines }: Words,
): Promise<void> {
  const file = interaction.options.getAttachment("styles", true);
  if (file.size > STYLES_FILE_MAX_BYTES)
    throw new InputError("FILE_TOO_BIG", `The file is larger than ${STYLES_FILE_MAX_BYTES} bytes.`, {
      limit: STYLES_FILE_MAX_BYTES,
    });
  await deferPrivately(interaction);
  const read = readStylesCsv(await context.download(file.url, STYLES_FILE_MAX_BYTES));
  await checkWords(
    await settings.resolve(interaction),
    read.styles.map(({ prompt }) => prompt),
  );
  const became = await styles.save(stylesOwner(interaction), read.styles, interaction.user.id);
  const countOf = (what: string) => became.filter((it) => it === what).length;
  const { tooLong } = read;
  const more = read.more + countOf("full");
  const names = tooLong.slice(0, LISTED_NAMES).map(codeSpan);
  const lines = [
    styleLines.imported(countOf("added"), countOf("replaced")),
    ...(tooLong.length === 0 ? [] : [styleLines.importedTooLong(names, tooLong.length - names.length)]),
    ...(more === 0 ? [] : [styleLines.importedMore(more)]),
  ];
  await interaction.editReply({ content: lines.join("\n") });
}
