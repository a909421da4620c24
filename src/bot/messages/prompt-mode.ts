import { readEmphasis } from "../../core/emphasis.js";
import { type Item, imageOf, type Job } from "../../core/job.js";
import { type ImageOptions, type OwnOptions, promptModeOf } from "../../core/options.js";
import { resultLines } from "../words/result.js";

/** What a prompt has for `prompts: weighted` where it is read as diffusers reads it. */
export function modeLines(job: Job, item: Item): string[] {
  const image = imageOf(job, item);
  if (isUnread([item.prompt, ...(job.kind === "optimize" ? [] : [image.negative])], image))
    return [resultLines.marks()];
  const isCut = item.notes.some(({ code }) => code === "truncated");
  return isCut && promptModeOf(image) === "diffusers" ? [resultLines.cut] : [];
}

/** The same for several prompts at once, by their numbers. */
export function marksLines(
  items: readonly { readonly prompt: string; readonly image?: OwnOptions; readonly index?: number }[],
  shared: ImageOptions,
): string[] {
  const numbers = items.flatMap(({ prompt, image = {}, index }, i) => {
    const own = { ...shared, ...image };
    return isUnread([prompt, own.negative], own) ? [(index ?? i) + 1] : [];
  });
  return numbers.length === 0 ? [] : [resultLines.marks(numbers)];
}

const isUnread = (texts: readonly string[], image: Pick<ImageOptions, "prompts">): boolean =>
  promptModeOf(image) === "diffusers" && texts.some((text) => readEmphasis(text).isMarked);
