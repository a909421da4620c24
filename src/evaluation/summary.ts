import { addedPhrases, nounsOf } from "../core/prompt-diff.js";
import type { Mean } from "../core/statistics/bootstrap.js";
import { differenceAt, MEASURES, type Measure, meanAt, type Scores } from "./scores.js";

/** What a report is made from. */
export interface Evaluated {
  readonly prompts: readonly string[];
  readonly rewriters: readonly string[];
  /** Index of the rewriter that the others are compared with. */
  readonly baseline: number;
  readonly scores: Scores;
  /** What was made of each prompt, in any order; read twice. */
  readonly rewrites: () => AsyncIterable<RewriteOf>;
}

export interface RewriteOf {
  /** Both from 0. */
  readonly prompt: number;
  readonly rewriter: number;
  readonly text: string;
}

type PerMeasure = Readonly<Record<Measure, Mean | null>>;

/** What an evaluation found; plain data, and what report.json holds. */
export interface Summary {
  readonly prompts: number;
  readonly seeds: number;
  readonly baseline: string;
  /** What the judges gave; the first one decides about groups and about which prompts are shown. */
  readonly measures: readonly Measure[];
  readonly rewriters: readonly RewriterSummary[];
  /** Between any two that are no baseline: by how much and how often the first one is above the second. */
  readonly duels: readonly Duel[];
  /** Prompts that were chosen by their place in the file alone. */
  readonly sample: readonly Shown[];
}

export interface RewriterSummary {
  readonly name: string;
  readonly scores: PerMeasure;
  /** Against the baseline; null for the baseline itself. */
  readonly against: Against | null;
}

export interface Against {
  readonly gains: PerMeasure;
  /** Shares of pictures, 0 to 1. */
  readonly wins: PerMeasure;
  /** Prompts whose rewrite is the prompt. */
  readonly unchanged: number;
  /** How the mean gains of the prompts are spread. */
  readonly histogram: Histogram;
  readonly lengths: readonly Group[];
  readonly topics: readonly Group[];
  readonly phrases: readonly PhraseGroup[];
  /** Where the rewrite lost most, the worst first, and where it gained most. */
  readonly worst: readonly Shown[];
  readonly best: readonly Shown[];
}

export interface Duel {
  readonly first: string;
  readonly second: string;
  readonly gains: PerMeasure;
  readonly wins: PerMeasure;
}

/** Counts of the values in steps of `step`, the first from `from`. */
export interface Histogram {
  readonly from: number;
  readonly step: number;
  readonly counts: readonly number[];
}

/** Some of the prompts, and the mean gain there. */
export interface Group {
  readonly label: string;
  readonly prompts: number;
  readonly gain: Mean | null;
}

/** Prompts whose rewrite added a phrase; `difference`: their mean gain minus that of the other prompts. */
export interface PhraseGroup extends Group {
  readonly difference: Mean | null;
}

/** A prompt that is shown with its pictures. */
export interface Shown {
  /** From 0. */
  readonly prompt: number;
  readonly text: string;
  /** The rewriter's mean gain there; null in the sample. */
  readonly gain: number | null;
  /** By the rewriters' names, as far as they are shown. */
  readonly rewrites: Readonly<Record<string, string>>;
}

/** Of words in a prompt; the upper end of the last one is open. */
const LENGTHS = [1, 5, 9, 17, 33] as const;
/** A group of fewer says nothing. */
const GROUP_MIN = 3;
const BINS = 24;
const TOPICS = 15;
const PHRASES = 25;
const SHOWN = { worst: 8, best: 4, sample: 4 } as const;
/** Prompts between two pauses for whatever else the thread has to do; grammar takes some milliseconds for each. */
const UNINTERRUPTED = 5;

