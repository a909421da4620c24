import type { Side } from "../../core/side.js";
import type { Interval } from "../../core/statistics.js";
import type { Choice, Tally } from "../../db/votes.js";
import { count, number } from "./parts.js";

const sides: Readonly<Record<Side, string>> = { baseline: "the prompt as written", optimized: "the rewrite" };

/** A comparison that people vote on before they know which picture is which. */
export const blindLines = {
  question:
    "Which picture is better? One of them was drawn from a rewrite of the prompt. Vote to learn which.",
  closes: (at: number) => `The vote ends <t:${Math.floor(at / 1000)}:R>.`,
  bothAlt: "Two pictures of one prompt side by side; which of them was rewritten is not told",
  sideAlt: (side: "left" | "right") => `The picture on the ${side}`,
  voted: (choice: Choice, left: Side, before: Choice | null) => {
    const right: Side = left === "baseline" ? "optimized" : "baseline";
    const what = `Left was ${sides[left]}, right was ${sides[right]}.`;
    const now =
      choice === "left" || choice === "right"
        ? `You prefer ${sides[choice === "left" ? left : right]}.`
        : choice === "tie"
          ? "You find them equal."
          : "You find both bad.";
    return `${before === null || before === choice ? "Your vote counts." : "Your vote was changed."} ${now} ${what}`;
  },
  changeable: "Press another button to change your vote. Please tell nobody until it is revealed.",
  tally: ({ optimized, baseline, tie, bad }: Tally) =>
    `**Votes** rewrite ${optimized} · as written ${baseline} · tie ${tie} · both bad ${bad}`,
} as const;

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const undecided = ({ tie, bad }: Tally): string =>
  tie + bad === 0 ? "" : `, and ${count(tie, "tie")}, ${number(bad)} times both bad`;

/** The scoreboard of the blind votes. */
export const statsLines = {
  title: "How often the rewrite wins",
  all: "All votes",
  voter: (rank: number) => `Voter ${rank}`,
  rate: (label: string, tally: Tally, { low, high }: Interval) => {
    const n = tally.optimized + tally.baseline;
    return `**${label}**: ${percent(tally.optimized / n)}, 95 % sure between ${percent(low)} and ${percent(high)}, n = ${n}${undecided(tally)}.`;
  },
  tooFew: (label: string, tally: Tally, enough: number) =>
    `**${label}**: ${tally.optimized} of ${count(tally.optimized + tally.baseline, "vote")} for the rewrite${undecided(tally)}. Too few to tell; ${enough} are needed.`,
  plotNote: (tally: Tally, few: boolean) => {
    const n = tally.optimized + tally.baseline;
    return few ? `n = ${n}, too few` : `${percent(tally.optimized / n)}, n = ${n}`;
  },
} as const;
