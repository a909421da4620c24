import { withoutMarks } from "../../../core/emphasis.js";
import { type Item, isUnchanged, type Job, textOptionsOf } from "../../../core/job.js";
import { lostNouns } from "../../../core/prompt-diff.js";
import { isModel, rewriterNameOf, titleOf } from "../../../core/rewriters.js";
import { codeBlock, escapeMarkdown } from "../../discord/markdown.js";
import type { Words } from "../../words/english/english.js";
import { isFileNote, noteLine } from "../../words/english/result.js";
import { diffMarkdown } from "./prompt-diff.js";
import { modeLines } from "./prompt-mode.js";

const TEXT_MAX = 1100;

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

/** Whether only the prompt as written is drawn: its "rewrite" is the prompt itself, and none was searched. */
export const isRaw = ({ prompt, rewrite, candidates }: Item): boolean =>
  rewrite === prompt && candidates.length === 0;

/** Notes on the rewrite: what it lost, and what the image model does not read. */
export function noteLines(job: Job, item: Item, words: Words): string[] {
  const { resultLines, noteWords } = words;
  const { prompt, rewrite } = item;
  const lost =
    rewrite === null || isUnchanged(item) ? [] : lostNouns(withoutMarks(prompt), withoutMarks(rewrite));
  return [
    ...(lost.length === 0 ? [] : [resultLines.lost(lost.map((word) => escapeMarkdown(word)))]),
    // Both pictures may have the same embedding.
    ...new Set(item.notes.flatMap((note) => (isFileNote(note) ? [] : [noteLine(note, noteWords)]))),
    ...modeLines(job, item, words),
  ];
}
