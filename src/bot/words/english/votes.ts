import type { PerSide, Side } from "../../../core/side.js";
import { type Interval, wilson } from "../../../core/statistics/shares.js";
import type { Choice, Tally } from "../../../db/votes.js";
import { labels } from "./labels.js";
import { count, number } from "./parts.js";
import type { Translated } from "./translated.js";

const sides: PerSide<string> = { baseline: "the prompt as written", optimized: "the rewrite" };

/** A comparison that people vote on before they know which picture is which. */
export const blindLines = {
  question:
    "Which picture is better, A or B? One of them was drawn from a rewrite of the prompt. Vote to learn which.",
  /** Of a pair of two rewriters, by their titles. */
  questionBetween: (one: string, other: string) =>
    `Which picture is better, A or B? One was drawn from the text of ${one}, the other from that of ${other}. Vote to learn which.`,
  closes: (at: number) => `The vote ends <t:${Math.floor(at / 1000)}:R>.`,
  tileAlt: (letter: string) => `Picture ${letter}; whether it was drawn from the rewrite is not told yet`,
  nothing: "Promptist changed nothing, so there is nothing to vote on.",
  nothingBetween: "Both wrote the same text, so there is nothing to vote on.",
  /** `names`: who wrote the two texts, of a pair of two rewriters. */
  voted: (counted: Choice, left: Side, isFirst: boolean, names: PerSide<string> | null) => {
    const said = names ?? sides;
    const right: Side = left === "baseline" ? "optimized" : "baseline";
    const chosen =
      counted === "left" || counted === "right"
        ? `${labels.votes[counted]}, ${said[counted === "left" ? left : right]}`
        : counted === "tie"
          ? "both equal"
          : "both bad";
    const { left: a, right: b } = labels.votes;
    return `${isFirst ? "Your vote counts" : "Your first vote counts"}: ${chosen}. ${a} was ${said[left]}, ${b} was ${said[right]}.`;
  },
  secret: "Please keep it to yourself until the vote is over.",
  final: "You have seen which is which, so your vote can no longer change.",
  tally: ({ optimized, baseline, tie, bad }: Tally, names: PerSide<string> | null) =>
    `**Votes** ${names?.optimized ?? "rewrite"} ${optimized} · ${names?.baseline ?? "as written"} ${baseline} · tie ${tie} · both bad ${bad}`,
} as const;

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const undecided = ({ tie, bad }: Tally): string =>
  [
    ...(tie === 0 ? [] : [`, ${count(tie, "tie")}`]),
    ...(bad === 0 ? [] : [`, ${number(bad)} both bad`]),
  ].join("");

/** With fewer decided votes the interval spans more than half of the scale, and a rate would mislead. */
const ENOUGH_VOTES = 10;

/** What the votes say. */
export const verdictLines = {
  none: "No votes yet. Use `/compare blind:True`: under the pair, everyone can vote for A or B.",
  tooFew: (tally: Tally, needed: number) =>
    `${number(tally.optimized)} of ${count(tally.optimized + tally.baseline, "vote")} for the rewrite${undecided(tally)}. Too few to tell: ${needed} are needed.`,
  /** Shares from 0 to 1; `n`: votes for one of the two. */
  rate: (rate: number, { low, high }: Interval, n: number, tally: Tally) =>
    `${percent(rate)} (95 % confidence: ${percent(low)} to ${percent(high)}), n = ${n}${undecided(tally)}.`,
} as const;

/** What the votes say, as `/stats` and the operator's panel tell it. */
export interface Verdict {
  /** Votes for one of the two pictures; ties and "both bad" decide nothing. */
  readonly decided: number;
  /** Share of them for the rewrite, 0 to 1; null where they are too few. */
  readonly rate: number | null;
  readonly interval: Interval;
  /** A sentence for people. */
  readonly sentence: string;
  /** The same for a plot. */
  readonly note: string;
}

/** The one rule by which votes become a rate; docs/judging.md has it in words. */
export function verdictOf(tally: Tally, words: Translated<typeof verdictLines> = verdictLines): Verdict {
  const { optimized, baseline } = tally;
  const decided = optimized + baseline;
  const interval = wilson(optimized, decided);
  if (decided < ENOUGH_VOTES) {
    const sentence = decided + tally.tie + tally.bad === 0 ? words.none : words.tooFew(tally, ENOUGH_VOTES);
    return { decided, rate: null, interval, sentence, note: `n = ${decided}, too few` };
  }
  const rate = optimized / decided;
  return {
    decided,
    rate,
    interval,
    sentence: words.rate(rate, interval, decided, tally),
    note: `${percent(rate)}, n = ${decided}`,
  };
}

/** The scoreboard of the blind votes. */
export const statsLines = {
  title: "How often the rewrite wins",
  all: "All votes",
  voter: (rank: number) => `Voter ${rank}`,
  /** A rewriter's strength against the prompt as written, after Bradley and Terry; shares from 0 to 1, `n` votes. */
  rated: (share: number, { low, high }: Interval, n: number) =>
    `would win ${percent(share)} against the prompt as written (95 % confidence: ${percent(low)} to ${percent(high)}), n = ${n}.`,
  reference: (n: number) => `what the others are measured by, n = ${n}.`,
  asWritten: "As written",
  given: "Words of one's own",
} as const;
