import sharp from "sharp";
import type { PictureSize } from "../core/options.js";
import { writeCanvas } from "./canvas.js";
import { comparisonTexts } from "./composed-texts.js";
import { COLORS, layer, type PairFiles, pairCard } from "./pair-card.js";
import { renderText } from "./text.js";

/** Pictures with this shorter side are shown at their own size; fonts and spaces are designed for it. */
const NATURAL_SIDE = 512;
const MIN_SIDE = 384;
/** Larger pictures are scaled down to this width, so that text stays readable at the size Discord shows. */
const SHOWN_COLUMN = 768;
/** Upper bound on the width, also for very wide pictures. */
const MAX_COLUMN = 1152;
const PROMPT_LINES = 9;

/**
 * Writes one picture that shows a pair side by side: the prompts under "baseline" and "optimized", cut to a
 * few lines, then the two pictures, then the caption in small print. Small pictures are enlarged by a whole
 * factor, to at least 384 pixels.
 * @param file absolute path of the PNG
 * @throws Error if a picture cannot be read or the file cannot be written
 */
export async function writeComparison(pair: PairFiles, file: string): Promise<PictureSize> {
  const column = columnWidth(await sharp(pair.files.baseline).metadata());
  const unit = column / NATURAL_SIDE;
  const px = (length: number): number => Math.round(length * unit);
  const margin = px(28);
  const card = await pairCard(
    pair,
    { column, gap: px(20), labelSize: px(34), promptSize: px(30), promptLines: PROMPT_LINES },
    null,
  );
  const caption = await renderText(
    pair.caption,
    { weight: "book", size: px(22), color: COLORS.small },
    card.width,
    3,
  );
  const captionTop = margin + card.headerHeight + card.pictureHeight + px(14);
  const width = card.width + 2 * margin;
  const height = captionTop + caption.height + px(20);
  return writeCanvas(
    file,
    { width, height },
    [...card.place(margin, margin), ...layer(caption, margin, captionTop)],
    await comparisonTexts(pair),
  );
}

/** Display width of a picture: a whole multiple of a small one's width, less than a large one's own. */
function columnWidth({ width = 0, height = 0 }: { width?: number; height?: number }): number {
  const side = Math.min(width, height);
  const factor = Math.max(Math.round(NATURAL_SIDE / side), Math.ceil(MIN_SIDE / side));
  if (factor > 1) return Math.min(width * factor, MAX_COLUMN);
  const forMinSide = Math.ceil((MIN_SIDE * width) / side);
  return Math.min(width, Math.max(SHOWN_COLUMN, forMinSide), MAX_COLUMN);
}
