import { type Job, textOptionsOf } from "../../core/job.js";
import { isModel, rewriterNameOf, titleOf } from "../../core/rewriters.js";
import { codeBlock } from "../discord/markdown.js";
import type { Outgoing } from "../discord/outgoing.js";
import type { Words } from "../words/english/english.js";
import { doneEmbed, timeAndNote } from "./embeds.js";
import { resultRows } from "./parts/components.js";
import type { Facts } from "./parts/presentation.js";
import { noteLines, promptSections } from "./parts/rewrite-text.js";
import { negativeSection, styleOption, styleSections } from "./parts/style-sections.js";

/** Of each text, where several stand in one message. */
const TEXT_MAX = 650;

/** The result of `/optimize`: a rewrite, or those of several rewriters one below the other. */
export function optimizeMessage(job: Job, facts: Facts): Outgoing {
  const { words } = facts;
  const item = job.items[0]!;
  const isSampled = job.items.some((it) => {
    const options = textOptionsOf(job, it);
    return options.mode === "sample" && isModel(rewriterNameOf(options));
  });
  const sections = [
    ...(job.items.length > 1 ? severalSections(job, words) : promptSections(job, item, words)),
    ...(job.items.length > 1 ? [] : styleSections(job, words)),
    ...negativeSection(job, words),
    ...new Set(job.items.flatMap((it) => noteLines(job, it, words))),
  ];
  const seed = isSampled ? [words.resultLines.seed(job.text.seed)] : [];
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

/** The prompt, and what each rewriter made of it. */
function severalSections(job: Job, { labels }: Words): string[] {
  const prompt = `**${labels.prompt}**${codeBlock(job.items[0]!.prompt, TEXT_MAX)}`;
  const rewrites = job.items.map((item) => {
    const title = titleOf(rewriterNameOf(textOptionsOf(job, item)));
    return `**${labels.rewriteBy(title)}**${codeBlock(item.rewrite ?? "", TEXT_MAX)}`;
  });
  return [prompt, ...rewrites];
}
