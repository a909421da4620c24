import { InputError } from "../core/errors.js";

/** Returns the prompt as typed (the optimizer trims it); throws if it is empty. */
export function checkPrompt(text: string): string {
  if (text.trim() === "")
    throw new InputError(
      "INPUT_EMPTY",
      'The prompt is empty; give it in quotes, such as "A cat in the rain".',
    );
  return text;
}
