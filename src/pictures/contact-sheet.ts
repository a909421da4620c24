import type { PictureSize } from "../core/options.js";
import { writeCanvas } from "./canvas.js";
import { sheetTexts } from "./composed-texts.js";
import { type PairFiles, pairCard } from "./pair-card.js";

/** More pairs would be unreadable on one sheet; the caller makes further sheets. */
export const PAIRS_PER_SHEET = 10;

const MARGIN = 32;
const GUTTER = 40;
const STYLE = { column: 320, gap: 12, labelSize: 27, promptSize: 24, promptLines: 8 } as const;

/**
 * Writes an overview of several pairs, two to a row, with their prompts cut to a few lines.
 * @param pairs 1 to 10
 * @param file absolute path of the PNG
 * @param numbers each pair's number in its job; 1, 2, 3 ... if left out
 * @throws RangeError for any other number of pairs; Error if a picture cannot be read or the file cannot be
 * written
 */
export async function writeContactSheet(
  pairs: readonly PairFiles[],
  file: string,
  numbers?: readonly number[],
): Promise<PictureSize> {
  if (pairs.length < 1 || pairs.length > PAIRS_PER_SHEET) {
    throw new RangeError(`A contact sheet holds 1 to ${PAIRS_PER_SHEET} pairs, got ${pairs.length}`);
  }
  const perRow = Math.min(2, pairs.length);
  const numbered = pairs.map((_, i) => numbers?.[i] ?? i + 1);
  const cards = await Promise.all(pairs.map((pair, i) => pairCard(pair, STYLE, numbered[i]!)));
  const cardWidth = cards[0]!.width;
  let top = MARGIN;
  const layers = [];
  for (let from = 0; from < cards.length; from += perRow) {
    const row = cards.slice(from, from + perRow);
    const headerHeight = Math.max(...row.map((card) => card.headerHeight));
    layers.push(
      ...row.flatMap((card, i) => card.place(MARGIN + i * (cardWidth + GUTTER), top, headerHeight)),
    );
    top += headerHeight + Math.max(...row.map((card) => card.pictureHeight)) + GUTTER;
  }
  const width = 2 * MARGIN + perRow * cardWidth + (perRow - 1) * GUTTER;
  const size = { width, height: top - GUTTER + MARGIN };
  return writeCanvas(file, size, layers, await sheetTexts(pairs, numbered));
}
