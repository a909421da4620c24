import { createRequire } from "node:module";
import { type Change, diffWordsWithSpace } from "diff";

// The package's single file: its 331 modules take the start of the program 80 ms longer.
const nlp: typeof import("compromise/two").default = createRequire(import.meta.url)("compromise/two");

/**
 * Most words that may differ. The search takes time quadratic in it, and a user chooses both texts: 1,000
 * characters against 2,000 others took 1.6 s of the bot's only thread, 6,000 against 12,000 a minute. A
 * rewrite of Promptist adds 75 tokens at most.
 */
const MAX_EDITS = 200;

/** What a rewrite changed, word by word; all of it is new where the two texts have little in common. */
export function diffPrompt(prompt: string, rewrite: string): Change[] {
  const change = (value: string, added: boolean): Change => ({ value, added, removed: false, count: 1 });
  const rest = rewrite.startsWith(prompt) ? rewrite.slice(prompt.length) : "";
  // The usual rewrite, found without a search.
  if (prompt !== "" && /^[\s,]/.test(rest)) return [change(prompt, false), change(rest, true)];
  return (
    diffWordsWithSpace(prompt, rewrite, { maxEditLength: MAX_EDITS }) ?? [change(rewrite, rewrite !== prompt)]
  );
}

/** Words that a rewrite added between two commas, with their offsets in it. */
export interface Phrase {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The added phrases in order; each can be switched off to see whether it helped. */
export function addedPhrases(prompt: string, rewrite: string): Phrase[] {
  const phrases: Phrase[] = [];
  let at = 0;
  for (const { value, added, removed } of diffPrompt(prompt, rewrite)) {
    if (removed) continue;
    if (added) {
      for (const { 0: run, index } of value.matchAll(/[^,]+/g)) {
        const words = run.trim();
        if (!/[\p{L}\p{N}]/u.test(words)) continue;
        const start = at + index + run.indexOf(words);
        phrases.push({ text: words, start, end: start + words.length });
      }
    }
    at += value.length;
  }
  return phrases;
}

/** The rewrite without some of its phrases and the commas that they leave behind. */
export function withoutPhrases(rewrite: string, dropped: readonly Phrase[]): string {
  let text = "";
  let at = 0;
  for (const { start, end } of dropped) {
    text += rewrite.slice(at, start);
    at = end;
  }
  return `${text}${rewrite.slice(at)}`
    .replace(/\s+/g, " ")
    .replace(/(?:\s*,)+/g, ",")
    .replace(/^[\s,]+|[\s,]+$/g, "");
}

/** The words that say what the picture shows, with their singular. English only, as Promptist is. */
function subjectsOf(text: string): { word: string; root: string }[] {
  const doc = nlp(text);
  const nouns = doc.match("#Noun").not("#Pronoun");
  // "Fear" alone is tagged as a verb, but it is what the picture is about.
  const subjects = nouns.found ? nouns : doc.not("(#Determiner|#Preposition|#Conjunction|#Pronoun)");
  return termsOf(subjects);
}

type View = Pick<ReturnType<typeof nlp>, "compute" | "json">;

function termsOf(view: View): { word: string; root: string }[] {
  view.compute("root");
  // Compromise answers `root` where it was computed; its types do not know that.
  const sentences = view.json({ terms: { normal: true } }) as {
    terms: { normal: string; root?: string }[];
  }[];
  return sentences.flatMap(({ terms }) =>
    terms.map(({ normal, root = normal }) => ({ word: normal, root })).filter(({ word }) => word !== ""),
  );
}

/**
 * Longest text whose nouns are looked for: compromise takes up to 30 ms for it, and blocks for longer ones.
 */
const GRAMMAR_MAX = 500;

/** The nouns of a prompt in the singular, each once; none of a text longer than GRAMMAR_MAX. */
export const nounsOf = (prompt: string): string[] =>
  prompt.length > GRAMMAR_MAX ? [] : [...new Set(subjectsOf(prompt).map(({ root }) => root))];

/**
 * The nouns of a prompt, singular or plural, that its rewrite no longer has: what the picture may fail to
 * show. None for texts longer than GRAMMAR_MAX.
 */
export function lostNouns(prompt: string, rewrite: string): string[] {
  if (rewrite.startsWith(prompt) || Math.max(prompt.length, rewrite.length) > GRAMMAR_MAX) return [];
  const kept = new Set(termsOf(nlp(rewrite)).flatMap(({ word, root }) => [word, root]));
  const lost = subjectsOf(prompt).filter(({ word, root }) => !kept.has(word) && !kept.has(root));
  return [...new Set(lost.map(({ word }) => word))];
}
