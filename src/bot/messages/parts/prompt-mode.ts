import { hasForeignMarks, readEmphasis } from "../../../core/emphasis.js";
import { type Item, imageOf, type Job } from "../../../core/job.js";
import { type ImageOptions, type OwnOptions, promptModeOf } from "../../../core/options.js";
import type { Words } from "../../words/english/english.js";

/** What a prompt has that is not read as other programs read it, and what to do. */
export function modeLines(job: Job, item: Item, { resultLines }: Words): string[] {
  const image = imageOf(job, item);
  const texts = [item.prompt, ...(job.kind === "optimize" ? [] : [image.negative])];
  if (isUnread(texts, image)) return [resultLines.marks()];
  if (texts.some(hasForeignMarks)) return [resultLines.foreign()];
  const isCut = item.notes.some(({ code }) => code === "truncated");
  return isCut && promptModeOf(image) === "diffusers" ? [resultLines.cut] : [];
}

/** The same for several prompts at once, by their numbers. */
export function marksLines(
  items: readonly { readonly prompt: string; readonly image?: OwnOptions; readonly index?: number }[],
  shared: ImageOptions,
  { resultLines }: Words,
): string[] {
  const unread: number[] = [];
  const foreign: number[] = [];
  for (const [i, { prompt, image = {}, index = i }] of items.entries()) {
    const own = { ...shared, ...image };
    const texts = [prompt, own.negative];
    if (isUnread(texts, own)) unread.push(index + 1);
    else if (texts.some(hasForeignMarks)) foreign.push(index + 1);
  }
  return [
    ...(unread.length === 0 ? [] : [resultLines.marks(unread)]),
    ...(foreign.length === 0 ? [] : [resultLines.foreign(foreign)]),
  ];
}

const isUnread = (texts: readonly string[], image: Pick<ImageOptions, "prompts">): boolean =>
  promptModeOf(image) === "diffusers" && texts.some((text) => readEmphasis(text).isMarked);
