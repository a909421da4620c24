import {
  type APIApplicationCommandOption,
  type APIApplicationCommandOptionChoice,
  ApplicationCommandOptionType,
  type LocalizationMap,
  type RESTPostAPIContextMenuApplicationCommandsJSONBody as MenuJson,
  type RESTPostAPIChatInputApplicationCommandsJSONBody as SlashJson,
} from "discord.js";
import type { SizeName } from "../../core/options.js";
import { commandTexts } from "./english/commands.js";
import { languageOf, OFFERED } from "./languages.js";
import { TRANSLATIONS, type Translations } from "./locale-files.js";

/** The name of a size in a language of ours, else in English. */
export function sizeLabel(name: SizeName, locale: string): string {
  const language = languageOf(locale);
  const label = language === null ? undefined : TRANSLATIONS[language].choices[`size:${name}`];
  return label ?? commandTexts.options.sizes[name];
}

/** What each language has for a text; English is named too: en-GB falls back to it, as Discord advises. */
function localized(
  english: string,
  translation: (texts: Translations) => string | undefined,
): LocalizationMap | undefined {
  const found = OFFERED.flatMap((language) => {
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
