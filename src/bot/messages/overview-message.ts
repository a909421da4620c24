import { variesRewriters } from "../../core/grid.js";
import { drawnSides, type Item, type ItemNote, type Job, picturesDrawn } from "../../core/job.js";
import type { Outgoing } from "../discord/outgoing.js";
import type { Words } from "../words/english/english.js";
import { axisLines, cellLabel } from "../words/english/grid.js";
import { doneEmbed, timeAndNote, unusualOptions, withImage } from "./embeds.js";
import { gridRows, pictureRows, resultRows } from "./parts/components.js";
import { overviewFiles, sheetPicture } from "./parts/overview-files.js";
import { enlargeStamp, fitPictures, type SizeLimit } from "./parts/picture-fit.js";
import { safetySentences } from "./parts/picture-policy.js";
import type { Facts } from "./parts/presentation.js";
import { marksLines } from "./parts/prompt-mode.js";
import { noteLines, promptSections } from "./parts/rewrite-text.js";
import { pairOf, readPicture } from "./parts/stored-picture.js";
import { styleSections } from "./parts/style-sections.js";

/** The result of a batch: contact sheets, records, and the pictures or zips of them. */
export async function overviewMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  const { words } = facts;
  const { resultLines } = words;
  const made = job.items.filter(({ cancelled }) => !cancelled);
  const [first] = made;
  const last = made.at(-1);
  const seeds = first && last ? [resultLines.seeds(first.seed, last.seed)] : [];
  const { files, lines } = await overviewFiles(job, facts, limit);
  const takenOut = job.items.length - made.length;
  const sections = [
    resultLines.overview(job.kind, made.length, picturesDrawn(made)),
    ...(takenOut === 0 ? [] : [resultLines.takenOut(job.kind, takenOut)]),
    ...styleSections(job, words),
    ...chosenLines(made, words),
    ...unreadLines(made, words),
    ...cutLines(made, words),
    ...marksLines(made, job.image, words),
    ...safetySentences(facts.view, true, words),
    ...lines,
  ];
  const options = [...seeds, ...unusualOptions(job, facts), ...timeAndNote(job, facts)];
  return withImage(doneEmbed(job, sections, options, words), files, resultRows(job, words));
}

/** The result of a grid: its one picture, and a menu of its cells. */
export async function gridMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  const { words, view, pictures } = facts;
  const { resultLines } = words;
  const made = job.items.filter(({ cancelled }) => !cancelled);
  const item = made[0] ?? job.items[0]!;
  const takenOut = job.items.length - made.length;
  const picture = await readPicture(pictures, sheetPicture(job, 1, facts));
  const { files, shrunk } = await fitPictures(picture === null ? [] : [picture], limit);
  const shown = files.filter((file) => file !== null);
  const axes = job.grid === undefined ? [] : [job.grid.x.name, job.grid.y?.name];
  const isSeeded = axes.includes("seed");
  const sections = [
    ...promptSections(
      job,
      job.grid !== undefined && variesRewriters(job.grid) ? { ...item, rewrite: null } : item,
      words,
    ),
    ...(job.grid === undefined ? [] : axisLines(job.grid)),
    ...(takenOut === 0 ? [] : [resultLines.takenOut(job.kind, takenOut)]),
    ...noteLines(job, notesOf(item, made), words),
    ...safetySentences(view, true, words),
    ...(shrunk ? [resultLines.shrunk] : []),
    ...(job.picturesPrunedAt !== null
      ? [resultLines.pruned(job.picturesPrunedAt)]
      : picture === null && view.withheld.length === 0
        ? [resultLines.missing]
        : []),
  ];
  const options = [
    ...(isSeeded ? [] : [resultLines.seed(item.seed)]),
    ...unusualOptions(job, facts),
    ...timeAndNote(job, facts),
  ];
  return withImage(doneEmbed(job, sections, options, words), shown, gridRows(job, words));
}

/** The notes of all cells, as most are about the text that they share. */
const notesOf = (item: Item, all: readonly Item[]): Item => ({
  ...item,
  notes: all.flatMap(({ notes }) => notes),
});

/** One cell for whoever opened it: its picture as it was drawn, and what to do with it. `facts`: of this cell. */
export async function cellMessage(job: Job, item: Item, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  const { words, view, pictures } = facts;
  const [wanted] = pairOf(job, item, (side) => drawnSides(item).includes(side) && view.shows(item, side));
  const picture = await readPicture(pictures, wanted ?? null);
  const large = picture === null ? null : await enlargeStamp(picture);
  const { files } = await fitPictures(large === null ? [] : [large.file], limit);
  const shown = files.filter((file) => file !== null);
  const description = [
    ...(job.grid === undefined ? [] : [`**${cellLabel(job.grid, item)}**`]),
    ...promptSections(job, item, words),
    ...(large === null || large.times === 1 ? [] : [words.resultLines.enlarged(large.times)]),
    ...safetySentences(view, false, words),
    ...(picture === null && view.withheld.length === 0 ? [words.resultLines.missing] : []),
  ].join("\n");
  return withImage(
    { title: words.labels.commands[job.kind], description },
    shown,
    pictureRows(job, item, words),
  );
}

/** Which prompts Promptist could not read to their end. */
function chosenLines(items: readonly Item[], { resultLines }: Words): string[] {
  const numbers = numbersWith(items, "taste");
  return numbers.length === 0 ? [] : [resultLines.chosen(numbers.length)];
}

function unreadLines(items: readonly Item[], { resultLines }: Words): string[] {
  const numbers = numbersWith(items, "unread");
  return numbers.length === 0 ? [] : [resultLines.unread(numbers)];
}

/** Which prompts, or rewrites, the image model could not read to their end. */
function cutLines(items: readonly Item[], { resultLines }: Words): string[] {
  const numbers = numbersWith(items, "truncated");
  return numbers.length === 0 ? [] : [resultLines.cutPrompts(numbers)];
}

const numbersWith = (items: readonly Item[], wanted: ItemNote["code"]): number[] =>
  items.filter(({ notes }) => notes.some(({ code }) => code === wanted)).map(({ index }) => index + 1);
