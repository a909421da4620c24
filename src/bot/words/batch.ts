import { about, capitalized, count, number, numbered } from "./parts.js";
import { statusLines } from "./status.js";

/** A draft: a batch before it is started. */
export const draftLines = {
  amount: (prompts: number, given: number, pictures: number) =>
    `${statusLines.batch(prompts, given)} That makes ${count(pictures, "picture")}.`,
  time: (ownMs: number) => `Takes about ${about(ownMs)} on this machine.`,
  unknownTime: "The time is not known yet: nothing like this has run since the bot started.",
  ahead: (jobs: number, ms: number | null) =>
    `${count(jobs, "job")} ${jobs === 1 ? "is" : "are"} ahead of it${ms === null ? "" : ` and ${jobs === 1 ? "takes" : "take"} about ${about(ms)}`}.`,
  first: (prompts: readonly string[], all: number) =>
    [
      ...prompts.map((prompt, i) => `${i + 1}. ${prompt}`),
      ...(prompts.length < all ? [`and ${number(all - prompts.length)} more`] : []),
    ].join("\n"),
  /** `prompts`: their numbers. */
  tooLong: (prompts: readonly number[]) =>
    `${capitalized(numbered(prompts))} ${prompts.length === 1 ? "is" : "are"} too long for Promptist to read to the end. It rewrites the beginning, and the rest stays as written.`,
  again: "Seeds and settings come from the report.",
  ends: (at: number) =>
    `Nothing is drawn until you press Start. This draft expires <t:${Math.floor(at / 1000)}:R>.`,
  expired: "Nobody pressed Start in time, so nothing was drawn. Use `/batch` again with the file.",
  discarded: "Discarded. Nothing was drawn.",
} as const;

/** Taking prompts out of a batch. */
export const itemLines = {
  choose: "Choose the prompts to take out. Pictures that are already drawn stay.",
  more: (shown: number, all: number) =>
    `The lists show the first ${number(shown)} of ${number(all)} waiting prompts.`,
  taken: (taken: number, left: number) =>
    `${count(taken, "prompt")} taken out; ${left === 0 ? "nothing is left to draw" : `${number(left)} left to draw`}.`,
  gone: "These prompts have already been drawn or taken out.",
} as const;
