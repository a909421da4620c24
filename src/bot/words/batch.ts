import { type FileNotes, MORE_MAX, type Remark } from "../../core/file-notes.js";
import { about, capitalized, count, listed, number, numbered } from "./parts.js";
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
  fileSettings: "Seeds and settings that the file has are used.",
  /** `prompts`: their numbers. */
  own: (prompts: readonly number[]) =>
    `${capitalized(numbered(prompts))} ${prompts.length === 1 ? "has" : "have"} settings of ${prompts.length === 1 ? "its" : "their"} own, from the file.`,
  ends: (at: number) =>
    `Nothing is drawn until you press Start. This draft expires <t:${Math.floor(at / 1000)}:R>.`,
  expired: "Nobody pressed Start in time, so nothing was drawn. Use the command again with the file.",
  discarded: "Discarded. Nothing was drawn.",
} as const;

/** How many things of a file a message names; its attached list has all. */
const REMARKS_MAX = 10;
const LINES_MAX = 10;
const NAMES_MAX = 15;

/** What a person should know of a batch's file. */
export const fileLines = {
  /** `taken`: how many prompts are in the batch. */
  summary: (notes: FileNotes, taken: number): string[] => [
    ...(notes.picture === undefined
      ? []
      : [
          "**Different from the attached picture:**",
          ...notes.picture.slice(0, REMARKS_MAX).map((it) => `- ${it}`),
        ]),
    ...(notes.more === 0
      ? []
      : [
          `Only the first ${count(taken, "prompt")} of the file ${taken === 1 ? "is" : "are"} taken; ${number(notes.more)}${notes.more < MORE_MAX ? "" : " or"} more ${notes.more === 1 ? "is" : "are"} left out. Put them into another file.`,
        ]),
    ...(notes.encoding === null
      ? []
      : [
          `The file is not UTF-8, so it is read as \`${notes.encoding}\`. If letters look wrong, save it as UTF-8 and attach it again.`,
        ]),
    ...part("Left out", notes.leftOut),
    ...part("Not understood, and drawn without it", notes.unread),
    ...(notes.ignored.length === 0 ? [] : [`Not read: ${named(notes.ignored)}.`]),
    ...(notes.comments === 0
      ? []
      : [
          `${count(notes.comments, "line")} that ${notes.comments === 1 ? "begins" : "begin"} with \`#\` ${notes.comments === 1 ? "is" : "are"} skipped.`,
        ]),
  ],
  /** Whether the summary leaves something out that the whole list has. */
  isCut: ({ leftOut, unread }: FileNotes): boolean =>
    [leftOut, unread].some(
      (remarks) => remarks.length > REMARKS_MAX || remarks.some(({ count }) => count > LINES_MAX),
    ),
  /** All of it, as the text of a file. */
  whole: ({ leftOut, unread }: FileNotes): string =>
    [
      ...(leftOut.length === 0 ? [] : ["Left out:", ...leftOut.map((it) => remark(it, Infinity)), ""]),
      ...(unread.length === 0
        ? []
        : ["Not understood, and drawn without it:", ...unread.map((it) => remark(it, Infinity)), ""]),
    ].join("\n"),
} as const;

function part(title: string, remarks: readonly Remark[]): string[] {
  if (remarks.length === 0) return [];
  const rest = remarks.slice(REMARKS_MAX).reduce((sum, it) => sum + it.count, 0);
  return [
    `**${title}:**`,
    ...remarks.slice(0, REMARKS_MAX).map((it) => `- ${remark(it, LINES_MAX)}`),
    ...(rest === 0 ? [] : [`- and ${number(rest)} more`]),
  ];
}

/** "lines 2, 3 and 40 more: the prompt is empty" */
function remark({ problem, unit, numbers, count: all }: Remark, most: number): string {
  const shown = numbers.slice(0, most).map(number);
  const more = all - shown.length;
  const nouns = unit === "line" ? "lines" : "entries";
  return `${all === 1 ? unit : nouns} ${listed(more === 0 ? shown : [...shown, `${number(more)} more`])}: ${problem}`;
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).map((name) => `\`${name}\``);
  const more = names.length - shown.length;
  return listed(more === 0 ? shown : [...shown, `${number(more)} more`]);
}

/** Taking prompts out of a batch, or pairs out of a comparison of several. */
export const itemLines = {
  choose: (noun: "prompt" | "pair") =>
    `Choose the ${noun}s to take out. Pictures that are already drawn stay.`,
  more: (shown: number, all: number) =>
    `The lists show the first ${number(shown)} of ${number(all)} that are waiting.`,
  taken: (noun: "prompt" | "pair", taken: number, left: number) =>
    `${count(taken, noun)} taken out; ${left === 0 ? "nothing is left to draw" : `${number(left)} left to draw`}.`,
  gone: "These have already been drawn or taken out.",
} as const;
