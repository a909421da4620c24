import sharp, { type OverlayOptions } from "sharp";
import type { Mean } from "../core/statistics/bootstrap.js";
import type { Interval } from "../core/statistics/shares.js";
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
/** In pixels. Names and notes stand above their row's axis, which leaves the axis the full width. */
const AXIS = { left: 32, right: 720 };
const WIDTH = 760;
const TOP = 64;
const TITLE = { left: 20, middle: 32, size: 28 };
const WORDS = 22;
const SMALL = 19;
/** From the middle of a legend's line to the next one's. */
const LEGEND_LINE = 30;

export interface VoteRow {
  readonly label: string;
  /** Share of the votes that the rewrite won, 0 to 1; null where there are too few votes. */
  readonly rate: number | null;
  readonly interval: Interval;
  /** Said at the end of the row. */
  readonly note: string;
}

/** In pixels. */
const VOTES = { row: 78, words: 18, center: 52, ticks: 36 };
const voteLegend = (share: string): readonly Legend[] => [
  {
    mark: (x, y) => `<rect x="${x - 9}" y="${y - 9}" width="18" height="18" rx="3" fill="${GAIN}"/>`,
    words: share,
  },
  { mark: (x, y) => whisker(x - 12, x + 12, y, INK), words: "95 % interval" },
  { mark: (x, y) => line(x, y - 12, y + 12, DASHED), words: "no preference" },
];

/**
 * A row for each group: a bar to its win rate and a whisker over its 95 % interval, with a line at one half. `share`:
 * what the rate is of, for the legend.
 */
export async function votesPlot(
  title: string,
  rows: readonly VoteRow[],
  share = "share of votes for the rewrite",
): Promise<Buffer> {
  const { row, words: wordsAt, center, ticks } = VOTES;
  const x = (share: number): number => AXIS.left + share * (AXIS.right - AXIS.left);
  const topOf = (i: number): number => TOP + i * row;
  const shapes = rows.map(({ rate, interval }, i) => {
    const middle = topOf(i) + center;
    const bar =
      rate === null
        ? ""
        : `<rect x="${x(0)}" y="${middle - 12}" width="${x(rate) - x(0)}" height="24" rx="3" fill="${GAIN}"/>`;
    const lines = [0, 0.5, 1].map((share) =>
      line(x(share), middle - 18, middle + 18, share === 0.5 ? DASHED : `stroke="${FAINT}"`),
    );
    return `${bar}${lines.join("")}${whisker(x(interval.low), x(interval.high), middle, rate === null ? FAINT : INK)}`;
  });
  const foot = topOf(rows.length);
  const key = legend(voteLegend(share), foot + ticks + LEGEND_LINE / 2);
  const words = [
    text(title, TITLE.left, TITLE.middle, TITLE.size, WIDTH - 40),
    ...[0, 0.5, 1].map((share) => text(`${share * 100} %`, x(share), foot + 12, SMALL, 80, "center")),
    ...rows.flatMap(({ label, note }, i) => header(label, note, topOf(i) + wordsAt)),
    ...key.words,
  ];
  return draw(key.bottom, [...shapes, ...key.shapes], words);
}

export interface ScoreRow {
  readonly label: string;
  /** One for each pair. */
  readonly values: readonly number[];
  readonly mean: Mean;
  /** Said at the end of the row. */
  readonly note: string;
}

/** In pixels, from the top of a row; `dot` is a radius. */
const SCORES = { row: 132, words: 18, center: 66, ticks: 106, dot: 6 };
const SCORE_LEGEND: readonly Legend[] = [
  { mark: (x, y) => circle(x, y, GAIN), words: "a pair where the rewrite scores higher" },
  { mark: (x, y) => circle(x, y, LOSS), words: "lower" },
  { mark: (x, y) => diamond(x, y), words: "mean" },
  { mark: (x, y) => whisker(x - 12, x + 12, y, INK), words: "95 % interval" },
  { mark: (x, y) => line(x, y - 12, y + 12, DASHED), words: "no difference" },
];
/** Dots that would cover each other are moved up and down by fixed steps, in pixels. */
const JITTER = [0, -9, 9, -17, 17] as const;

/**
 * A row for each score, each on its own scale about zero, where the rewrite changes nothing: a dot for each
 * pair, blue to the right where the rewrite gained and orange to the left where it lost, a diamond at the
 * mean and a whisker over its 95 % interval.
 */
