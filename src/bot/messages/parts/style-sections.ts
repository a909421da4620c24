import { imageOf, type Job } from "../../../core/job.js";
import type { ImageOptions } from "../../../core/options.js";
import { isGuided } from "../../../core/source.js";
import { applyStyle } from "../../../core/styles.js";
import { codeBlock, codeSpan } from "../../discord/markdown.js";
import type { Words } from "../../words/english/english.js";

const WORDS_MAX = 500;
const WHOLE_MAX = 900;
const NEGATIVE_MAX = 300;

/** The style among a result's settings. */
export const styleOption = ({ style }: Pick<ImageOptions, "style">, { styleLines }: Words): string[] =>
  style === undefined ? [] : [styleLines.option(codeSpan(style.name))];

/** What a job's style adds to its prompts; for a rewrite alone, the whole text to copy. */
export function styleSections(job: Job, { styleLines }: Words): string[] {
  const [item] = job.items;
  const { style } = imageOf(job, item);
  if (style === undefined || style.prompt === "") return [];
  if (job.kind !== "optimize" || item === undefined)
    return [`**${styleLines.words}**${codeBlock(style.prompt, WORDS_MAX)}`];
  const { prompt } = applyStyle({ prompt: item.rewrite ?? item.prompt, negative: "" }, style);
  return [`**${styleLines.whole}**${codeBlock(prompt, WHOLE_MAX)}`];
}

/** The negative prompt as it is drawn; of a rewrite alone, only what its style adds. */
export function negativeSection(job: Job, { labels, resultLines }: Words): string[] {
  const image = imageOf(job, job.items[0]);
  const isText = job.kind === "optimize";
  const { negative } = applyStyle({ prompt: "", negative: isText ? "" : image.negative }, image.style);
  if (negative === "") return [];
  return [
    `**${labels.negative}**${codeBlock(negative, NEGATIVE_MAX)}`,
    ...(!isText && hasUnreadNegative(image) ? [resultLines.negativeUnread] : []),
  ];
}

/** Whether somebody asked for a negative prompt that nothing reads, since there is no guidance. */
export const hasUnreadNegative = ({
  negative,
  guidance,
}: Pick<ImageOptions, "negative" | "guidance">): boolean => negative !== "" && !isGuided(guidance);
