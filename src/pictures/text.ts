/**
 * Renders text as pixels. The program brings its font, so a picture looks the same on a server without fonts.
 * System fonts, if any, supply what DejaVu lacks (Chinese, most emoji); otherwise a box with the character's
 * number is shown, and `doctor` says which fonts to install.
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

/** A rendered paragraph. Its top is the top of its first line, whatever letters it holds. */
export interface TextBlock {
  /** RGBA, or null if there is nothing to see. */
  readonly pixels: Buffer | null;
  readonly width: number;
  readonly height: number;
  /** Whether text was cut off. */
  readonly cut: boolean;
}

/**
 * An invisible line before the text. Pango crops its picture to the ink, so "an" would sit higher than "Ag";
 * the block character spans the line from top to bottom and fixes both edges.
 */
const STRUT = '<span alpha="1">\u2588</span>';
const ELLIPSIS = "…";

/** An upper bound on the characters in a line of any width we use; keeps rendering fast for huge prompts. */
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
  // Binary search for the longest beginning that fits: `low` fits (an ellipsis alone always does), `high`
  // does not.
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

/** Distance between two baselines in pixels. */
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

/** Scripts that only fonts of the system can draw, each with characters that show it. */
const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  Chinese: ["漢", "雨"],
  Japanese: ["の", "カ"],
  Korean: ["한", "비"],
  emoji: ["🦊", "🧙"],
};

/** The names of the scripts that this machine's fonts lack, so that boxes would stand for them. */
export async function undrawnScripts(): Promise<string[]> {
  const drawn = await Promise.all(
    Object.entries(SCRIPTS).map(async ([name, characters]) => {
      const boxes = await Promise.all(characters.map(isBox));
      return boxes.some(Boolean) ? [name] : [];
    }),
  );
  return drawn.flat();
}

/** Whether a character is drawn as Pango's box with its number: its ink has a line along all four edges. */
async function isBox(character: string): Promise<boolean> {
  const { data, info } = await rasterize(character, { weight: "book", size: 48, color: "#000000" }, 1000);
  const { width, height, channels } = info;
  const inkOf = (x: number, y: number): number => Number(data[(y * width + x) * channels + 3]! > 64);
  const sum = (length: number, at: (i: number) => number): number =>
    Array.from({ length }, (_, i) => at(i)).reduce((total, ink) => total + ink, 0);
  const rows = Array.from({ length: height }, (_, y) => sum(width, (x) => inkOf(x, y)));
  const columns = Array.from({ length: width }, (_, x) => sum(height, (y) => inkOf(x, y)));
  // The picture may have empty margins.
  const inked = (lines: readonly number[]): number[] => lines.filter((ink) => ink > 0);
  const [across, down] = [inked(rows), inked(columns)];
  const isLine = (ink: number | undefined, length: number): boolean =>
    ink !== undefined && ink > 0.9 * length;
  return (
    isLine(across[0], down.length) &&
    isLine(across.at(-1), down.length) &&
    isLine(down[0], across.length) &&
    isLine(down.at(-1), across.length)
  );
}

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
      // At 72 dpi, pixels per em equal the font's size.
      dpi: 72,
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), (part) => part.segment);

/** Text is cut at the last space, unless that is this many characters back: then the word is broken. */
const LONGEST_WORD = 24;

function atWordEnd(parts: readonly string[], end: number): string {
  const space = parts.lastIndexOf(" ", end);
  const cut = parts[end] !== " " && space > 0 && end - space < LONGEST_WORD ? space : end;
  return parts
    .slice(0, cut)
    .join("")
    .replace(/[\s,;:.]+$/u, "");
}

/**
 * Limit of combining marks on one letter: no script uses more, and a heap of them would paint over the
 * picture.
 */
const MAX_MARKS = 4;

/** Removes what Pango rejects or draws badly from a line: controls, unpaired surrogates, heaps of marks. */
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
