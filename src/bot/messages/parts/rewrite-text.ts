import { withoutMarks } from "../../../core/emphasis.js";
import {
  drawnSides,
  type Item,
  type ItemNote,
  isUnchanged,
  type Job,
  textOfSide,
  textOptionsOf,
  writersOf,
} from "../../../core/job.js";
import { lostNouns } from "../../../core/prompt-diff.js";
import { isModel, rewriterNameOf, titleOf } from "../../../core/rewriters.js";
import type { Side } from "../../../core/side.js";
import { codeBlock, escapeMarkdown } from "../../discord/markdown.js";
import type { Words } from "../../words/english/english.js";
import { isFileNote, noteLine } from "../../words/english/result.js";
import { diffMarkdown } from "./prompt-diff.js";
import { modeLines } from "./prompt-mode.js";

const TEXT_MAX = 1100;
/** Of each text, where those of two rewriters stand in one message. */
const BOTH_MAX = 550;

/**
 * What one wants to copy as code, and under a rewrite, small, what it added and dropped. `heading` makes the line
 * above a rewrite from its title.
 */
export function promptSections(
  job: Pick<Job, "text">,
  item: Item,
  { labels }: Words,
  heading: (title: string) => string = (title) => `**${title}**`,
): string[] {
  const { prompt, rewrite, candidates } = item;
  if (rewrite === null || isUnchanged(item)) return [`**${labels.prompt}**${codeBlock(prompt, TEXT_MAX)}`];
  const name = rewriterNameOf(textOptionsOf(job, item));
  const isTheirs = candidates.length > 0 || !isModel(name);
  const title = isTheirs ? labels.rewriteBy(titleOf(name)) : labels.givenRewrite;
  return [`${heading(title)}${codeBlock(rewrite, TEXT_MAX)}\n-# ${diffMarkdown(prompt, rewrite, TEXT_MAX)}`];
}

/** The prompt, and what two rewriters made of it, left and right; of a single picture its own text. */
export function bothSections(
  job: Pick<Job, "text">,
  item: Item,
  { labels, resultLines, statsLines }: Words,
): string[] {
  const writers = writersOf(job, item, statsLines.given);
  if (writers === null) return [];
  const sectionOf = (side: Side) => {
    const text = textOfSide(item, side) ?? "";
    const by = labels.rewriteBy(writers[side]);
    const title =
      item.only === undefined
        ? resultLines[side === "baseline" ? "left" : "right"](lowerFirst(by))
        : `**${by}**`;
    return `${title}${codeBlock(text, BOTH_MAX)}\n-# ${diffMarkdown(item.prompt, text, BOTH_MAX)}`;
  };
  return [`**${labels.prompt}**${codeBlock(item.prompt, BOTH_MAX)}`, ...drawnSides(item).map(sectionOf)];
}

export const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** Whether only the prompt as written is drawn: its "rewrite" is the prompt itself, and none was searched. */
export const isRaw = ({ prompt, rewrite, candidates, against }: Item): boolean =>
  rewrite === prompt && candidates.length === 0 && against === undefined;

/** Notes on the rewrite: what it lost, and what the image model does not read. */
export function noteLines(job: Job, item: Item, words: Words): string[] {
  const { resultLines, noteWords } = words;
  const { prompt, rewrite } = item;
  const lost =
    rewrite === null || isUnchanged(item) ? [] : lostNouns(withoutMarks(prompt), withoutMarks(rewrite));
  return [
    ...(lost.length === 0 ? [] : [resultLines.lost(lost.map((word) => escapeMarkdown(word)))]),
    // Both pictures may have the same embedding.
    ...new Set(
      item.notes.flatMap((note) => (isFileNote(note) ? [] : [noteLine(sidedNote(item, note), noteWords)])),
    ),
    ...modeLines(job, item, words),
  ];
}

/** A note as the side's sentence says it: with two rewriters, either text is a rewrite. */
const sidedNote = ({ against }: Item, note: ItemNote): ItemNote =>
  against !== undefined && "side" in note && note.side === "baseline" ? { ...note, side: "optimized" } : note;
