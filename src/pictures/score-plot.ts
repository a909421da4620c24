import sharp from "sharp";
import type { Mean } from "../core/statistics.js";
import { FAINT, INK, plotText } from "./stats-plot.js";

export interface ScoreRow {
  readonly label: string;
  /** One per pair. */
  readonly values: readonly number[];
  readonly mean: Mean;
  /** Printed at the end of the row. */
  readonly note: string;
}

const WIDTH = 860;
const ROW = 84;
const TOP = 56;
const BOTTOM = 12;
const AXIS = { left: 190, right: 590 };
const DOT = 5;
/** Half the width of a digit at the ticks' font size, in pixels. */
const HALF_DIGIT = 3.8;
const GAIN = "#4f8ef7";
const LOSS = "#e08a4f";
/** Fixed vertical offsets that separate dots which would overlap, in pixels. */
const JITTER = [0, -9, 9, -17, 17] as const;

/**
 * One row per score, each on its own scale around zero, where the rewrite changes nothing. A dot for each
 * pair: blue to the right if the rewrite gained, orange to the left if it lost. A diamond marks the mean, a
 * whisker its 95 % interval.
 */
export async function scorePlot(title: string, rows: readonly ScoreRow[]): Promise<Buffer> {
  const height = TOP + rows.length * ROW + BOTTOM;
  const scales = rows.map(({ values, mean }) => scaleOf([...values, mean.low, mean.high, 0]));
  const shapes = rows.map(({ values, mean }, i) => {
    const { x } = scales[i]!;
    const middle = TOP + i * ROW + 30;
    const zero = `<path d="M${x(0)},${middle - 26}V${middle + 24}" stroke="${INK}" stroke-dasharray="4 4"/>`;
    const axis = `<path d="M${AXIS.left},${middle + 24}H${AXIS.right}" stroke="${FAINT}"/>`;
    const dots = values.map(
      (value, n) =>
        `<circle cx="${x(value)}" cy="${middle + JITTER[n % JITTER.length]!}" r="${DOT}" fill="${value < 0 ? LOSS : GAIN}" fill-opacity="0.75"/>`,
    );
    const [low, at, high] = [x(mean.low), x(mean.mean), x(mean.high)];
    const whisker = `<path d="M${low},${middle}H${high}M${low},${middle - 7}v14M${high},${middle - 7}v14" stroke="${INK}" stroke-width="2"/>`;
    const diamond = `<path d="M${at},${middle - 8}l8,8l-8,8l-8,-8z" fill="${INK}" stroke="#2b2d31"/>`;
    return [axis, zero, ...dots, whisker, diamond].join("");
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}">
    <rect width="100%" height="100%" fill="#2b2d31"/>${shapes.join("")}</svg>`;
  const words = await Promise.all([
    plotText(title, 20, 16, 18, WIDTH - 40),
    ...rows.flatMap(({ label, note }, i) => {
      const { x, ticks } = scales[i]!;
      const middle = TOP + i * ROW + 30;
      return [
        plotText(label, 20, middle - 9, 14, AXIS.left - 30),
        plotText(note, AXIS.right + 14, middle - 9, 13, WIDTH - AXIS.right - 20),
        ...ticks.map((tick) => {
          const label = tickLabel(tick);
          return plotText(label, x(tick) - HALF_DIGIT * label.length, middle + 29, 12, 60);
        }),
      ];
    }),
  ]);
  return sharp(Buffer.from(svg)).composite(words).png().toBuffer();
}

/** A scale that covers all values, with ticks at round numbers, including zero. */
function scaleOf(values: readonly number[]): { x: (value: number) => number; ticks: number[] } {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low || 1;
  const from = low - span * 0.05;
  const to = high + span * 0.05;
  const x = (value: number): number => AXIS.left + ((value - from) / (to - from)) * (AXIS.right - AXIS.left);
  const step = roundStep((to - from) / 4);
  const ticks: number[] = [];
  for (let n = Math.ceil(from / step); n * step <= to; n++) ticks.push(n * step);
  return { x, ticks };
}

/** The smallest of 1, 2 or 5 times a power of ten that is at least `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.999)!;
}

const tickLabel = (value: number): string => String(Number(value.toPrecision(3)));
