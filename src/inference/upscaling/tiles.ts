import type { PictureSize } from "../../core/options.js";

/** A part of a picture, in pixels. */
export interface Rect extends PictureSize {
  readonly left: number;
  readonly top: number;
}

/** A tile: the part of the result that it gives, and the larger part of the picture that it is made from. */
export interface Tile {
  readonly own: Rect;
  readonly seen: Rect;
}

/**
 * Cuts a picture into equal tiles whose own parts are at most `side` long and lie side by side, and that see
 * `overlap` pixels more of the picture all around. Edges inside the picture are multiples of `multiple`.
 */
export function tilesOf(
  { width, height }: PictureSize,
  { side, overlap, multiple }: { readonly side: number; readonly overlap: number; readonly multiple: number },
): Tile[] {
  const columns = spans(width, side, overlap, multiple);
  const rows = spans(height, side, overlap, multiple);
  const rect = (x: Span, y: Span): Rect => ({
    left: x.start,
    top: y.start,
    width: x.end - x.start,
    height: y.end - y.start,
  });
  return rows.flatMap((row) =>
    columns.map((column) => ({ own: rect(column.own, row.own), seen: rect(column.seen, row.seen) })),
  );
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function spans(length: number, side: number, overlap: number, multiple: number): { own: Span; seen: Span }[] {
  const up = (pixels: number) => Math.ceil(pixels / multiple) * multiple;
  const step = up(length / Math.ceil(length / side));
  const around = up(overlap);
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => {
    const own = { start: i * step, end: Math.min(length, (i + 1) * step) };
    const seen = { start: Math.max(0, own.start - around), end: Math.min(length, own.end + around) };
    return { own, seen };
  });
}
