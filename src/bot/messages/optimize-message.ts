import type { Job } from "../../core/job.js";
import type { Outgoing } from "../discord/outgoing.js";
import { doneEmbed, timeAndNote } from "./embeds.js";
import { resultRows } from "./parts/components.js";
import type { Facts } from "./parts/presentation.js";
import { noteLines, promptSections } from "./parts/rewrite-text.js";
import { negativeSection, styleOption, styleSections } from "./parts/style-sections.js";

/** The result of `/optimize`: a rewrite. */
export function optimizeMessage(job: Job, facts: Facts): Outgoing {
  const { words } = facts;
  const item = job.items[0]!;
  const sections = [
    ...promptSections(item, words),
    ...styleSections(job, words),
    ...negativeSection(job, words),
    ...noteLines(job, item, words),
  ];
  const seed = job.text.mode === "sample" ? [words.resultLines.seed(job.text.seed)] : [];
  return {
    content: "",
    embeds: [
      doneEmbed(
        job,
        sections,
        [...seed, ...styleOption(job.image, words), ...timeAndNote(job, facts)],
        words,
      ),
    ],
    components: resultRows(job, words),
    files: [],
  };
}