export async function scorePlot(title: string, rows: readonly ScoreRow[]): Promise<Buffer> {
  const { row, words: wordsAt, center, ticks: ticksAt } = SCORES;
  const topOf = (i: number): number => TOP + i * row;
  const scales = rows.map(({ values, mean }) => scaleOf([...values, mean.low, mean.high, 0]));
  const shapes = rows.flatMap(({ values, mean }, i) => {
    const { x } = scales[i]!;
    const middle = topOf(i) + center;
    return [
      `<path d="M${AXIS.left},${middle + 26}H${AXIS.right}" stroke="${FAINT}"/>`,
      line(x(0), middle - 28, middle + 26, DASHED),
      ...values.map((value, n) =>
        circle(x(value), middle + JITTER[n % JITTER.length]!, value < 0 ? LOSS : GAIN),
      ),
      whisker(x(mean.low), x(mean.high), middle, INK),
      diamond(x(mean.mean), middle),
    ];
  });
  const key = legend(SCORE_LEGEND, topOf(rows.length) + LEGEND_LINE / 2);
  const words = [
    text(title, TITLE.left, TITLE.middle, TITLE.size, WIDTH - 40),
    ...rows.flatMap(({ label, note }, i) => {
      const { x, ticks } = scales[i]!;
      return [
        ...header(label, note, topOf(i) + wordsAt),
        ...ticks.map((tick) => text(tickLabel(tick), x(tick), topOf(i) + ticksAt, SMALL, 120, "center")),
      ];
    }),
    ...key.words,
  ];
  return draw(key.bottom, [...shapes, ...key.shapes], words);
}

/** A mark of the plot beside what it means. */
interface Legend {
  /** The mark about a point, as SVG. */
  readonly mark: (x: number, y: number) => string;
  readonly words: string;
}

/** About the width of a character in the legend's size, to break its lines. */
const CHARACTER = 9.5;

/** The legend's marks and words, on as many lines as they need, the first at `middle`. */
function legend(
  entries: readonly Legend[],
  middle: number,
): { shapes: string[]; words: Promise<OverlayOptions[]>[]; bottom: number } {
  const shapes: string[] = [];
  const words: Promise<OverlayOptions[]>[] = [];
  let [left, y] = [AXIS.left, middle];
  for (const entry of entries) {
    const width = 24 + entry.words.length * CHARACTER;
    if (left > AXIS.left && left + width > WIDTH) [left, y] = [AXIS.left, y + LEGEND_LINE];
    shapes.push(entry.mark(left, y));
    words.push(text(entry.words, left + 22, y, SMALL, WIDTH - left - 22));
    left += width + 30;
  }
  return { shapes, words, bottom: Math.round(y + LEGEND_LINE) };
}

/** A row's name to the left and its note to the right. */
const header = (label: string, note: string, middle: number): Promise<OverlayOptions[]>[] => [
  text(label, TITLE.left, middle, WORDS, WIDTH / 2 - 30),
  text(note, WIDTH - TITLE.left, middle, WORDS, WIDTH / 2, "right"),
];

const DASHED = `stroke="${INK}" stroke-dasharray="4 4"`;
const line = (x: number, top: number, bottom: number, stroke: string): string =>
  `<path d="M${x},${top}V${bottom}" ${stroke}/>`;
const circle = (x: number, y: number, color: string): string =>
  `<circle cx="${x}" cy="${y}" r="${SCORES.dot}" fill="${color}" fill-opacity="0.75"/>`;
const diamond = (x: number, y: number): string =>
  `<path d="M${x},${y - 9}l9,9l-9,9l-9,-9z" fill="${INK}" stroke="${BACKGROUND}"/>`;

/** A line over an interval, with a stop at each end. */
const whisker = (low: number, high: number, middle: number, color: string): string =>
  `<path d="M${low},${middle}H${high}M${low},${middle - 7}v14M${high},${middle - 7}v14" stroke="${color}" stroke-width="2" fill="none"/>`;

/** One line of words as a layer about `x`, centered on `middle` and cut with an ellipsis at `width` pixels. */
async function text(
  words: string,
  x: number,
  middle: number,
  size: number,
  width: number,
  align: "left" | "center" | "right" = "left",
): Promise<OverlayOptions[]> {
  const block = await renderText(words, { weight: "book", size, color: INK }, width, 1);
  const before = { left: 0, center: block.width / 2, right: block.width }[align];
  // A layer must not begin outside of the picture.
  return layer(block, Math.max(0, Math.round(x - before)), Math.round(middle - block.height / 2));
}

async function draw(
  height: number,
  shapes: readonly string[],
  words: readonly Promise<OverlayOptions[]>[],
): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}">
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
