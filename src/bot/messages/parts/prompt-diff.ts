import { diffPrompt } from "../../../core/prompt-diff.js";
import { escapeMarkdown } from "../../discord/markdown.js";

/**
 * The rewrite in Markdown of at most `max` units: added words bold, dropped ones struck through, the rest
 * plain.
 */
export function diffMarkdown(prompt: string, rewrite: string, max: number): string {
  let text = "";
  for (const { value, added, removed } of diffPrompt(prompt, rewrite)) {
    const mark = added ? "**" : removed ? "~~" : "";
    // Discord ignores marks beside a space, so a run's spaces stay outside its marks. Two runs must not
    // touch.
    const words = value.trim();
    const start = words === "" ? 0 : value.indexOf(words);
    const before = value.slice(0, start);
    const after = value.slice(start + words.length);
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

/** The longest start of whole words that has at most `room` units once it is escaped. */
function fitting(words: string, room: number): string {
  let head = "";
  for (const { 0: word } of words.matchAll(/\s*\S+/gu)) {
    const longer = head + escapeMarkdown(word);
    if (longer.length > room) break;
    head = longer;
  }
  return head;
}