/** Computes what an evaluation found. Holds numbers and phrases, and the texts of the few prompts that are shown. */
export async function summarize({
  prompts,
  rewriters,
  baseline,
  scores,
  rewrites,
}: Evaluated): Promise<Summary> {
  const { measures } = scores;
  const main = measures[0]!;
  const phrases = rewriters.map(() => new Map<string, number[]>());
  const unchanged = rewriters.map(() => 0);
  let read = 0;
  for await (const { prompt, rewriter, text } of rewrites()) {
    if (++read % UNINTERRUPTED === 0) await pause();
    const plain = prompts[prompt]!;
    if (text.trim() === plain.trim()) unchanged[rewriter]!++;
    for (const phrase of new Set(addedPhrases(plain, text).map(({ text }) => phraseKey(text))))
      addTo(phrases[rewriter]!, phrase, prompt);
  }
  const lengths = new Map<string, number[]>();
  const topics = new Map<string, number[]>();
  for (const [i, prompt] of prompts.entries()) {
    addTo(lengths, lengthOf(prompt), i);
    for (const noun of nounsOf(prompt)) addTo(topics, noun, i);
    if (i % UNINTERRUPTED === 0) await pause();
  }

  const against = async (rewriter: number): Promise<Against> => {
    const values = scores.gains(main, rewriter);
    const group = ([label, members]: readonly [string, readonly number[]]): Group => ({
      label,
      prompts: members.length,
      gain: meanAt(values, members),
    });
    const order = [...values.keys()]
      .filter((prompt) => !Number.isNaN(values[prompt]!))
      .sort((a, b) => values[a]! - values[b]!);
    const shown = (prompt: number): Shown => ({
      prompt,
      text: prompts[prompt]!,
      gain: values[prompt]!,
      rewrites: {},
    });
    const worst = order.slice(0, SHOWN.worst).filter((prompt) => values[prompt]! < 0);
    const best = order
      .slice(-SHOWN.best)
      .reverse()
      .filter((prompt) => values[prompt]! > 0);
    return {
      gains: await perMeasure((measure) => scores.gain(measure, rewriter)),
      wins: await perMeasure((measure) => scores.wins(measure, rewriter)),
      unchanged: unchanged[rewriter]!,
      histogram: histogramOf(order.map((prompt) => values[prompt]!)),
      lengths: await pausing(
        LENGTHS.flatMap((_, i) => {
          const label = lengthLabel(i);
          const members = lengths.get(label);
          return members === undefined ? [] : [[label, members] as const];
        }),
        group,
      ),
      topics: await pausing(mostCommon(topics, TOPICS), group),
      phrases: await pausing(mostCommon(phrases[rewriter]!, PHRASES), (entry) => ({
        ...group(entry),
        difference: differenceAt(values, entry[1]),
      })),
      worst: worst.map(shown),
      best: best.map(shown),
    };
  };
  const found = {
    prompts: prompts.length,
    seeds: scores.seeds,
    baseline: rewriters[baseline]!,
    measures,
    rewriters: await pausing([...rewriters.entries()], async ([rewriter, name]) => ({
      name,
      scores: await perMeasure((measure) => scores.mean(measure, rewriter)),
      against: rewriter === baseline ? null : await against(rewriter),
    })),
    duels: await pausing(duelsOf(rewriters.length, baseline), async ([i, k]) => ({
      first: rewriters[i]!,
      second: rewriters[k]!,
      gains: await perMeasure((measure) => scores.gain(measure, i, k)),
      wins: await perMeasure((measure) => scores.wins(measure, i, k)),
    })),
    sample: spread(prompts.length, SHOWN.sample).map((prompt) => ({
      prompt,
      text: prompts[prompt]!,
      gain: null,
      rewrites: {},
    })),
  };
  return withRewrites(found, rewriters, rewrites());
}

