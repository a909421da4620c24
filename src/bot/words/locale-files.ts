import { readFileSync } from "node:fs";
import type { SettingName } from "../../core/settings.js";

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

/** The name that people of a language see of an option; the English one of what has no other, such as a setting. */
export const optionNames =
  (language: Language) =>
  (name: string | null): string | null =>
    name === null ? null : (TRANSLATIONS[language].options[name]?.[0] ?? name.replaceAll("`", "'"));
