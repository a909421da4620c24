import { InputError } from "../core/errors.js";

/** The prompt as typed. Its outer spaces are the optimizer's matter; nothing at all is an error. */
export function checkPrompt(text: string): string {
  if (text.trim() === "")
    throw new InputError(
      "INPUT_EMPTY",
      'The prompt is empty; give it in quotes, such as "A cat in the rain".',
    );
  return text;
}
