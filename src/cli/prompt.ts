import { InputError } from "../core/errors.js";
import { LIMIT_RANGES } from "../core/options.js";
import type { Rewrite } from "../inference/worker/protocol.js";
import { isLongerThan } from "../prompt-files/prompt-file.js";

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
