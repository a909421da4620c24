import { createRequire } from "node:module";
import sharp, { type OverlayOptions } from "sharp";
import type { Interval } from "../core/statistics.js";

const FONT = createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf");

export interface PlotRow {
  readonly label: string;
  /** Share of the votes that the rewrite won, 0 to 1, with its interval; null if there are too few votes. */
  readonly rate: number | null;
  readonly interval: Interval;
  /** Printed at the end of the row. */
  readonly note: string;
}

const WIDTH = 760;
const ROW = 44;
const TOP = 56;
const BOTTOM = 40;
/** Left and right end of the axis (0 and 100 %) in pixels; names stand before it, notes after it. */
const AXIS = { left: 190, right: 590 };
export const INK = "#e6e7ea";
export const FAINT = "#5b5e66";
const BAR = "#4f8ef7";

/**
 * One row per group: a bar up to its win rate and a whisker over its 95 % interval, with a line at one half,
 * where neither side is preferred. sharp draws it all on its own threads; the text uses the program's font,
 * because text in an SVG would need a system font.
 */
export async function statsPlot(title: string, rows: readonly PlotRow[]): Promise<Buffer> {
  const height = TOP + rows.length * ROW + BOTTOM;
  const x = (share: number): number => AXIS.left + share * (AXIS.right - AXIS.left);
  const shapes = rows.map(({ rate, interval }, i) => {
    const middle = TOP + i * ROW + ROW / 2;
    const whisker = `M${x(interval.low)},${middle}H${x(interval.high)}M${x(interval.low)},${middle - 7}v14M${x(interval.high)},${middle - 7}v14`;
    const bar =
      rate === null
        ? ""
        : `<rect x="${x(0)}" y="${middle - 10}" width="${x(rate) - x(0)}" height="20" rx="3" fill="${BAR}"/>`;
    return `${bar}<path d="${whisker}" stroke="${rate === null ? FAINT : INK}" stroke-width="2" fill="none"/>`;
  });
  const foot = height - BOTTOM;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}">
    <rect width="100%" height="100%" fill="#2b2d31"/>
    <path d="M${x(0)},${TOP}V${foot}M${x(1)},${TOP}V${foot}" stroke="${FAINT}"/>
    <path d="M${x(0.5)},${TOP}V${foot}" stroke="${INK}" stroke-dasharray="4 4"/>
    ${shapes.join("")}</svg>`;
  const words = await Promise.all([
    plotText(title, 20, 16, 18, WIDTH - 40),
    ...[0, 0.5, 1].map((share) => plotText(`${share * 100} %`, x(share) - 16, foot + 10, 13, 80)),
    ...rows.flatMap(({ label, note }, i) => [
      plotText(label, 20, TOP + i * ROW + 13, 14, AXIS.left - 30),
      plotText(note, AXIS.right + 14, TOP + i * ROW + 13, 14, WIDTH - AXIS.right - 20),
    ]),
  ]);
  return sharp(Buffer.from(svg)).composite(words).png().toBuffer();
}

/** Text of a plot as a layer, in the program's own font, cut off at `width` pixels. */
export async function plotText(
  words: string,
  left: number,
  top: number,
  size: number,
  width: number,
): Promise<OverlayOptions> {
  const markup = `<span foreground="${INK}">${words.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</span>`;
  const rendered = await sharp({
    text: { text: markup, font: `DejaVu Sans ${size}`, fontfile: FONT, dpi: 72, rgba: true },
  })
    .png()
    .toBuffer({ resolveWithObject: true });
  const input =
    rendered.info.width <= width
      ? rendered.data
      : await sharp(rendered.data)
          .extract({ left: 0, top: 0, width, height: rendered.info.height })
          .toBuffer();
  return { input, left: Math.round(left), top: Math.round(top) };
}
