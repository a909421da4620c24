import { readFileSync } from "node:fs";
import {
  type APIApplicationCommandOption,
  type APIApplicationCommandOptionChoice,
  ApplicationCommandOptionType,
  type LocalizationMap,
  type RESTPostAPIContextMenuApplicationCommandsJSONBody as MenuJson,
  type RESTPostAPIChatInputApplicationCommandsJSONBody as SlashJson,
} from "discord.js";
import type { SizeName } from "../../core/options.js";
import type { SettingName } from "../../core/settings.js";
import { commandTexts } from "./commands.js";

/**
 * Names and descriptions of the commands in other languages (locales/*.json). Discord shows them to people
 * whose client speaks one of these; everyone else sees the English of commands.ts.
 */

/** The languages besides English in which Discord shows our commands. */
export const LANGUAGES = ["de", "fr", "es-ES", "pt-BR", "ru", "ja"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Names are lower case and have no spaces. */
type NameAndDescription = readonly [name: string, description: string];

/** One file of locales/. That none of its keys is missing or superfluous is tested (test/bot/words). */
export interface Translations {
  /** By the name of a command, or of a command and a subcommand: `settings set`. */
  readonly commands: Readonly<Record<string, NameAndDescription>>;
  /** By the name of an option; options of one name mean the same in every command. */
  readonly options: Readonly<Record<string, NameAndDescription>>;
  /** By option and value: `mode:beam`; sizes by their names: `size:portrait`. */
  readonly choices: Readonly<Record<string, string>>;
  /** What each setting means, shown after its name, which is the same in all languages. */
  readonly settings: Readonly<Record<SettingName, string>>;
  /** By the English name of a message's menu. */
  readonly menus: Readonly<Record<string, string>>;
}

export const TRANSLATIONS = Object.fromEntries(
  LANGUAGES.map((language) => {
    const file = new URL(`./locales/${language}.json`, import.meta.url);
    return [language, JSON.parse(readFileSync(file, "utf8"))];
  }),
) as Readonly<Record<Language, Translations>>;

/** The name of a size in a language of ours, else in English. */
export function sizeLabel(name: SizeName, locale: string): string {
  const language = LANGUAGES.find((one) => one === locale);
  const label = language === undefined ? undefined : TRANSLATIONS[language].choices[`size:${name}`];
  return label ?? commandTexts.options.sizes[name];
}

/** What each language has for a text; English is named too: en-GB falls back to it, as Discord advises. */
function localized(
  english: string,
  translation: (texts: Translations) => string | undefined,
): LocalizationMap | undefined {
  const found = LANGUAGES.flatMap((language) => {
    const text = translation(TRANSLATIONS[language]);
    return text === undefined ? [] : [[language, text] as const];
  });
  return found.length === 0 ? undefined : { "en-US": english, ...Object.fromEntries(found) };
}

function localizations(list: "commands" | "options", key: string, name: string, description: string) {
  const names = localized(name, (texts) => texts[list][key]?.[0]);
  const descriptions = localized(description, (texts) => texts[list][key]?.[1]);
  return {
    ...(names === undefined ? {} : { name_localizations: names }),
    ...(descriptions === undefined ? {} : { description_localizations: descriptions }),
  };
}

/** A slash command with its names and descriptions in all languages. */
export function localizedCommand(command: SlashJson): SlashJson {
  return {
    ...command,
    ...localizations("commands", command.name, command.name, command.description),
    ...(command.options === undefined
      ? {}
      : { options: command.options.map((option) => localizedOption(option, command.name)) }),
  };
}

function localizedOption(option: APIApplicationCommandOption, path: string): APIApplicationCommandOption {
  const { name, description } = option;
  if (option.type === ApplicationCommandOptionType.Subcommand) {
    const options = (option.options ?? []).map((inner) => localizedOption(inner, `${path} ${name}`));
    return {
      ...option,
      ...localizations("commands", `${path} ${name}`, name, description),
      options: options as typeof option.options & object,
    };
  }
  const texts = localizations("options", name, name, description);
  if (!("choices" in option) || option.choices === undefined) return { ...option, ...texts };
  const choices = (option.choices as APIApplicationCommandOptionChoice<string>[]).map((choice) =>
    localizedChoice(name, choice),
  );
  return { ...option, ...texts, choices } as APIApplicationCommandOption;
}

function localizedChoice(
  option: string,
  choice: APIApplicationCommandOptionChoice<string>,
): APIApplicationCommandOptionChoice<string> {
  const names = localized(choice.name, (texts) => texts.choices[`${option}:${choice.value}`]);
  return names === undefined ? choice : { ...choice, name_localizations: names };
}

/** An entry of a message's menu with its names in all languages. */
export function localizedMenu(menu: MenuJson): MenuJson {
  const names = localized(menu.name, (texts) => texts.menus[menu.name]);
  return names === undefined ? menu : { ...menu, name_localizations: names };
}
