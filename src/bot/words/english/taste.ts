import type { Interval, Share } from "../../../core/statistics/shares.js";
import { count, number } from "./parts.js";

const percent = (share: number): string => `${Math.round(100 * share)} %`;

const rate = ({ share, low, high, n }: Share): string =>
  `${percent(share)} (${percent(low)} to ${percent(high)}, n = ${number(n)})`;

/** What a server likes, as `/taste` tells it. */
export const tasteLines = {
  title: "What this server likes",
  noServer: "Every server has its own taste, so use this in one.",
  none: "Nothing is known yet: it takes blind votes. Ask for a pair with `/compare blind:True`.",
  learned: (votes: number) =>
    `Learned from ${count(votes, "blind vote")}. How often would a rewrite with a phrase win against the same one without it?`,
  liked: "Liked",
  disliked: "Disliked",
  /** `text` is escaped already; shares from 0 to 1; `votes`: on pairs with the phrase. */
  phrase: (text: string, share: number, { low, high }: Interval, votes: number) =>
    `${text}: ${percent(share)} (${percent(low)} to ${percent(high)}), n = ${number(votes)}`,
  intervals: "In brackets: 95 % intervals. One that holds 50 % has decided nothing yet.",
  /** Among the pairs whose rewrite taste chose; shares from 0 to 1, null without a vote. */
  shares: (chosen: Share, first: Share | null) =>
    `Rewrites chosen so won ${rate(chosen)}. Always the first one would have won ${first === null ? "an unknown share" : rate(first)}.`,
  exported: (phrases: number, votes: number) =>
    `${count(phrases, "phrase")}, learned from ${count(votes, "blind vote")}.`,
  notSure:
    "Nothing was forgotten. Use `/taste forget sure:True` to forget what this server's votes have taught.",
  forgotten:
    "Forgotten. The votes so far still count in `/stats show`; what is liked is learned from new ones.",
} as const;

/** What the picture of `/taste show` says, which is English for all. */
export const tastePicture = {
  title: "What this server likes",
  share: "wins against the same without it",
  chosen: "All rewrites chosen so",
  first: "Always the first rewrite",
  note: (share: number, votes: number) => `${percent(share)}, n = ${number(votes)}`,
} as const;
