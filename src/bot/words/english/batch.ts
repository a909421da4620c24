import { type FileNotes, MORE_MAX, type Remark } from "../../../core/file-notes.js";
import type { ItemNoun } from "../../../core/job.js";
import { about, capitalized, count, listed, number, numbered } from "./parts.js";
import { statusLines } from "./status.js";
import type { Translated } from "./translated.js";

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
  expired: "Nobody pressed Start in time, so nothing was drawn. Use the command again.",
  discarded: "Discarded. Nothing was drawn.",
} as const;

/** How many things of a file a message names; its attached list has all. */
const REMARKS_MAX = 10;
const LINES_MAX = 10;
const NAMES_MAX = 15;

/** What a person should know of a batch's file. */
export const fileLines = {
  /** `isAll`: whether no further ones were left uncounted. */
  onlyFirst: (taken: number, more: number, isAll: boolean) =>
    `Only the first ${count(taken, "prompt")} of the file ${taken === 1 ? "is" : "are"} taken; ${number(more)}${isAll ? "" : " or"} more ${more === 1 ? "is" : "are"} left out. Put them into another file.`,
  encoding: (encoding: string) =>
    `The file is not UTF-8, so it is read as \`${encoding}\`. If letters look wrong, save it as UTF-8 and attach it again.`,
  leftOut: "Left out",
  unread: "Not understood, and drawn without it",
  /** `names`: of columns, as code. */
  ignored: (names: readonly string[], more: number) => `Not read: ${withMore(names, more)}.`,
  comments: (lines: number) =>
    `${count(lines, "line")} that ${lines === 1 ? "begins" : "begin"} with \`#\` ${lines === 1 ? "is" : "are"} skipped.`,
  /** "lines 2, 3 and 40 more: the prompt is empty" */
  remark: (unit: Remark["unit"], numbers: readonly number[], more: number, problem: string) => {
    const nouns = unit === "line" ? "lines" : "entries";
    return `${numbers.length + more === 1 ? unit : nouns} ${withMore(numbers.map(number), more)}: ${problem}`;
  },
  more: (remarks: number) => `and ${number(remarks)} more`,
} as const;

const withMore = (names: readonly string[], more: number): string =>
  listed(more === 0 ? names : [...names, `${number(more)} more`]);

type FileWords = Translated<typeof fileLines>;

/** Before the remarks on a picture, which are English as they are. */
const PICTURE_TITLE = "**Different from the attached picture:**";

/** What a message says of a file. `taken`: how many prompts are in the batch. */
export function fileSummary(notes: FileNotes, taken: number, words: FileWords = fileLines): string[] {
  const { picture = [], more, encoding, ignored, comments, leftOut, unread } = notes;
  const shown = ignored.slice(0, NAMES_MAX).map((name) => `\`${name}\``);
  return [
    ...(picture.length === 0 ? [] : [PICTURE_TITLE, ...picture.slice(0, REMARKS_MAX).map((it) => `- ${it}`)]),
    ...(more === 0 ? [] : [words.onlyFirst(taken, more, more < MORE_MAX)]),
    ...(encoding === null ? [] : [words.encoding(encoding)]),
    ...part(words.leftOut, leftOut, words),
    ...part(words.unread, unread, words),
    ...(shown.length === 0 ? [] : [words.ignored(shown, ignored.length - shown.length)]),
    ...(comments === 0 ? [] : [words.comments(comments)]),
  ];
}

/** Whether a message about the file, or picture, quotes its reader, which speaks English. */
export const hasRemarks = ({ picture = [], leftOut, unread }: FileNotes): boolean =>
  picture.length + leftOut.length + unread.length > 0;

/** Whether the summary leaves something out that the whole list has. */
export const isCut = ({ leftOut, unread }: FileNotes): boolean =>
  [leftOut, unread].some(
    (remarks) => remarks.length > REMARKS_MAX || remarks.some(({ count }) => count > LINES_MAX),
  );

/** All remarks on a file, as the text of a file. */
export const wholeRemarks = ({ leftOut, unread }: FileNotes, words: FileWords = fileLines): string =>
  [
    { title: words.leftOut, remarks: leftOut },
    { title: words.unread, remarks: unread },
  ]
    .filter(({ remarks }) => remarks.length > 0)
    .flatMap(({ title, remarks }) => [`${title}:`, ...remarks.map((it) => remark(it, Infinity, words)), ""])
    .join("\n");

function part(title: string, remarks: readonly Remark[], words: FileWords): string[] {
  if (remarks.length === 0) return [];
  const rest = remarks.slice(REMARKS_MAX).reduce((sum, it) => sum + it.count, 0);
  return [
    `**${title}:**`,
    ...remarks.slice(0, REMARKS_MAX).map((it) => `- ${remark(it, LINES_MAX, words)}`),
    ...(rest === 0 ? [] : [`- ${words.more(rest)}`]),
  ];
}

function remark({ problem, unit, numbers, count: all }: Remark, most: number, words: FileWords): string {
  const shown = numbers.slice(0, most);
  return words.remark(unit, shown, all - shown.length, problem);
}

/** Taking prompts out of a batch, pairs out of a comparison of several, or pictures out of a grid. */
export const itemLines = {
  choose: (noun: ItemNoun) => `Choose the ${noun}s to take out. Pictures that are already drawn stay.`,
  more: (shown: number, all: number) =>
    `The lists show the first ${number(shown)} of ${number(all)} that are waiting.`,
  taken: (noun: ItemNoun, taken: number, left: number) =>
    `${count(taken, noun)} taken out; ${left === 0 ? "nothing is left to draw" : `${number(left)} left to draw`}.`,
  gone: "These have already been drawn or taken out.",
} as const;
