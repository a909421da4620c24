import { hasOverview, imageOf, isUnchanged, type Job, textOfSide, textOptionsOf } from "../../core/job.js";
import { rewriterNameOf, titleOf } from "../../core/rewriters.js";
import { clip, codeBlock } from "../discord/markdown.js";
import { EMBED_DESCRIPTION_MAX, type Outgoing, type OutgoingFile } from "../discord/outgoing.js";
import type { Words } from "../words/english/english.js";
import { axisLines } from "../words/english/grid.js";
import { type InfoFacts, infoLines, isFileNote, noteLine } from "../words/english/result.js";
import { modelParts, speedOption } from "./embeds.js";
import { zipPart } from "./parts/overview-files.js";
import { fitPictures, type SizeLimit } from "./parts/picture-fit.js";
import type { Facts } from "./parts/presentation.js";
import { pairScoreLine } from "./parts/scores.js";
import { namedPicture, pairOf, readPicture } from "./parts/stored-picture.js";
import { negativeSection, styleOption, styleSections } from "./parts/style-sections.js";

const TEXT_MAX = 1200;
/** Discord: files of one message. */
const FILES_MAX = 10;
/** Items of a job that are spelled out; a batch's report has them all. */
const ITEMS_MAX = 1;

/** Everything about a job, told to the user alone: enough to repeat it exactly. */
export function infoMessage(
  job: Job,
  facts: InfoFacts,
  files: readonly OutgoingFile[],
  words: Words,
): Outgoing {
  const { labels } = words;
  const [first] = job.items;
  const scores = job.items.length > ITEMS_MAX || first === undefined ? [] : pairScoreLine(job, first, words);
  const texts = job.items
    .slice(0, ITEMS_MAX)
    .flatMap(({ prompt, rewrite, against }) => [
      `**${labels.prompt}**${codeBlock(prompt, TEXT_MAX)}`,
      ...(rewrite === null
        ? []
        : [
            `**${labels.rewriteBy(titleOf(rewriterNameOf(textOptionsOf(job, first))))}**${codeBlock(rewrite, TEXT_MAX)}`,
          ]),
      ...(against?.rewrite == null
        ? []
        : [
            `**${labels.against(titleOf(rewriterNameOf(against.text)))}**${codeBlock(against.rewrite, TEXT_MAX)}`,
          ]),
    ]);
  const added = [...styleSections(job, words), ...negativeSection(job, words)];
  const image = imageOf(job, first);
  const style = [...styleOption(image, words), ...speedOption(image, words), ...modelParts(image, words)];
  const used = new Set(
    first?.notes.flatMap((note) => (isFileNote(note) ? [noteLine(note, words.noteWords)] : [])),
  );
  const axes = job.grid === undefined ? [] : axisLines(job.grid);
  const description = [
    ...texts,
    ...added,
    ...axes,
    ...scores,
    ...style,
    ...used,
    ...infoLines(job, facts, words),
  ].join("\n");
  const embed = { title: labels.commands[job.kind], description: clip(description, EMBED_DESCRIPTION_MAX) };
  return { content: "", embeds: [embed], components: [], files };
}

/**
 * What the result's message leaves out, for Info: the labelled card of a comparison of one pair, or the pictures
 * of several pairs, or a zip of them.
 */
export async function infoPictures(job: Job, facts: Facts, limit: SizeLimit): Promise<OutgoingFile[]> {
  if (job.state !== "done" || (job.kind !== "compare" && job.kind !== "grid")) return [];
  const { pictures, view, words } = facts;
  const [item] = job.items;
  const wanted = hasOverview(job)
    ? job.items.flatMap((it) => pairOf(job, it, (side) => view.shows(it, side)))
    : item === undefined || isUnchanged(item)
      ? []
      : [
          namedPicture(
            job,
            view.combined(item.comparison),
            `${job.id}-${item.seed}-comparison`,
            words.labels.comparisonAlt(textOfSide(item, "baseline") ?? "", item.rewrite ?? ""),
          ),
        ];
  if (wanted.length > FILES_MAX) {
    const { file } = await zipPart(job, 1, facts, limit);
    return file === null ? [] : [file];
  }
  const read = await Promise.all(wanted.map((picture) => readPicture(pictures, picture)));
  const { files } = await fitPictures(
    read.filter((file) => file !== null),
    limit,
  );
  return files.filter((file) => file !== null);
}