/** Gives the shown prompts their rewrites: those of the sample all, the others the one that they stand for. */
async function withRewrites(
  summary: Summary,
  rewriters: readonly string[],
  rewrites: AsyncIterable<RewriteOf>,
): Promise<Summary> {
  const texts = new Map<string, string>();
  const sampled = new Set(summary.sample.map(({ prompt }) => prompt));
  const shownOf = summary.rewriters.map(
    ({ against }) =>
      new Set([...(against?.worst ?? []), ...(against?.best ?? [])].map(({ prompt }) => prompt)),
  );
  const key = (prompt: number, rewriter: number) => `${prompt} ${rewriter}`;
  for await (const { prompt, rewriter, text } of rewrites)
    if (sampled.has(prompt) || shownOf[rewriter]!.has(prompt)) texts.set(key(prompt, rewriter), text);
  const filled =
    (indices: readonly number[]) =>
    (shown: Shown): Shown => ({
      ...shown,
      rewrites: Object.fromEntries(
        indices.flatMap((rewriter) => {
          const text = texts.get(key(shown.prompt, rewriter));
          return text === undefined ? [] : [[rewriters[rewriter]!, text]];
        }),
      ),
    });
  return {
    ...summary,
    sample: summary.sample.map(filled([...rewriters.keys()])),
    rewriters: summary.rewriters.map((rewriter, i) => ({
      ...rewriter,
      against: rewriter.against && {
        ...rewriter.against,
        worst: rewriter.against.worst.map(filled([i])),
        best: rewriter.against.best.map(filled([i])),
      },
    })),
  };
}

const pause = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Works on one thing after the other; an interval of a thousand prompts takes some 20 ms. */
async function pausing<T, R>(things: readonly T[], work: (thing: T) => R | Promise<R>): Promise<R[]> {
  const made: R[] = [];
  for (const thing of things) {
    await pause();
    made.push(await work(thing));
  }
  return made;
}

async function perMeasure(value: (measure: Measure) => Mean | null): Promise<PerMeasure> {
  const values = await pausing(MEASURES, (measure) => [measure, value(measure)] as const);
  return Object.fromEntries(values) as PerMeasure;
}

/** Every two rewriters, the baseline not among them. */
const duelsOf = (rewriters: number, baseline: number): (readonly [number, number])[] => {
  const others = Array.from({ length: rewriters }, (_, i) => i).filter((i) => i !== baseline);
  return others.flatMap((i, n) => others.slice(n + 1).map((k) => [i, k] as const));
};

/** About `BINS` steps of a round width, of which one begins at 0. */
function histogramOf(sorted: readonly number[]): Histogram {
  const [low = 0, high = 0] = [sorted[0], sorted.at(-1)];
  const step = roundStep((high - low) / BINS || 1);
  const first = Math.floor(low / step);
  const counts = new Array<number>(Math.floor(high / step) - first + 1).fill(0);
  for (const value of sorted) counts[Math.floor(value / step) - first]!++;
  return { from: first * step, step, counts };
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.999)!;
}

const phraseKey = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\s+/g, " ")
    .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");

function addTo(groups: Map<string, number[]>, name: string, prompt: number): void {
  const members = groups.get(name);
  if (members === undefined) groups.set(name, [prompt]);
  else members.push(prompt);
}

/** The largest groups, the largest first. */
const mostCommon = (groups: ReadonlyMap<string, number[]>, max: number): [string, number[]][] =>
  [...groups]
    .filter(([, members]) => members.length >= GROUP_MIN)
    .sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .slice(0, max);

const wordsOf = (prompt: string): number => prompt.split(/\s+/).filter((word) => word !== "").length;

function lengthOf(prompt: string): string {
  const words = wordsOf(prompt);
  return lengthLabel(
    Math.max(
      0,
      LENGTHS.findLastIndex((from) => words >= from),
    ),
  );
}

function lengthLabel(i: number): string {
  const next = LENGTHS[i + 1];
  return next === undefined ? `${LENGTHS[i]} words or more` : `${LENGTHS[i]} to ${next - 1} words`;
}

/** Evenly spaced places among `n`. */
const spread = (n: number, count: number): number[] =>
  Array.from({ length: Math.min(n, count) }, (_, i) => Math.floor(((i + 0.5) * n) / Math.min(n, count)));
