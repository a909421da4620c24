import { de } from "./de.js";
import { english, type Words } from "./english/english.js";
import { missingIn, type Unfinished } from "./english/translated.js";
import { es } from "./es.js";
import { fr } from "./fr.js";
import { ja } from "./ja.js";
import { LANGUAGES, type Language } from "./locale-files.js";
import { pt } from "./pt.js";
import { ru } from "./ru.js";

/** What the bot says in each language, as far as it is translated. */
export const SAID: Readonly<Record<Language, Unfinished<Words>>> = {
  de,
  fr,
  "es-ES": es,
  "pt-BR": pt,
  ru,
  ja,
};

/** Of some translations, those that lack no sentence: no message is in two languages. */
export const whole = (said: Readonly<Record<Language, Unfinished<Words>>>): ReadonlyMap<Language, Words> =>
  new Map(
    LANGUAGES.filter((language) => missingIn(english, said[language]).length === 0).map((language) => [
      language,
      said[language] as Words,
    ]),
  );

const WHOLE = whole(SAID);

/** The languages besides English in which the bot speaks and Discord shows its commands. */
export const OFFERED: readonly Language[] = [...WHOLE.keys()];

/**
 * The language of ours for a locale of Discord's; null for English. What is spoken decides, not where: `es-419`
 * is answered as `es-ES`.
 */
export function languageOf(locale: string): Language | null {
  const spoken = (one: string) => one.toLowerCase().split(/[-_]/)[0];
  const offered =
    OFFERED.find((one) => one === locale) ?? OFFERED.find((one) => spoken(one) === spoken(locale));
  return offered ?? null;
}

/** What the bot says to a person with this locale. */
export function wordsOf(locale: string): Words {
  const language = languageOf(locale);
  return (language === null ? undefined : WHOLE.get(language)) ?? english;
}
