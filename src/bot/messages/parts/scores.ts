import { type Item, type Job, scoresOf, writersOf } from "../../../core/job.js";
import type { PairScores } from "../../../core/judgement.js";
import type { PerSide } from "../../../core/side.js";
import { bootstrapMean } from "../../../core/statistics/bootstrap.js";
import { type ScoreRow, scorePlot } from "../../../pictures/plots.js";
import { clip } from "../../discord/markdown.js";
import { ALT_TEXT_MAX, type OutgoingFile } from "../../discord/outgoing.js";
import type { Words } from "../../words/english/english.js";
import {
  scoreLines as inPictures,
  meanWords,
  plotTitle,
  scoreRow,
  scoresOfPair,
  verdictOfJudges,
} from "../../words/english/scores.js";

/** Rows of the table in a message; the CSV has them all. */
const TABLE_ROWS = 10;

/** The judges' verdict on one rewrite, by the means of its pairs; none where they were not judged. */
export function verdictLine(job: Job, items: readonly Item[], words: Words): string[] {
  const { scoreLines } = words;
  const [first] = items;
  const names = first === undefined ? null : writersOf(job, first, words.statsLines.given);
  const scores = items.map(scoresOf);
  const means = (of: (one: PairScores) => PerSide<number | null>): PerSide<number | null> => {
    const both = scores.map(of).filter(({ baseline, optimized }) => baseline !== null && optimized !== null);
    return { baseline: mean(both.map((it) => it.baseline)), optimized: mean(both.map((it) => it.optimized)) };
  };
  const line = verdictOfJudges(
    means(({ relevance }) => relevance),
    means(({ beauty }) => beauty),
    scoreLines,
    names?.optimized,
  );
  return line === null ? [] : [line];
}

/** Null if there are no values. */
const mean = (values: readonly (number | null)[]): number | null =>
  values.length === 0 ? null : values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length;

/** The numbers of one pair, for Info; none where it was not judged. */
export function pairScoreLine(job: Job, item: Item, { scoreLines, statsLines }: Words): string[] {
  const line = scoresOfPair(scoresOf(item), scoreLines, writersOf(job, item, statsLines.given));
  return line === null ? [] : [line];
}

export interface BatchScores {
  readonly lines: readonly string[];
  readonly plot: OutgoingFile | null;
}

/**
 * The mean of each score with its interval, a table of the first pairs, and a plot; empty without any score.
 */
export async function batchScores(job: Job, { scoreLines }: Words): Promise<BatchScores> {
  const pairs = job.items
    .filter(({ cancelled }) => !cancelled)
    .map((item) => ({ item, scores: scoresOf(item) }));
  const measured = [
    { name: "relevanceChange", values: numbers(pairs.map(({ scores }) => relevanceChange(scores))) },
    { name: "beautyGain", values: numbers(pairs.map(({ scores }) => scores.beautyGain)) },
    { name: "reward", values: numbers(pairs.map(({ scores }) => scores.reward)) },
  ] as const;
  const rows = measured.flatMap(({ name, values }) => {
    const mean = bootstrapMean(values);
    return mean === null ? [] : [{ name, values, mean }];
  });
  if (rows.length === 0) return { lines: [], plot: null };
  const table = pairs
    .slice(0, TABLE_ROWS)
    .map(({ item, scores }) => scoreRow(item.index + 1, scores, item.prompt, scoreLines));
  const facts = rows.map(({ name, mean }) => `${scoreLines[name]} ${meanWords(mean, scoreLines)}`);
  const drawn = rows.map(
    ({ name, ...row }): ScoreRow => ({ ...row, label: inPictures[name], note: meanWords(row.mean) }),
  );
  return {
    lines: [scoreLines.title, ...facts, `\`\`\`\n${[scoreLines.tableHead, ...table].join("\n")}\n\`\`\``],
    plot: {
      name: `${job.id}-scores.png`,
      data: await scorePlot(plotTitle(pairs.length), drawn),
      description: clip(scoreLines.plotAlt(facts), ALT_TEXT_MAX),
    },
  };
}

const relevanceChange = (scores: PairScores): number | null =>
  scores.relevance.baseline === null || scores.relevance.optimized === null
    ? null
    : scores.relevance.optimized - scores.relevance.baseline;

const numbers = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);
