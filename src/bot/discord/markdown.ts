/** Shortens a text to `max` UTF-16 units, never inside a surrogate pair, and marks the cut. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, max - 1);
  return `${/[\uD800-\uDBFF]$/.test(head) ? head.slice(0, -1) : head}…`;
}

/** What follows the first `start` UTF-16 units, never from inside a surrogate pair. */
export const tail = (text: string, start: number): string =>
  text.slice(start).replace(/^[\uDC00-\uDFFF]/, "");

const FENCE = "```";
/** Between two backticks it breaks a fence, and is invisible. */
const ZERO_WIDTH_SPACE = "\u200B";

/**
 * A user's text as a code block of at most `max` units: Markdown and mentions in it are inert, and Discord
 * offers to copy it.
 */
export function codeBlock(text: string, max: number): string {
  const inert = text.replace(/`(?=`)/g, `\`${ZERO_WIDTH_SPACE}`);
  const room = max - 2 * (FENCE.length + 1);
  // On a line of its own, so that a backtick at the end does not join the closing fence.
  return `${FENCE}\n${clip(inert, room)}\n${FENCE}`;
}

/** A short text as code, which its own signs can't change. */
export const codeSpan = (text: string): string => `\`${text.replaceAll("`", "'")}\``;

/** A user's text outside a code block, without Markdown, mentions or link previews. */
export const escapeMarkdown = (text: string): string =>
  text
    .replace(/[\\*_~`|<>[\]()#@:]/g, (sign) => `\\${sign}`)
    .replace(/^([-+])/gm, "\\$1")
    // A number begins a list by its full stop; a backslash before a digit would be shown.
    .replace(/^(\d+)([.)])/gm, "$1\\$2");
