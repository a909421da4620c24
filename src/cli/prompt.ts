import { checkedOptions } from "../bot/requests/request.js";
import { InputError } from "../core/errors.js";
import { IMAGE_RANGES, type ImageOptions, LIMIT_RANGES } from "../core/options.js";
import type { Rewrite } from "../inference/worker/protocol.js";
import { isLongerThan } from "../prompt-files/clean-prompt.js";
import { readOnePrompt } from "../prompt-files/one-prompt.js";
import type { Output } from "./output.js";

/** The prompt as typed (the optimizer trims it). Throws InputError INPUT_EMPTY or INPUT_TOO_LONG. */
export function checkPrompt(text: string): string {
  if (text.trim() === "")
    throw new InputError(
      "INPUT_EMPTY",
      'The prompt is empty; give it in quotes, such as "A cat in the rain".',
    );
  const { max } = LIMIT_RANGES.promptLength;
  if (isLongerThan(text, max))
    throw new InputError("INPUT_TOO_LONG", `The prompt has more than ${max} characters. Shorten it.`, {
      limit: max,
    });
  return text;
}

/** The prompt of a text, with the image options that it gives and the command line does not. */
export interface TypedPrompt {
  readonly prompt: string;
  readonly image: Partial<ImageOptions>;
}

/**
 * The prompt as typed, or what a fence, A1111's parameters, an `/imagine` line or a result of ours holds; says
 * what of it is not understood. Throws InputError INPUT_EMPTY, INPUT_TOO_LONG or INPUT_OPTION.
 */
export function typedPrompt(
  text: string,
  output: Pick<Output, "say">,
  isGiven: (option: string) => boolean,
): TypedPrompt {
  const { prompt, seed, image, unread } = readOnePrompt(checkPrompt(text));
  for (const problem of unread) output.say(`Of the prompt, ${problem}.`);
  const own = checkedOptions(image, { maxSteps: IMAGE_RANGES.steps.max });
  const all = Object.entries({ ...own, ...(seed === undefined ? {} : { seed }) });
  return { prompt: checkPrompt(prompt), image: Object.fromEntries(all.filter(([name]) => !isGiven(name))) };
}

/** Says which prompts Promptist could not read to their end; `numbers` are theirs in a batch. */
export function unreadLines(rewrites: readonly Rewrite[], numbers: readonly number[] = []): string[] {
  return rewrites.flatMap(({ unread = null }, i) => {
    const which = numbers[i] === undefined ? "The prompt" : `Prompt ${numbers[i]}`;
    return unread === null
      ? []
      : [
          `${which} is too long for Promptist to read to its end. This part follows the rewrite as written: ${unread}`,
        ];
  });
}
