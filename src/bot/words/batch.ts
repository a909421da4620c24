import { about, capitalized, count, number, numbered } from "./parts.js";
import { statusLines } from "./status.js";

/** A draft: a batch before it is started. */
export const draftLines = {
  amount: (prompts: number, given: number, pictures: number) =>
    `${statusLines.batch(prompts, given)} That makes ${count(pictures, "picture")}.`,
  time: (ownMs: number) => `Takes about ${about(ownMs)} on this machine.`,
  unknownTime: "How long it takes is not known yet: nothing like it ran here since the bot started.",
  ahead: (jobs: number, ms: number | null) =>
    `${jobs === 1 ? "1 job goes" : `${number(jobs)} jobs go`} first${ms === null ? "" : `, for about ${about(ms)}`}.`,
  first: (prompts: readonly string[], all: number) =>
    [
      ...prompts.map((prompt, i) => `${i + 1}. ${prompt}`),
      ...(prompts.length < all ? [`and ${number(all - prompts.length)} more`] : []),
    ].join("\n"),
  /** `prompts`: their numbers. */
  tooLong: (prompts: readonly number[]) =>
    `${capitalized(numbered(prompts))} ${prompts.length === 1 ? "is" : "are"} too long for Promptist to read to the end. It rewrites the beginning, and the rest stays as written.`,
  again: "Seeds and settings come from the report.",
  ends: (at: number) => `Nothing is drawn until you press Start. This ends <t:${Math.floor(at / 1000)}:R>.`,
  expired: "Nobody pressed Start in time, so nothing is drawn. Use `/batch` again with the file.",
  discarded: "Discarded; nothing is drawn.",
} as const;

/** Taking prompts out of a batch, or pairs out of a comparison of several. */
export const itemLines = {
  choose: (noun: "prompt" | "pair") => `Pick the ${noun}s to skip. What is drawn already stays.`,
  more: (shown: number, all: number) => `The first ${number(shown)} of ${number(all)} that wait are listed.`,
  taken: (noun: "prompt" | "pair", taken: number, left: number) =>
    `${count(taken, noun)} taken out; ${left === 0 ? "nothing is left to draw" : `${number(left)} left to draw`}.`,
  gone: "These were drawn or taken out meanwhile.",
} as const;
