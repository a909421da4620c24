import sharp, { type OverlayOptions } from "sharp";
import type { Interval, Mean } from "../core/statistics.js";
import { layer } from "./pair-card.js";
import { renderText } from "./text.js";

/**
 * Plots of votes and scores. sharp draws everything on its own threads; the words are pixels of the program's
 * own font, since an SVG's text would need one of the system's.
 */

const BACKGROUND = "#2b2d31";
const INK = "#e6e7ea";
const FAINT = "#5b5e66";
const GAIN = "#4f8ef7";
const LOSS = "#e08a4f";
/** Columns of the names, the axis, and the notes, in pixels. */
const AXIS = { left: 190, right: 590 };
const TOP = 56;
const TITLE = { left: 20, middle: 26, size: 18 };

export interface VoteRow {
  readonly label: string;
  /** Share of the votes that the rewrite won, 0 to 1; null where there are too few votes. */
  readonly rate: number | null;
  readonly interval: Interval;
  /** Said at the end of the row. */
  readonly note: string;
}

/** In pixels. */
const VOTES = { width: 760, row: 44, bottom: 40 };

/**
 * A row for each group: a bar to its win rate and a whisker over its 95 % interval, with a line at one half.
 */
export async function votesPlot(title: string, rows: readonly VoteRow[]): Promise<Buffer> {
  const { width, row, bottom } = VOTES;
  const height = TOP + rows.length * row + bottom;
  const x = (share: number): number => AXIS.left + share * (AXIS.right - AXIS.left);
  const middleOf = (i: number): number => TOP + i * row + row / 2;
  const shapes = rows.map(({ rate, interval }, i) => {
    const middle = middleOf(i);
    const bar =
      rate === null
        ? ""
        : `<rect x="${x(0)}" y="${middle - 10}" width="${x(rate) - x(0)}" height="20" rx="3" fill="${GAIN}"/>`;
    return `${bar}${whisker(x(interval.low), x(interval.high), middle, rate === null ? FAINT : INK)}`;
  });
  const foot = height - bottom;
  const frame = `<path d="M${x(0)},${TOP}V${foot}M${x(1)},${TOP}V${foot}" stroke="${FAINT}"/>
    <path d="M${x(0.5)},${TOP}V${foot}" stroke="${INK}" stroke-dasharray="4 4"/>`;
  const words = [
    text(title, TITLE.left, TITLE.middle, TITLE.size, width - 40),
    ...[0, 0.5, 1].map((share) => text(`${share * 100} %`, x(share) - 16, foot + 16, 13, 80)),
    ...rows.flatMap(({ label, note }, i) => [
      text(label, TITLE.left, middleOf(i), 14, AXIS.left - 30),
      text(note, AXIS.right + 14, middleOf(i), 14, width - AXIS.right - 20),
    ]),
  ];
  return draw(width, height, [frame, ...shapes], words);
}

export interface ScoreRow {
  readonly label: string;
  /** One for each pair. */
  readonly values: readonly number[];
  readonly mean: Mean;
  /** Said at the end of the row. */
  readonly note: string;
}

/** In pixels; `center`: from the top of a row to its middle. */
const SCORES = { width: 860, row: 84, bottom: 12, center: 30, dot: 5 };
/** Half the width of a digit in the ticks' size, in pixels. */
const HALF_DIGIT = 3.8;
/** Dots that would cover each other are moved up and down by fixed steps, in pixels. */
const JITTER = [0, -9, 9, -17, 17] as const;

/**
 * A row for each score, each on its own scale about zero, where the rewrite changes nothing: a dot for each
 * pair, blue to the right where the rewrite gained and orange to the left where it lost, a diamond at the
 * mean and a whisker over its 95 % interval.
 */
export async function scorePlot(title: string, rows: readonly ScoreRow[]): Promise<Buffer> {
  const { width, row, bottom, center, dot } = SCORES;
  const height = TOP + rows.length * row + bottom;
  const middleOf = (i: number): number => TOP + i * row + center;
  const scales = rows.map(({ values, mean }) => scaleOf([...values, mean.low, mean.high, 0]));
  const shapes = rows.flatMap(({ values, mean }, i) => {
    const { x } = scales[i]!;
    const middle = middleOf(i);
    const at = x(mean.mean);
    return [
      `<path d="M${AXIS.left},${middle + 24}H${AXIS.right}" stroke="${FAINT}"/>`,
      `<path d="M${x(0)},${middle - 26}V${middle + 24}" stroke="${INK}" stroke-dasharray="4 4"/>`,
      ...values.map(
        (value, n) =>
          `<circle cx="${x(value)}" cy="${middle + JITTER[n % JITTER.length]!}" r="${dot}" fill="${value < 0 ? LOSS : GAIN}" fill-opacity="0.75"/>`,
      ),
      whisker(x(mean.low), x(mean.high), middle, INK),
      `<path d="M${at},${middle - 8}l8,8l-8,8l-8,-8z" fill="${INK}" stroke="${BACKGROUND}"/>`,
    ];
  });
  const words = [
    text(title, TITLE.left, TITLE.middle, TITLE.size, width - 40),
    ...rows.flatMap(({ label, note }, i) => {
      const { x, ticks } = scales[i]!;
      const middle = middleOf(i);
      return [
        text(label, TITLE.left, middle, 14, AXIS.left - 30),
        text(note, AXIS.right + 14, middle, 13, width - AXIS.right - 20),
        ...ticks.map((tick) => {
          const words = tickLabel(tick);
          return text(words, x(tick) - HALF_DIGIT * words.length, middle + 35, 12, 60);
        }),
      ];
    }),
  ];
  return draw(width, height, shapes, words);
}

/** A line over an interval, with a stop at each end. */
const whisker = (low: number, high: number, middle: number, color: string): string =>
  `<path d="M${low},${middle}H${high}M${low},${middle - 7}v14M${high},${middle - 7}v14" stroke="${color}" stroke-width="2" fill="none"/>`;

/** One line of words as a layer, centered on `middle` and cut with an ellipsis at `width` pixels. */
async function text(
  words: string,
  left: number,
  middle: number,
  size: number,
  width: number,
): Promise<OverlayOptions[]> {
  const block = await renderText(words, { weight: "book", size, color: INK }, width, 1);
  return layer(block, Math.round(left), Math.round(middle - block.height / 2));
}

async function draw(
  width: number,
  height: number,
  shapes: readonly string[],
  words: readonly Promise<OverlayOptions[]>[],
): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="100%" height="100%" fill="${BACKGROUND}"/>${shapes.join("")}</svg>`;
  const layers = (await Promise.all(words)).flat();
  return sharp(Buffer.from(svg)).composite(layers).png().toBuffer();
}

/** A scale over all values, with ticks at round numbers, zero among them. */
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

/** 1, 2 or 5 times a power of ten, at least `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.999)!;
}

const tickLabel = (value: number): string => String(Number(value.toPrecision(3)));
