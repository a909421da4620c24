import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type AutocompleteInteraction,
  type ChatInputCommandInteraction,
  type Locale,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import { type KnownModels, NO_MODELS, offeredName } from "../../core/known-models.js";
import { DEFAULT_SPEED, IMAGE_RANGES } from "../../core/options.js";
import type { SettingName, SettingScope, Settings } from "../../core/settings.js";
import { presetOf } from "../../core/speeds.js";
import { requireStyle } from "../../core/styles.js";
import { replyPrivately } from "../discord/interactions.js";
import { isAgeRestricted, offeredHere, upscalersHere } from "../requests/models.js";
import { checkOption, checkRange, type Limits, laterImage, readSize, speedsIn } from "../requests/request.js";
import { mayManage, stylesHere } from "../requests/rules.js";
import {
  CATALOG,
  isModels,
  isRoles,
  isServerWide,
  isSettingName,
  needsAgeRestriction,
  parseSetting,
  showSetting,
} from "../requests/setting-catalog.js";
import { commandTexts } from "../words/english/commands.js";
import { settingTexts } from "../words/english/settings.js";
import { languageOf, wordsOf } from "../words/languages.js";
import { TRANSLATIONS } from "../words/locale-files.js";
import type { AnswerCommand, Choice, Services } from "./command.js";
import { loraChoices, nameChoices, speedChoices, styleChoices } from "./completions.js";
import { completeSize } from "./options.js";

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

/** `reset`: every setting; `show`: with those that are not set. */
const ALL = "all";

/** Everything at once, for `reset`, before the settings. */
function completeReset(typed: string, locale: Locale): Choice[] {
  const { settingLines } = wordsOf(locale);
  const all = { name: settingLines.choice(ALL, settingLines.all), value: ALL };
  const offered = all.name.includes(typed.trim().toLowerCase()) ? [all] : [];
  return [...offered, ...completeSetting(typed, locale)];
}

/** Settings whose name or meaning contains what was typed, in the user's language where it is one of ours. */
function completeSetting(typed: string, locale: Locale): Choice[] {
  const wanted = typed.trim().toLowerCase();
  const { settingLines } = wordsOf(locale);
  return Object.keys(CATALOG)
    .filter(isSettingName)
    .map((value) => ({ name: settingLines.choice(value, meaningOf(value, locale)), value }))
    .filter(({ name: shown }) => shown.toLowerCase().includes(wanted));
}

/** Values of a setting that contain what was typed; a number that was typed comes first. */
export function completeValue(setting: string, typed: string, locale: Locale, limits: Limits): Choice[] {
  if (!isSettingName(setting)) return [];
  if (setting === "size") return completeSize(typed, locale, limits);
  const wanted = typed.trim().toLowerCase();
  const usual = usualValues(setting, limits).filter((value) => value.includes(wanted));
  const own = usual.includes(wanted) || !isTaken(setting, wanted) ? [] : [wanted];
  return [...own, ...usual].map((value) => ({ name: value, value }));
}

/** Text channels of the server whose name contains what was typed. */
function completeChannel({ guild }: AutocompleteInteraction, typed: string): Choice[] {
  const wanted = typed.trim().toLowerCase().replace(/^#/, "");
  return [...(guild?.channels.cache.values() ?? [])]
    .filter((channel) => channel.isTextBased() && !channel.isThread() && channel.name.includes(wanted))
    .map(({ id, name }) => ({ name: `#${name}`, value: id }));
}

const usualValues = (setting: SettingName, { maxSteps }: Limits): readonly string[] => {
  const { usual = [] } = CATALOG[setting];
  return setting === "steps" ? usual.filter((value) => Number(value) <= maxSteps) : usual;
};

/** Whether what was typed is a value of a setting with usual ones; other texts complete themselves. */
const isTaken = (setting: SettingName, typed: string): boolean =>
  CATALOG[setting].usual !== undefined && CATALOG[setting].schema.safeParse(typed).success && typed !== "";

const meaningOf = (name: SettingName, locale: Locale): string => {
  const language = languageOf(locale);
  return language === null ? settingTexts[name] : TRANSLATIONS[language].settings[name];
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
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "show",
        description: texts.show,
        options: [{ type: ApplicationCommandOptionType.Boolean, name: ALL, description: texts.showAll }],
      },
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
            max_length: VALUE_MAX,
            autocomplete: true,
          },
          { type: ApplicationCommandOptionType.Role, name: "role", description: texts.role },
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

  async complete(interaction, services) {
    const { context, styles, models } = services;
    const { options, locale } = interaction;
    const { name, value } = options.getFocused(true);
    if (name === "value" && options.getString("name") === "gallery")
      return completeChannel(interaction, value);
    if (name === "value" && options.getString("name") === "speed")
      return speedChoices(interaction, value, services);
    if (name === "value" && options.getString("name") === "style")
      return styleChoices(await stylesHere(styles, interaction), value);
    const setting = options.getString("name") ?? "";
    if (name === "value" && isModels(setting)) {
      const known = await models.known();
      const names = namesFor(setting, known);
      return isSingle(setting) ? nameChoices(names, value) : loraChoices(names, value);
    }
    if (name === "value")
      return completeValue(options.getString("name") ?? "", value, locale, context.limits);
    return options.getSubcommand() === "reset"
      ? completeReset(value, locale)
      : completeSetting(value, locale);
  },

  async run(interaction, services) {
    const { settings: store } = services;
    const { settingLines } = wordsOf(interaction.locale);
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
        const key = read(interaction);
        const parsed = await readValue(interaction, key, services);
        if (target.scope === "channel" && isServerWide(key))
          return replyPrivately(interaction, settingLines.serverWide(key));
        if (target.scope === "channel" && needsAgeRestriction(key, parsed) && !isAgeRestricted(interaction))
          return replyPrivately(interaction, settingLines.needsAgeRestriction(key, String(parsed)));
        await store.set(target.scope, target.id, key, parsed, interaction.user.id);
        return replyPrivately(interaction, settingLines.set(key, showSetting(key, parsed), target.scope));
      }
      case "reset": {
        const target = await writable(interaction, services);
        if (interaction.options.getString("name", true) === ALL) {
          const names = (await store.list(target.scope, target.id)).map(({ name }) => name);
          for (const name of names) await store.reset(target.scope, target.id, name);
          return replyPrivately(interaction, settingLines.resetAll(names, target.scope));
        }
        const key = read(interaction);
        const was = await store.reset(target.scope, target.id, key);
        return replyPrivately(interaction, settingLines.reset(key, target.scope, was));
      }
    }
  },
};

