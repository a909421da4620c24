import { checkedOptions } from "../../bot/requests/request.js";
import { numbered } from "../../bot/words/english/parts.js";
import { hasForeignMarks, readEmphasis } from "../../core/emphasis.js";
import { InputError } from "../../core/errors.js";
import { loraStrength, takeMentions } from "../../core/known-models.js";
import { IMAGE_RANGES, type ImageOptions, LIMIT_RANGES, type PromptMode } from "../../core/options.js";
import type { Drawn, Rewrite } from "../../inference/worker/protocol.js";
import { isLongerThan } from "../../prompt-files/clean-prompt.js";
import { readOnePrompt } from "../../prompt-files/one-prompt.js";
import type { ImageFlags } from "./options.js";
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

/**
 * A text without its `<lora:name:0.8>`, and the flags with these LoRAs behind those of `--lora`. Throws InputError
 * INPUT_EMPTY or INPUT_OPTION.
 */
export function withMentions<T extends object>(
  written: string,
  flags: T & Partial<Pick<ImageFlags, "lora">>,
): { readonly text: string; readonly flags: T } {
  const mentions = takeMentions(written);
  if (mentions.loras.length === 0) return { text: written, flags };
  const named = mentions.loras.map(({ name, strength }) => ({
    file: name,
    weight: loraStrength(strength, 1),
  }));
  return { text: checkPrompt(mentions.text), flags: { ...flags, lora: [...(flags.lora ?? []), ...named] } };
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

/**
 * Says where prompts have marks that are not read, and how to have them read; each prompt comes with its negative
 * one. `isBatch`: tells the prompts' numbers.
 */
export function markNotes(
  prompts: readonly { readonly texts: readonly string[]; readonly mode: PromptMode }[],
  isBatch = false,
): string[] {
  const numbersOf = (has: (texts: readonly string[], mode: PromptMode) => boolean) =>
    prompts.flatMap(({ texts, mode }, i) => (has(texts, mode) ? [i + 1] : []));
  const unread = numbersOf(isUnread);
  const foreign = numbersOf((texts, mode) => !isUnread(texts, mode) && texts.some(hasForeignMarks));
  const where = (numbers: readonly number[]) => (isBatch ? ` in ${numbered(numbers)}` : "");
  return [
    ...(unread.length === 0
      ? []
      : [
          `Note: (word:1.3), [word] and BREAK are read as plain text${where(unread)}. To give them their meaning: --prompts weighted`,
        ]),
    ...(foreign.length === 0
      ? []
      : [
          `Note: <hypernet:...>, AND, [a|b] and [a:b:0.5] have no meaning here. They are read as words${where(foreign)}.`,
        ]),
  ];
}

const isUnread = (texts: readonly string[], mode: PromptMode): boolean =>
  mode === "diffusers" && texts.some((text) => readEmphasis(text).isMarked);

/** Says what of a picture's prompts was not read. */
export function cutLines({ truncated, truncatedNegative = null }: Cut, mode: PromptMode): string[] {
  const more = mode === "diffusers" ? "; --prompts weighted reads more" : "";
  const line = (what: string, words: string | null) =>
    words === null ? [] : [`The text encoder does not read the end of the ${what}${more}: ${words}`];
  return [...line("prompt", truncated), ...line("negative prompt", truncatedNegative)];
}
type Cut = Pick<Drawn, "truncated" | "truncatedNegative">;

/** Says which prompts the rewriter could not read to their end; `numbers` are theirs in a batch. */
export function unreadLines(rewrites: readonly Rewrite[], numbers: readonly number[] = []): string[] {
  return rewrites.flatMap(({ unread = null }, i) => {
    const which = numbers[i] === undefined ? "The prompt" : `Prompt ${numbers[i]}`;
    return unread === null
      ? []
      : [
          `${which} is too long for the rewriter to read to its end. This part stands in the rewrite as written: ${unread}`,
        ];
  });
}
