import nlp from "compromise/two";
import { type Change, diffWordsWithSpace } from "diff";
import { escapeMarkdown } from "./markdown.js";

/** What a rewrite did to a prompt, word by word. */
export const diffPrompt = (prompt: string, rewrite: string): Change[] => diffWordsWithSpace(prompt, rewrite);

/** The rewrite in Markdown of at most `max` units: added words bold, dropped ones struck through, the rest plain. */
export function diffMarkdown(prompt: string, rewrite: string, max: number): string {
  let text = "";
  for (const { value, added, removed } of diffPrompt(prompt, rewrite)) {
    const mark = added ? "**" : removed ? "~~" : "";
    // Marks beside a space are no marks to Discord, so the spaces of a run stay outside; two runs must not touch.
    const [, before = "", words = "", after = ""] = /^(\s*)(.*?)(\s*)$/su.exec(value) ?? [];
    const gap = before === "" && text.endsWith("~~") && added ? " " : before;
    const piece = words === "" ? value : `${gap}${mark}${escapeMarkdown(words)}${mark}${after}`;
    if (text.length + piece.length <= max - 1) {
      text += piece;
      continue;
    }
    const room = max - text.length - gap.length - 2 * mark.length - 1;
    const head = fitting(words, room);
    return head === "" ? `${text}…` : `${text}${gap}${mark}${head}${mark}…`;
  }
  return text;
}

/** The longest beginning of whole words that is at most `room` units long once it is escaped. */
function fitting(words: string, room: number): string {
  let head = words;
  while (head !== "" && escapeMarkdown(head).length > room) head = head.replace(/\s*\S+$/u, "");
  return escapeMarkdown(head);
}

/** Words that a rewrite added between two commas, and where they stand in it. */
export interface Phrase {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The phrases that can be switched off to see whether they helped, in their order. */
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

/** The rewrite without some of its phrases, and without the commas that these leave behind. */
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

/** English words that carry what a picture shows; Promptist knows no other language. */
function subjectsOf(text: string): { word: string; root: string }[] {
  const doc = nlp(text);
  const nouns = doc.match("#Noun").not("#Pronoun");
  // "Fear" alone reads as a verb, and is what the picture is about all the same.
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

/** The nouns of a prompt that its rewrite no longer has, in any number: what the picture may fail to show. */
export function lostNouns(prompt: string, rewrite: string): string[] {
  const kept = new Set(termsOf(nlp(rewrite)).flatMap(({ word, root }) => [word, root]));
  const lost = subjectsOf(prompt).filter(({ word, root }) => !kept.has(word) && !kept.has(root));
  return [...new Set(lost.map(({ word }) => word))];
}
