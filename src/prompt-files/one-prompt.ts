import { InputError } from "../core/errors.js";
import type { OwnOptions } from "../core/options.js";
import type { Style } from "../core/styles.js";
import { cleanPrompt } from "./clean-prompt.js";
import { type FoundPrompt, readPromptText } from "./prompt-text.js";
import { type GivenOptions, type OptionName, positionsOf, readOptions } from "./row-options.js";

/** A prompt with the options that its text gives. */
export interface OnePrompt {
  /** As typed where the text is nothing but a prompt. */
  readonly prompt: string;
  readonly seed?: number;
  /** The caller checks the ranges. */
  readonly image: OwnOptions;
  /** What was given and not understood, as sentences without a full stop. */
  readonly unread: readonly string[];
}

/**
 * Reads a text that a person pasted as the prompt: plain, in a fence, as A1111's parameters, as an `/imagine`
 * line, or as the JSON of a result of ours. `side`: pixels of the checkpoint's own side; `styles`: those that it may
 * name, the presets by default. Throws InputError INPUT_OPTION for an option that can't be read.
 */
export function readOnePrompt(text: string, side?: number, styles?: readonly Style[]): OnePrompt {
  const found = readJsonResult(text) ?? readPromptText(text);
  const options = readOptions(found.given, side, styles);
  if ("problem" in options)
    throw new InputError("INPUT_OPTION", `In the prompt, ${options.problem}.`, { problem: options.problem });
  const { seed, image = {}, unread } = options;
  return {
    prompt: found.prompt === cleanPrompt(text) ? text : found.prompt,
    ...(seed === undefined ? {} : { seed }),
    image,
    unread: [...found.unread, ...unread],
  };
}

/** A result that the command line printed with `--json`; null for any other text. */
function readJsonResult(text: string): FoundPrompt | null {
  if (!/^\s*\{\s*"/.test(text)) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Prompts have braces too.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const result = value as Readonly<Record<string, unknown>>;
  const { prompt, settings = result } = result;
  if (typeof prompt !== "string" || typeof settings !== "object" || settings === null) return null;
  const all = settings as Readonly<Record<string, unknown>>;
  const { width, height } = (all.size ?? {}) as Readonly<Record<string, unknown>>;
  const flat: Readonly<Record<string, unknown>> =
    width === undefined ? all : { ...all, size: undefined, width, height };
  const keys = Object.keys(flat);
  const given: GivenOptions = {};
  for (const [field, at] of Object.entries(positionsOf(keys, true)))
    if (field !== "prompt" && field !== "optimized")
      given[field as OptionName] = { as: keys[at]!, value: flat[keys[at]!] };
  return { prompt, given, unread: [] };
}
