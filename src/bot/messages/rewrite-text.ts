import type { Item } from "../../core/job.js";
import { codeBlock, escapeMarkdown } from "../discord/markdown.js";
import { labels } from "../words/labels.js";
import { noteLine, resultLines } from "../words/result.js";
import { diffMarkdown, lostNouns } from "./prompt-diff.js";

const TEXT_MAX = 1100;

/** The prompt to copy, and under it what the rewrite added and dropped. */
export function promptSections(item: Item): string[] {
  const prompt = `**${labels.prompt}**${codeBlock(item.prompt, TEXT_MAX)}`;
  if (item.rewrite === null || isRaw(item)) return [prompt];
  const title = item.candidates.length > 0 ? labels.rewrite : labels.givenRewrite;
  return [`${prompt}\n**${title}**\n> ${diffMarkdown(item.prompt, item.rewrite, TEXT_MAX)}`];
}

/** Whether only the prompt as written is drawn: its "rewrite" is the prompt itself, and none was searched. */
export const isRaw = ({ prompt, rewrite, candidates }: Item): boolean =>
  rewrite === prompt && candidates.length === 0;

/** Notes on the rewrite: what it lost, and what the image model does not read. */
export function noteLines(item: Item): string[] {
  const lost = item.rewrite === null || isRaw(item) ? [] : lostNouns(item.prompt, item.rewrite);
  return [
    ...(lost.length === 0 ? [] : [resultLines.lost(lost.map((word) => escapeMarkdown(word)))]),
    ...item.notes.map(noteLine),
  ];
}
