import {
  type APIApplicationCommandOption,
  type APIApplicationCommandOptionChoice,
  ApplicationCommandOptionType,
  type LocalizationMap,
  type RESTPostAPIContextMenuApplicationCommandsJSONBody as MenuJson,
  type RESTPostAPIChatInputApplicationCommandsJSONBody as SlashJson,
} from "discord.js";
import { CHOICES, COMMANDS, type Entry, MENUS, OPTIONS, SUBCOMMANDS } from "./translation-texts.js";

/**
 * Names and descriptions of the commands in other languages. Discord shows them to people whose client speaks one of
 * these; everyone else sees the English of messages.ts.
 */

/** English is named too: en-GB falls back to it, as Discord advises for the default language. */
function localizations(entry: Entry | undefined, name: string, description: string) {
  if (entry === undefined) return {};
  const pick = (index: 0 | 1): LocalizationMap =>
    Object.fromEntries(Object.entries(entry).map(([language, texts]) => [language, texts[index]]));
  return {
    name_localizations: { "en-US": name, ...pick(0) },
    description_localizations: { "en-US": description, ...pick(1) },
  };
}

/** A slash command with the names and descriptions of all languages that there are. */
export function localizedCommand(command: SlashJson): SlashJson {
  return {
    ...command,
    ...localizations(COMMANDS[command.name], command.name, command.description),
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
      ...localizations(SUBCOMMANDS[`${path} ${name}`], name, description),
      options: options as typeof option.options & object,
    };
  }
  const texts = localizations(OPTIONS[name], name, description);
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
  const { name, value } = choice;
  const names = CHOICES[`${option}:${value}`];
  return names === undefined ? choice : { ...choice, name_localizations: { "en-US": name, ...names } };
}

/** An entry of a message's menu with its names. */
export function localizedMenu(menu: MenuJson): MenuJson {
  const names = MENUS[menu.name];
  return names === undefined ? menu : { ...menu, name_localizations: { "en-US": menu.name, ...names } };
}
