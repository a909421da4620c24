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

/** The words of a text, folded; "Nude-ish ＮＵＤＥ" is nude, ish, nude. */
export function wordsOf(text: string): string[] {
  const folded = text
    .replace(UNSEEN, "")
    .normalize("NFKD")
    .replace(ACCENTS, "")
    // Upper case first makes ß two letters and ς the usual sigma.
    .toUpperCase()
    .toLowerCase()
    .normalize("NFC");
  return (folded.match(RUNS) ?? []).flatMap((run) =>
    UNSPACED.test(run) ? Array.from(segmenter.segment(run), ({ segment }) => segment) : [run],
  );
}

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

/** The first entry of `refused`, a word or several in a row, that one of the texts has; undefined where none has. */
export function findRefused(
  refused: readonly string[],
  texts: readonly (string | null)[],
): string | undefined {
  // Telling Chinese words apart takes 0.1 s for 6,000 signs; a server without a list need not wait for it.
  if (refused.length === 0) return undefined;
  const all = texts.map((text) => wordsOf(text ?? ""));
  return refused.find((entry) => {
    const wanted = wordsOf(entry);
    if (wanted.length === 0) return false;
    return all.some((words) =>
      words.some((_, at) => wanted.every((word, i) => isSameWord(words[at + i] ?? "", word))),
    );
  });
}
