import { InputError } from "../../core/errors.js";
import type { Candidate } from "../../core/job.js";
import type { TextOptions } from "../../core/options.js";
import type { PromptForm } from "../../core/rewriters.js";
import type { Gpt2Tokenizer } from "../tokenizers/tokenizer.js";
import { cleanPhrases } from "./clean-up.js";
import type { Decoder } from "./decoder.js";
import { type Generated, generate } from "./generate.js";
import { type ReadPrompt, readPrompt, strip, withUnread } from "./prompt-window.js";

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
}

/** Rows (prompts times beams) read at once; more costs memory and gains no speed. */
const MAX_ROWS = 32;

/**
 * Rewrites prompts in groups. A prompt gets the same rewrite in any group. Of a prompt that is too long for
 * the model, with its new tokens, the beginning is rewritten (`readPrompt`).
 * @throws InputError INPUT_EMPTY; the signal's reason when aborted
 */
export async function optimizePrompts(
  { decoder, tokenizer, vocabulary, positions, form }: OptimizeModel,
  prompts: readonly string[],
  settings: TextOptions,
  { signal, onStep }: OptimizeHooks = {},
): Promise<OptimizeResult[]> {
  const read = prompts.map((prompt) => {
    const text = strip(prompt);
    if (text === "") throw new InputError("INPUT_EMPTY", "A prompt is empty; write what you want to see.");
    return readPrompt(tokenizer, text, positions - settings.maxNewTokens, form.suffix);
  });
  // With more new tokens than positions, there is nothing to read and so nothing to generate.
  const encoded = read.flatMap(({ ids }) => (ids.length === 0 ? [] : [ids]));

  const perGroup = Math.max(1, Math.floor(MAX_ROWS / (settings.mode === "beam" ? settings.beams : 1)));
  const groups = Math.ceil(encoded.length / perGroup);
  const texts: Generated[] = [];
  for (let group = 0; group < groups; group++) {
    signal?.throwIfAborted();
    const range = [group * perGroup, (group + 1) * perGroup] as const;
    const generated = await generate(decoder, encoded.slice(...range), settings, {
      eosId: tokenizer.eosId,
      vocabulary,
      signal,
      onStep: (done) => onStep?.(group * settings.maxNewTokens + done, groups * settings.maxNewTokens),
    });
    texts.push(...generated);
  }
  const next = texts[Symbol.iterator]();
  return prompts.map((prompt, i) => {
    const generated = read[i]!.ids.length === 0 ? [] : (next.next().value as Generated);
    return toResult(prompt, read[i]!, generated, tokenizer, form);
  });
}

function toResult(
  prompt: string,
  read: ReadPrompt,
  generated: Generated,
  tokenizer: Gpt2Tokenizer,
  form: PromptForm,
): OptimizeResult {
  const whole = strip(prompt);
  const candidates = new Map<string, Candidate>();
  for (const { tokens, ended, score } of generated) {
    const text = withUnread(whole, read, rewriteOf(read.text, tokenizer.decode(tokens), form));
    if (!candidates.has(text)) candidates.set(text, { text, tokens: tokens.length + (ended ? 1 : 0), score });
  }
  const [best] = candidates.values();
  const rewrite = best?.text ?? withUnread(whole, read, "");
  return { prompt, rewrite, candidates: [...candidates.values()], unread: read.unread };
}

/** The rewrite in what the model wrote behind a prompt. */
function rewriteOf(prompt: string, written: string, { keepsPrompt, cleanUp }: PromptForm): string {
  const text = cleanUp === "phrases" ? cleanPhrases(written) : written;
  return strip(keepsPrompt ? prompt + text : text);
}
