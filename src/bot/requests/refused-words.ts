/**
 * Words of a prompt, for a list of words that a server refuses. Two texts that a reader takes for the same word are
 * one word here: case, width (ＮＵＤＥ), accents (nüde) and characters that nobody sees (a soft hyphen, a zero-width
 * space) do not count. Letters that only look alike (a Cyrillic а, 4 for a) are not resolved: such a list is a sign on
 * a door, and what a picture shows is for the safety checker to say.
 */

/** Combining accents; the vowel signs of Indic scripts are other marks and stay. */
const ACCENTS = /[\u0300-\u036f]/g;
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;
const RUNS = /[\p{L}\p{M}\p{N}]+/gu;
/** Scripts that set no space between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/u;

const segmenter = new Intl.Segmenter("en", { granularity: "word" });

/** A text as it is compared. */
const fold = (text: string): string =>
  text
    .replace(UNSEEN, "")
    .normalize("NFKD")
    .replace(ACCENTS, "")
    // Upper case first makes ß two letters and ς the usual sigma.
    .toUpperCase()
    .toLowerCase()
    .normalize("NFC");

/** The words of a folded text. Telling Chinese or Japanese words apart takes 2 µs a sign. */
const split = (folded: string): string[] =>
  (folded.match(RUNS) ?? []).flatMap((run) =>
    UNSPACED.test(run) ? Array.from(segmenter.segment(run), ({ segment }) => segment) : [run],
  );

/** The words of a text, folded; "Nude-ish ＮＵＤＥ" is nude, ish, nude. */
export const wordsOf = (text: string): string[] => split(fold(text));

/**
 * The word, and what it may be the English plural of: -s, -es after s, x, z, ch and sh, -ies for -y. "glass", "bus" and
 * "this" are no plurals. One refused word stands for its singular and its plural; irregular ones have to be listed.
 */
function forms(word: string): string[] {
  if (!/^[a-z]{4,}$/.test(word) || !word.endsWith("s") || /(?:ss|us|is)$/.test(word)) return [word];
  const singulars = [word.slice(0, -1)];
  if (/(?:s|x|z|ch|sh)es$/.test(word)) singulars.push(word.slice(0, -2));
  if (/..ies$/.test(word) && word.length > 4) singulars.push(`${word.slice(0, -3)}y`);
  return [word, ...singulars];
}

const isSameWord = (one: string, other: string): boolean => {
  if (one === other) return true;
  const those = forms(other);
  return forms(one).some((form) => those.includes(form));
};

/** What a folded text has in it wherever a word has this form: the form of "bodies" is "body", and it has "bod" in it. */
const stemOf = (form: string): string => form.replace(/y$/, "");

/** An entry of a list, as it is looked for. */
interface Wanted {
  readonly entry: string;
  /** Where in the list it stands. */
  readonly at: number;
  readonly words: readonly string[];
  readonly firstForms: readonly string[];
}

/** The first entry of `refused`, a word or several in a row, that one of the texts has; undefined where none has. */
export function findRefused(
  refused: readonly string[],
  texts: readonly (string | null)[],
): string | undefined {
  const wanted = refused.flatMap((entry, at): Wanted[] => {
    const words = wordsOf(entry);
    return words[0] === undefined ? [] : [{ entry, at, words, firstForms: forms(words[0]) }];
  });
  const found = texts.flatMap((text) => (text === null ? [] : (firstIn(wanted, fold(text)) ?? [])));
  return found.reduce<Wanted | undefined>((a, b) => (a === undefined || b.at < a.at ? b : a), undefined)
    ?.entry;
}

function firstIn(all: readonly Wanted[], folded: string): Wanted | undefined {
  // Most texts have no part of a refused word, and need not be taken apart.
  const possible = all.filter(({ firstForms }) => firstForms.some((form) => folded.includes(stemOf(form))));
  if (possible.length === 0) return undefined;
  const byForm = new Map<string, Wanted[]>();
  for (const wanted of possible)
    for (const form of wanted.firstForms) byForm.set(form, [...(byForm.get(form) ?? []), wanted]);

  let first: Wanted | undefined;
  const words = split(folded);
  words.forEach((word, from) => {
    for (const form of forms(word))
      for (const wanted of byForm.get(form) ?? [])
        if (
          (first === undefined || wanted.at < first.at) &&
          wanted.words.every((one, i) => isSameWord(words[from + i] ?? "", one))
        )
          first = wanted;
  });
  return first;
}
