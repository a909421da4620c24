import sharp, { type OverlayOptions } from "sharp";
import type { Grid } from "../core/grid.js";
import type { PictureSize } from "../core/options.js";
import { writeCanvas } from "./canvas.js";
import { gridTexts } from "./composed-texts.js";
import { blankPanel, COLORS, fitted, layer } from "./pair-card.js";
import { renderText, type TextBlock, type TextStyle } from "./text.js";

/** A cell: the absolute path of its picture, and what its panel says where the picture is not shown. */
export type GridCell =
  | { readonly file: string; readonly blank: string | null }
  | { readonly file: null; readonly blank: string };

export interface GridRequest {
  readonly grid: Grid;
  /** Row by row. */
  readonly cells: readonly GridCell[];
  /** Above all cells: the text that they show. */
  readonly title: string;
  /** Small print below them: the options that they share. */
  readonly caption: string;
  /** Absolute path of the PNG to write. */
  readonly file: string;
}

/** Pixels of a whole row of cells; pictures of one or two columns are smaller. */
const ROW = 1600;
const COLUMN_MAX = 640;
const COLUMN_MIN = 96;
/** Cells of a row where there is only one axis. */
const ROW_CELLS = 5;
/** Columns beyond which labels are smaller, and may take a line more. */
const MANY_COLUMNS = 5;
/** A cell's picture that is there for no cell. */
const UNKNOWN: PictureSize = { width: 512, height: 512 };

/**
 * A phone shows the picture some 360 points wide, so a letter of a 36th of its width is read as one of 10 points
 * would be.
 */
const SHARES = {
  title: 1 / 38,
  label: 1 / 34,
  small: 1 / 46,
  caption: 1 / 54,
  gap: 1 / 160,
  margin: 1 / 56,
} as const;

/**
 * Writes a grid as one picture: the text that was drawn, the value of `y` and those of `x` above each row, and the
 * small print. With one axis the cells run on over several rows, each with its value. Long labels are
 * cut to two or three lines.
 * @throws RangeError where the cells don't fill the axes; Error if a picture cannot be read or the file cannot be
 * written
 */
export async function writeGrid(request: GridRequest): Promise<PictureSize> {
  const { grid, cells, title, caption, file } = request;
  const { x, y } = grid;
  if (cells.length !== x.values.length * (y?.values.length ?? 1))
    throw new RangeError(`${cells.length} cells don't fill the axes of a grid`);
  const perRow = y === null ? balanced(x.values.length) : x.values.length;
  const box = await boxOf(cells);
  const column = columnWidth(box.width, perRow);
  const cell = { width: column, height: Math.round((column * box.height) / box.width) };
  const wide = Math.max(perRow * column, COLUMN_MAX);
  const px = (share: number): number => Math.round(share * wide);
  const gap = Math.max(4, px(SHARES.gap));
  const margin = Math.max(12, px(SHARES.margin));
  const inner = Math.max(perRow * column + (perRow - 1) * gap, COLUMN_MAX);
  const labelSize = perRow <= MANY_COLUMNS ? px(SHARES.label) : Math.max(px(1 / 48), Math.round(column / 6));
  const labelLines = perRow <= MANY_COLUMNS ? 2 : 3;
  const bold: TextStyle = { weight: "bold", size: labelSize, color: COLORS.prompt };
  const named: TextStyle = { weight: "book", size: px(SHARES.label), color: COLORS.accent };
  const line = (text: string, style: TextStyle, width: number, lines: number) =>
    renderText(text, style, width, lines);

  const layers: OverlayOptions[] = [];
  let top = margin;
  const put = (block: TextBlock, left: number) => layers.push(...layer(block, left, top));
  const leftOf = (at: number) => margin + at * (column + gap);

  const head = await line(title, { weight: "book", size: px(SHARES.title), color: COLORS.prompt }, inner, 3);
  put(head, margin);
  top += head.height + 2 * gap;
  const axis = await line(y === null ? `→ ${x.name}` : `→ ${x.name}   ↓ ${y.name}`, named, inner, 1);
  put(axis, margin);
  top += axis.height + gap;

  for (let from = 0; from < cells.length; from += perRow) {
    const row = cells.slice(from, from + perRow);
    if (y !== null) top += await rowLabel(y.name, y.values[from / perRow] ?? "");
    // Repeated with each row: on a phone the first one is soon out of sight.
    top += await labels(y === null ? x.values.slice(from, from + perRow) : x.values);
    const pictures = await Promise.all(row.map((it) => picture(it, cell, px(SHARES.small))));
    for (const [i, { png, width, height }] of pictures.entries())
      layers.push({
        input: png,
        left: leftOf(i) + Math.floor((cell.width - width) / 2),
        top: top + Math.floor((cell.height - height) / 2),
      });
    top += cell.height + 2 * gap;
  }
  const small = await line(
    caption,
    { weight: "book", size: px(SHARES.caption), color: COLORS.small },
    inner,
    4,
  );
  put(small, margin);
  const size = { width: inner + 2 * margin, height: top + small.height + margin };
  const first = cells.find((cell) => cell.file !== null && cell.blank === null)?.file ?? null;
  return writeCanvas(file, size, layers, await gridTexts(grid, first));

  /** Puts a label above each column and answers the height that they take. */
  async function labels(values: readonly string[]): Promise<number> {
    const blocks = await Promise.all(values.map((value) => line(shown(value), bold, column, labelLines)));
    for (const [i, block] of blocks.entries()) put(block, leftOf(i));
    return Math.max(...blocks.map(({ height }) => height)) + gap;
  }

  /** Puts the axis' name and a row's value above the row and answers the height that they take. */
  async function rowLabel(name: string, value: string): Promise<number> {
    const before = await line(name, named, inner / 2, 1);
    put(before, margin);
    const space = Math.round(named.size / 2);
    const left = margin + before.width + space;
    const block = await line(shown(value), { ...bold, size: named.size }, inner - before.width - space, 1);
    put(block, left);
    return Math.max(before.height, block.height) + gap;
  }
}

/** An empty value, such as no negative prompt, is said. */
const shown = (value: string): string => (value === "" ? "none" : value);

/** How many of so many cells stand in a row, so that the last row is nearly full. */
const balanced = (cells: number): number => Math.ceil(cells / Math.ceil(cells / ROW_CELLS));

/** The smallest box that holds each picture at its own size. */
async function boxOf(cells: readonly GridCell[]): Promise<PictureSize> {
  const sizes = await Promise.all(
    cells.flatMap(({ file }) => (file === null ? [] : [sharp(file).metadata()])),
  );
  if (sizes.length === 0) return UNKNOWN;
  return {
    width: Math.max(...sizes.map(({ width = 1 }) => width)),
    height: Math.max(...sizes.map(({ height = 1 }) => height)),
  };
}

/** Small pictures are enlarged by a whole number of times, large ones are scaled down. */
function columnWidth(own: number, columns: number): number {
  const most = Math.max(COLUMN_MIN, Math.min(COLUMN_MAX, Math.floor(ROW / columns)));
  return own <= most ? own * Math.floor(most / own) : most;
}

async function picture(
  { file, blank }: GridCell,
  box: PictureSize,
  labelSize: number,
): Promise<PictureSize & { readonly png: Buffer }> {
  if (file !== null && blank === null) return fitted(file, box);
  return { ...box, png: await blankPanel(box, labelSize, blank ?? "") };
}
