import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type ChatInputCommandInteraction,
  type Locale,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import type { SettingName, SettingScope } from "../../core/settings.js";
import { replyPrivately } from "../discord/interactions.js";
import { readSize } from "../requests/request.js";
import { mayManage } from "../requests/rules.js";
import { CATALOG, isSettingName, parseSetting, showSetting } from "../requests/setting-catalog.js";
import { commandTexts } from "../words/commands.js";
import { settingLines, settingTexts } from "../words/settings.js";
import { LANGUAGES, TRANSLATIONS } from "../words/translations.js";
import type { AnswerCommand, Services } from "./command.js";

const texts = commandTexts.settings;
const VALUE_MAX = 1000;

const name = {
  type: ApplicationCommandOptionType.String as const,
  name: "name",
  description: texts.name,
  required: true,
  // There are more settings than the 25 choices that an option may have.
  autocomplete: true,
};
const scope = {
  type: ApplicationCommandOptionType.String as const,
  name: "scope",
  description: texts.scope,
  choices: [
    { name: texts.channel, value: "channel" },
    { name: texts.server, value: "server" },
  ],
};

/** Settings whose name or meaning contains what was typed, in the user's language where it is one of ours. */
export function completeSetting(typed: string, locale: Locale): { name: string; value: string }[] {
  const wanted = typed.trim().toLowerCase();
  return Object.keys(CATALOG)
    .filter(isSettingName)
    .map((value) => ({ name: settingLines.choice(value, meaningOf(value, locale)), value }))
    .filter(({ name: shown }) => shown.toLowerCase().includes(wanted));
}

const meaningOf = (name: SettingName, locale: Locale): string => {
  const language = LANGUAGES.find((one) => one === locale);
  return language === undefined ? settingTexts[name] : TRANSLATIONS[language].settings[name];
};

/**
 * `/settings show | set | reset | ping`: what a server and its channels decide, and whether to call a user.
 */
export const settings: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "settings",
    description: texts.description,
    options: [
      { type: ApplicationCommandOptionType.Subcommand, name: "show", description: texts.show },
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "set",
        description: texts.set,
        options: [
          name,
          {
            type: ApplicationCommandOptionType.String,
            name: "value",
            description: texts.value,
            required: true,
            max_length: VALUE_MAX,
          },
          scope,
        ],
      },
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "reset",
        description: texts.reset,
        options: [name, scope],
      },
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "ping",
        description: texts.ping,
        options: [
          {
            type: ApplicationCommandOptionType.Boolean,
            name: "on",
            description: texts.pingOn,
            required: true,
          },
        ],
      },
    ],
  }),

  async run(interaction, services) {
    const { settings: store } = services;
    switch (interaction.options.getSubcommand()) {
      case "ping": {
        const on = interaction.options.getBoolean("on", true);
        await store.set("user", interaction.user.id, "ping", on, interaction.user.id);
        return replyPrivately(interaction, on ? settingLines.pingOn : settingLines.pingOff);
      }
      case "show":
        return show(interaction, services);
      case "set": {
        const target = await writable(interaction, services);
        const { key, value } = read(interaction);
        const parsed = key === "size" ? readSize(value, services.context.limits) : parseSetting(key, value);
        await store.set(target.scope, target.id, key, parsed, interaction.user.id);
        return replyPrivately(interaction, settingLines.set(key, showSetting(key, parsed), target.scope));
      }
      case "reset": {
        const target = await writable(interaction, services);
        const { key } = read(interaction);
        const was = await store.reset(target.scope, target.id, key);
        return replyPrivately(interaction, settingLines.reset(key, target.scope, was));
      }
    }
  },
};

function read(interaction: ChatInputCommandInteraction) {
  const key = interaction.options.getString("name", true);
  if (!isSettingName(key)) {
    throw new InputError("INPUT_CHOICE", `There is no setting ${key}.`, { option: "setting" });
  }
  return { key, value: interaction.options.getString("value") ?? "" };
}

/** The scope that the user may change here; throws InputError NOT_ALLOWED. */
async function writable(
  interaction: ChatInputCommandInteraction,
  { settings: store }: Services,
): Promise<{ scope: SettingScope; id: string }> {
  const { guildId, channelId } = interaction;
  if (guildId === null || !mayManage(interaction, await store.resolve(interaction))) {
    throw new InputError("NOT_ALLOWED", "Only who manages the server may change its settings.");
  }
  return interaction.options.getString("scope") === "server"
    ? { scope: "server", id: guildId }
    : { scope: "channel", id: channelId };
}

async function show(
  interaction: ChatInputCommandInteraction,
  { settings: store, context }: Services,
): Promise<void> {
  const { guildId, channelId } = interaction;
  const section = async (title: string, of: SettingScope, id: string) => {
    const fallback = of === "channel" && guildId !== null ? "to the server" : "to the bot";
    const lines = (await store.list(of, id)).map((it) =>
      settingLines.entry(it.name, showSetting(it.name, it.value), it.changedBy, it.changedAt),
    );
    return [`**${title}**`, ...(lines.length === 0 ? [settingLines.none(fallback)] : lines)];
  };
  const names = Object.entries(settingTexts).map(([key, what]) => `\`${key}\` ${what}`);
  const { image, text } = context.defaults;
  const description = [
    ...(await section(settingLines.channel, "channel", channelId)),
    ...(guildId === null ? [] : await section(settingLines.server, "server", guildId)),
    `**${settingLines.program}**`,
    settingLines.defaults(image, text.mode, context.limits.maxSteps),
    ...(mayManage(interaction, await store.resolve(interaction))
      ? [`**${settingLines.names}**`, ...names]
      : []),
  ]
    .join("\n")
    .slice(0, 4096);
  await replyPrivately(interaction, { embeds: [{ title: settingLines.title, description }] });
}