function read(interaction: ChatInputCommandInteraction): SettingName {
  const key = interaction.options.getString("name", true);
  if (!isSettingName(key)) {
    throw new InputError("INPUT_CHOICE", `There is no setting ${key}.`, { option: "setting" });
  }
  return key;
}

/** The value that `set` gives. Throws InputError INPUT_OPTION, or INPUT_STYLE for a style that is not there. */
async function readValue(
  interaction: ChatInputCommandInteraction,
  key: SettingName,
  { context, styles, models, settings }: Services,
): Promise<NonNullable<Settings[SettingName]>> {
  const { options } = interaction;
  const { limits } = context;
  const role = options.getRole("role");
  const value = options.getString("value") ?? "";
  if (isRoles(key)) return parseSetting(key, `${value} ${role?.id ?? ""}`);
  if (key === "size") return readSize(value, limits);
  // As the option of the commands that it is the default of.
  if (key === "steps") return checkRange(key, Number(value), { ...IMAGE_RANGES.steps, max: limits.maxSteps });
  if (key === "gallery") {
    const id = parseSetting(key, value);
    // Another server's channel would show its people what is asked for here.
    const found = interaction.guild?.channels.cache.get(id);
    checkOption("gallery", found?.isTextBased() === true, { takes: "channel" });
    return id;
  }
  if (isModels(key)) {
    const names = namesFor(key, await models.known());
    const found = listOf(parseSetting(key, value)).map((name) => knownName(name, key, names));
    return isSingle(key) ? found[0]! : [...new Set(found)];
  }
  if (key === "speed") {
    const speed = parseSetting(key, value.toLowerCase());
    const offered = await offeredHere(models, await settings.resolve(interaction), interaction);
    presetOf(speed, speedsIn({ ...context, offered }));
    return speed;
  }
  if (key === "style") return requireStyle(value, await stylesHere(styles, interaction)).name;
  return parseSetting(key, value);
}

/** Which models a setting may name. */
function namesFor(name: SettingName, known: KnownModels): readonly string[] {
  const { models, loras } = known;
  if (name === "upscaler") return upscalersHere(known);
  return name === "loras" ? loras : name === "adultModels" ? [...models, ...loras] : models;
}

/** Whether a setting names one alone. */
const isSingle = (name: SettingName): boolean => name === "model" || name === "upscaler";

const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value : [String(value)]);

/** A name as the model has it; throws InputError INPUT_MODEL. */
const knownName = (wanted: string, setting: SettingName, names: readonly string[]): string =>
  offeredName(wanted, setting === "loras" ? "LoRA" : "model", { ...NO_MODELS, models: names, loras: names });

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
  { settings: store, context, models }: Services,
): Promise<void> {
  const { guildId, channelId, locale } = interaction;
  const { settingLines, resultLines } = wordsOf(locale);
  const section = async (title: string, of: SettingScope, id: string) => {
    const fallback = of === "channel" && guildId !== null ? "to the server" : "to the bot";
    const lines = (await store.list(of, id)).map((it) =>
      settingLines.entry(it.name, showSetting(it.name, it.value), it.changedBy, it.changedAt),
    );
    return [`**${title}**`, ...(lines.length === 0 ? [settingLines.none(fallback)] : lines)];
  };
  const names = Object.keys(CATALOG)
    .filter(isSettingName)
    .map((key) => `\`${key}\` ${meaningOf(key, locale)}`);
  const here = await store.resolve(interaction);
  const isManager = mayManage(interaction, here);
  const { text, speed = DEFAULT_SPEED } = context.defaults;
  const image = laterImage({ ...context, offered: await offeredHere(models, here, interaction) });
  const description = [
    ...(await section(settingLines.channel, "channel", channelId)),
    ...(guildId === null ? [] : await section(settingLines.server, "server", guildId)),
    `**${settingLines.program}**`,
    `${resultLines.speed(speed)}: ${settingLines.defaults(image, text.mode, context.limits.maxSteps)}`,
    ...(interaction.options.getBoolean(ALL) === true
      ? [`**${settingLines.names}**`, ...names]
      : isManager
        ? [settingLines.more(names.length)]
        : []),
  ]
    .join("\n")
    .slice(0, 4096);
  await replyPrivately(interaction, { embeds: [{ title: settingLines.title, description }] });
}
