import { setImmediate as nextTurn } from "node:timers/promises";

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

/** The words of a text, folded; "Nude-ish ＮＵＤＥ" is nude, ish, nude. */
export function* wordsOf(text: string): Generator<string, void> {
  for (const [run] of fold(text).matchAll(RUNS)) {
    // Takes 2 µs a character.
    if (UNSPACED.test(run)) for (const { segment } of segmenter.segment(run)) yield segment;
    else yield run;
  }
}

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

/** The longest that a check holds the event loop, in milliseconds; one text may take a little longer. */
const SLICE_MS = 10;

/**
 * The first entry of `refused`, one word or several in a row, that one of the texts contains. A server may
 * list what it likes and a user may send what they like, so the work for a word doesn't depend on either:
 * each word of the list has a bit, and `row` has those bits whose entry matches the text up to here.
 */
export async function findRefused(
  refused: readonly string[],
  texts: readonly (string | null)[],
): Promise<string | undefined> {
  if (refused.length === 0) return undefined;
  const turn = turns();
  /** The bits of the words that have this form. */
  const bitsOf = new Map<string, bigint>();
  const entries: { readonly entry: string; readonly last: bigint }[] = [];
  let firsts = 0n;
  let next = 1n;
  for (const entry of refused) {
    const start = next;
    for (const word of wordsOf(entry)) {
      for (const form of forms(word)) bitsOf.set(form, (bitsOf.get(form) ?? 0n) | next);
      next <<= 1n;
    }
    if (next === start) continue;
    firsts |= start;
    entries.push({ entry, last: next >> 1n });
    if (turn.isOver()) await turn.next();
  }

  let seen = 0n;
  for (const text of texts) {
    let row = 0n;
    for (const word of wordsOf(text ?? "")) {
      let bits = 0n;
      for (const form of forms(word)) bits |= bitsOf.get(form) ?? 0n;
      row = ((row << 1n) | firsts) & bits;
      seen |= row;
      if (turn.isOver()) await turn.next();
    }
  }
  return entries.find(({ last }) => (seen & last) !== 0n)?.entry;
}

/** Turns of the event loop of at most SLICE_MS. */
function turns() {
  let since = performance.now();
  return {
    isOver: () => performance.now() - since > SLICE_MS,
    next: async () => {
      await nextTurn();
      since = performance.now();
    },
  };
}
