import { InputError } from "../../core/errors.js";
import type { Candidate } from "../../core/job.js";
import type { TextOptions } from "../../core/options.js";
import type { PromptForm } from "../../core/rewriters.js";
import type { Gpt2Tokenizer } from "../tokenizers/tokenizer.js";
import { cleanPhrases } from "./clean-up.js";
import type { Decoder } from "./decoder.js";
import { type Generated, generate } from "./generate.js";
import { KeptText, type Pieces } from "./kept.js";
import { askedFor, type ReadPrompt, readPrompt, strip, withUnread } from "./prompt-window.js";

export interface OptimizeResult {
  readonly prompt: string;
  /** The best rewrite. */
  readonly rewrite: string;
  /** All distinct rewrites, best first. */
  readonly candidates: readonly Candidate[];
  /**
   * The end of a prompt that is longer than the model reads; it stands behind each rewrite as written. Null
   * where all was read.
   */
  readonly unread: string | null;
  /** True where the model was held to the prompt's own words (kept.ts). */
  readonly kept?: true;
}

export interface OptimizeHooks {
  readonly signal?: AbortSignal;
  /** Tokens generated so far, and the maximum. */
  readonly onStep?: (done: number, of: number) => void;
}

export interface OptimizeModel {
  readonly decoder: Decoder;
  readonly tokenizer: Gpt2Tokenizer;
  readonly vocabulary: number;
  /** Longest context, prompt and rewrite together. */
  readonly positions: number;
  readonly form: PromptForm;
  /** The tokens' bytes, where rewrites keep the prompt (kept.ts); null where the model writes what it likes. */
  readonly pieces: Pieces | null;
}

/** Rows (prompts times beams) read at once; more costs memory and gains no speed. */
const MAX_ROWS = 32;

/**
 * Rewrites prompts in groups. A prompt gets the same rewrite in any group. Of a prompt that is too long for
 * the model, with its new tokens, the beginning is rewritten (`readPrompt`).
 * @throws InputError INPUT_EMPTY; the signal's reason when aborted
 */
export async function optimizePrompts(
  { decoder, tokenizer, vocabulary, positions, form, pieces }: OptimizeModel,
  prompts: readonly string[],
  settings: TextOptions,
  { signal, onStep }: OptimizeHooks = {},
): Promise<OptimizeResult[]> {
  const read = prompts.map((prompt) => {
    const text = strip(prompt);
    if (text === "") throw new InputError("INPUT_EMPTY", "A prompt is empty; write what you want to see.");
    return readPrompt(tokenizer, text, positions - settings.maxNewTokens, (it) =>
      askedFor(it, form, pieces !== null),
    );
  });
  const rules =
    pieces && read.map(({ text }) => new KeptText(text, pieces, tokenizer.eosId, form.keepsPrompt));
  // With more new tokens than positions, there is nothing to read and so nothing to generate.
  const asked = read.flatMap(({ ids }, i) => (ids.length === 0 ? [] : [{ ids, rule: rules?.[i] }]));

  const perGroup = Math.max(1, Math.floor(MAX_ROWS / (settings.mode === "beam" ? settings.beams : 1)));
  const groups = Math.ceil(asked.length / perGroup);
  const texts: Generated[] = [];
  for (let group = 0; group < groups; group++) {
    signal?.throwIfAborted();
    const own = asked.slice(group * perGroup, (group + 1) * perGroup);
    const prompts = own.map(({ ids }) => ids);
    const generated = await generate(decoder, prompts, settings, {
      eosId: tokenizer.eosId,
      vocabulary,
      signal,
      rules: rules === null ? undefined : own.map(({ rule }) => rule!),
      onStep: (done) => onStep?.(group * settings.maxNewTokens + done, groups * settings.maxNewTokens),
    });
    texts.push(...generated);
  }
  const next = texts[Symbol.iterator]();
  return prompts.map((prompt, i) => {
    const generated = read[i]!.ids.length === 0 ? [] : (next.next().value as Generated);
    const textOf = rules === null ? tokenizer.decode.bind(tokenizer) : rules[i]!.text.bind(rules[i]);
    return toResult(prompt, read[i]!, generated, { form, textOf, keeps: rules !== null });
  });
}

function toResult(
  prompt: string,
  read: ReadPrompt,
  generated: Generated,
  { form, textOf, keeps }: Writing,
): OptimizeResult {
  const whole = strip(prompt);
  const candidates = new Map<string, Candidate>();
  for (const { tokens, ended, score } of generated) {
    const written = form.cleanUp === "phrases" ? cleanPhrases(textOf(tokens, ended)) : textOf(tokens, ended);
    // Where the prompt is kept, what was not read of it stays in its place.
    const text = keeps
      ? strip(whole + written)
      : withUnread(whole, read, strip(form.keepsPrompt ? read.text + written : written));
    if (!candidates.has(text)) candidates.set(text, { text, tokens: tokens.length + (ended ? 1 : 0), score });
  }
  const [best] = candidates.values();
  const rewrite = best?.text ?? withUnread(whole, read, "");
  return {
    prompt,
    rewrite,
    candidates: [...candidates.values()],
    unread: read.unread,
    ...(keeps ? { kept: true } : {}),
  };
}

/** How tokens become a rewrite. */
interface Writing {
  readonly form: PromptForm;
  readonly textOf: (tokens: readonly number[], ended: boolean) => string;
  /** Whether the rewrite is the prompt with the model's text behind it because the rule says so. */
  readonly keeps: boolean;
}
