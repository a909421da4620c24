/**
 * Words of a prompt, for the words that a server refuses. Texts that a reader takes for one word are equal
 * here: case, width (ＮＵＤＥ), accents (nüde) and invisible characters (a soft hyphen, a zero-width space) do
 * not count. Letters that only look alike (a Cyrillic а, 4 for a) stay different: the list is a sign on a
 * door, and the safety checker judges what a picture shows.
 */

/** Combining accents; the vowel signs of Indic scripts are other marks and stay. */
const ACCENTS = /[\u0300-\u036f]/g;
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu;
const RUNS = /[\p{L}\p{M}\p{N}]+/gu;
/** Scripts without spaces between words. */
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

/** The words of a folded text. Splitting Chinese or Japanese takes 2 µs a character. */
const split = (folded: string): string[] =>
  (folded.match(RUNS) ?? []).flatMap((run) =>
    UNSPACED.test(run) ? Array.from(segmenter.segment(run), ({ segment }) => segment) : [run],
  );

/** The words of a text, folded; "Nude-ish ＮＵＤＥ" is nude, ish, nude. */
export const wordsOf = (text: string): string[] => split(fold(text));

/**
 * The word and its possible English singulars: -s, -es after s, x, z, ch and sh, -ies for -y; "glass", "bus"
 * and "this" aren't plurals. A refused word stands for its singular and its plural; irregular plurals have to
 * be listed.
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

/** A part of every word that has this form: "bod" for "body", whose plural is "bodies". */
const stemOf = (form: string): string => form.replace(/y$/, "");

/** An entry of the list, prepared for the search. */
interface Wanted {
  readonly entry: string;
  /** Its index in the list. */
  readonly at: number;
  readonly words: readonly string[];
  readonly firstForms: readonly string[];
}

/** The first entry of `refused`, one word or several in a row, that one of the texts contains. */
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
  // Most texts contain no part of a refused word and need not be split.
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
