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
/** Between two backticks it breaks a fence and shows nothing. */
const ZERO_WIDTH_SPACE = "\u200B";

/**
 * A person's text as a code block of at most `max` units: Markdown and mentions inside it are inert, and Discord
 * offers to copy it.
 */
export function codeBlock(text: string, max: number): string {
  const inert = text.replace(/`(?=`)/g, `\`${ZERO_WIDTH_SPACE}`);
  const room = max - 2 * (FENCE.length + 1);
  // A backtick at the end would join the closing fence were it not on its own line.
  return `${FENCE}\n${clip(inert, room)}\n${FENCE}`;
}

/** A person's text outside a code block: no Markdown, no mention, no link preview comes of it. */
export const escapeMarkdown = (text: string): string =>
  text.replace(/[\\*_~`|<>[\]()#@:]/g, (sign) => `\\${sign}`).replace(/^([-+\d])/gm, "\\$1");
