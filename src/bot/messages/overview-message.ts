import { type Item, type ItemNote, type Job, picturesDrawn } from "../../core/job.js";
import type { Outgoing } from "../discord/outgoing.js";
import type { Words } from "../words/english.js";
import { resultRows } from "./components.js";
import { doneEmbed, timeAndNote, unusualOptions, withImage } from "./embeds.js";
import { overviewFiles } from "./overview-files.js";
import type { SizeLimit } from "./picture-fit.js";
import { safetySentences } from "./picture-policy.js";
import type { Facts } from "./presentation.js";
import { marksLines } from "./prompt-mode.js";
import { styleSections } from "./style-sections.js";

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
    ...(takenOut === 0 ? [] : [resultLines.takenOut(takenOut)]),
    ...styleSections(job, words),
    ...unreadLines(made, words),
    ...cutLines(made, words),
    ...marksLines(made, job.image, words),
    ...safetySentences(facts.view, true, words),
    ...lines,
  ];
  const options = [...seeds, ...unusualOptions(job, facts), ...timeAndNote(job, facts)];
  return withImage(doneEmbed(job, sections, options, words), files, resultRows(job, words));
}

/** Which prompts Promptist could not read to their end. */
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
