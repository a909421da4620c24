/**
 * Text as pixels. The font comes with the program, so a picture looks the same on a server without fonts; where the
 * system has fonts, they fill in what DejaVu lacks (Chinese, most emoji), else a box with the character's number shows.
 */
import { createRequire } from "node:module";
import sharp from "sharp";

const resolve = createRequire(import.meta.url).resolve;
const FONTS = {
  book: { family: "DejaVu Sans", file: resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf") },
  bold: { family: "DejaVu Sans Bold", file: resolve("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf") },
} as const;

export interface TextStyle {
  readonly weight: keyof typeof FONTS;
  /** Pixels per em. */
  readonly size: number;
  /** `#rrggbb` */
  readonly color: string;
}

/** A rendered paragraph. Its top is the top of its first line, whatever letters are in it. */
export interface TextBlock {
  /** RGBA, or null where there is nothing to see. */
  readonly pixels: Buffer | null;
  readonly width: number;
  readonly height: number;
  /** Whether words were cut off. */
  readonly cut: boolean;
}

/**
 * An invisible line before the text. Pango crops its picture to the ink, so that "an" would sit higher than "Ag"; the
 * block character reaches from the top of a line to its bottom and pins both edges.
 */
const STRUT = '<span alpha="1">\u2588</span>';
const ELLIPSIS = "…";

/** No line is so wide that more characters could fit in the lines shown; keeps rendering short for huge prompts. */
const CHARACTERS_PER_LINE = 160;

/** Renders one paragraph, wrapped to `width` pixels and cut to `maxLines` with an ellipsis. */
export async function renderText(
  text: string,
  style: TextStyle,
  width: number,
  maxLines: number,
): Promise<TextBlock> {
  const line = await lineHeight(style);
  const budget = maxLines * line + 1;
  const whole = graphemes(printable(text));
  if (whole.length === 0) return { pixels: null, width: 0, height: 0, cut: false };

  const bounded = whole.slice(0, maxLines * CHARACTERS_PER_LINE);
  if (bounded.length === whole.length) {
    const block = await render(whole.join(""), style, width, line);
    if (block.height <= budget) return { ...block, cut: false };
  }
  // The longest beginning that fits: low fits (an ellipsis alone always does), high does not.
  let low = 0;
  let high = bounded.length + (bounded.length === whole.length ? 0 : 1);
  let best = await render(ELLIPSIS, style, width, line);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const block = await render(`${atWordEnd(bounded, middle)}${ELLIPSIS}`, style, width, line);
    if (block.height <= budget) {
      low = middle;
      best = block;
    } else {
      high = middle;
    }
  }
  return { ...best, height: Math.min(best.height, Math.ceil(budget)), cut: true };
}

/** Distance of two baselines in pixels. */
export async function lineHeight(style: TextStyle): Promise<number> {
  const key = `${style.weight} ${style.size}`;
  let height = lineHeights.get(key);
  if (height === undefined) {
    const one = await rasterize(STRUT, style, 1000);
    const two = await rasterize(`${STRUT}\n${STRUT}`, style, 1000);
    height = two.info.height - one.info.height;
    lineHeights.set(key, height);
  }
  return height;
}
const lineHeights = new Map<string, number>();

async function render(
  text: string,
  style: TextStyle,
  width: number,
  line: number,
): Promise<Omit<TextBlock, "cut">> {
  const markup = `${STRUT}\n<span foreground="${style.color}">${escapeMarkup(text)}</span>`;
  const { data, info } = await rasterize(markup, style, width);
  const height = Math.max(info.height - line, 1);
  const rowBytes = info.width * info.channels;
  const pixels = data.subarray(line * rowBytes);
  return { pixels: pixels.length === height * rowBytes ? pixels : null, width: info.width, height };
}

function rasterize(markup: string, style: TextStyle, width: number) {
  const font = FONTS[style.weight];
  return sharp({
    text: {
      text: markup,
      font: `${font.family} ${style.size}`,
      fontfile: font.file,
      width: Math.round(width),
      wrap: "word-char",
      rgba: true,
      // Pixels per em are then the font's size.
      dpi: 72,
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), (part) => part.segment);

/** A word is dropped rather than broken, unless it alone is most of a line. */
const LONGEST_WORD = 24;

function atWordEnd(parts: readonly string[], end: number): string {
  const space = parts.lastIndexOf(" ", end);
  const cut = parts[end] !== " " && space > 0 && end - space < LONGEST_WORD ? space : end;
  return parts
    .slice(0, cut)
    .join("")
    .replace(/[\s,;:.]+$/u, "");
}

/** More marks on one letter than any script uses would paint over the rest of the picture. */
const MAX_MARKS = 4;

/** One line of characters that Pango takes: no controls, no halves of pairs, no marks heaped on one letter. */
function printable(text: string): string {
  return text
    .replace(/\p{Surrogate}|\p{Noncharacter_Code_Point}/gu, "\ufffd")
    .replace(/[\p{Control}\u2028\u2029\s]+/gu, " ")
    .replace(/[\u202a-\u202e\u2066-\u2069]/gu, "")
    .replace(new RegExp(`(\\p{Mark}{${MAX_MARKS}})\\p{Mark}+`, "gu"), "$1")
    .trim();
}

const MARKUP: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escapeMarkup = (text: string): string => text.replace(/[&<>"']/g, (character) => MARKUP[character]!);
