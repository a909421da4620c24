import { InputError } from "../../core/errors.js";
import type { Candidate } from "../../core/job.js";
import type { TextOptions } from "../../core/options.js";
import type { Gpt2Tokenizer } from "../tokenizers/tokenizer.js";
import type { Decoder } from "./decoder.js";
import { type Generated, generate } from "./generate.js";

export interface OptimizeResult {
  readonly prompt: string;
  /** The best rewrite. */
  readonly rewrite: string;
  /** All distinct rewrites, best first. */
  readonly candidates: readonly Candidate[];
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
}

/** The ending that Promptist was trained to continue (LMOps, promptist/README.md). */
const SUFFIX = " Rephrase:";

/** Rows (prompts times beams) read at once; more costs memory and gains no speed. */
const MAX_ROWS = 32;

/**
 * Rewrites prompts in groups. A prompt gets the same rewrite in any group.
 * @throws InputError INPUT_EMPTY, or INPUT_TOO_LONG with the numbers of tokens; the signal's reason when
 * aborted
 */
export async function optimizePrompts(
  { decoder, tokenizer, vocabulary, positions }: OptimizeModel,
  prompts: readonly string[],
  settings: TextOptions,
  { signal, onStep }: OptimizeHooks = {},
): Promise<OptimizeResult[]> {
  const encoded = prompts.map((prompt) => {
    const text = strip(prompt);
    if (text === "") throw new InputError("INPUT_EMPTY", "A prompt is empty; write what you want to see.");
    const ids = tokenizer.encode(text + SUFFIX);
    const limit = positions - settings.maxNewTokens;
    if (ids.length > limit) {
      throw new InputError(
        "INPUT_TOO_LONG",
        `A prompt has ${ids.length} tokens; with ${settings.maxNewTokens} new ones at most ${Math.max(limit, 0)} fit. Shorten it.`,
        { tokens: ids.length, limit: Math.max(limit, 0) },
      );
    }
    return ids;
  });

  const perBatch = Math.max(1, Math.floor(MAX_ROWS / (settings.mode === "beam" ? settings.beams : 1)));
  const batches = Math.ceil(prompts.length / perBatch);
  const results: OptimizeResult[] = [];
  for (let batch = 0; batch < batches; batch++) {
    signal?.throwIfAborted();
    const range = [batch * perBatch, (batch + 1) * perBatch] as const;
    const generated = await generate(decoder, encoded.slice(...range), settings, {
      eosId: tokenizer.eosId,
      vocabulary,
      signal,
      onStep: (done) => onStep?.(batch * settings.maxNewTokens + done, batches * settings.maxNewTokens),
    });
    for (const [i, prompt] of prompts.slice(...range).entries()) {
      results.push(toResult(prompt, generated[i]!, tokenizer));
    }
  }
  return results;
}

function toResult(prompt: string, generated: Generated, tokenizer: Gpt2Tokenizer): OptimizeResult {
  const candidates = new Map<string, Candidate>();
  for (const { tokens, ended, score } of generated) {
    const text = strip(tokenizer.decode(tokens));
    if (!candidates.has(text)) candidates.set(text, { text, tokens: tokens.length + (ended ? 1 : 0), score });
  }
  const [best] = candidates.values();
  return { prompt, rewrite: best?.text ?? "", candidates: [...candidates.values()] };
}

/**
 * Python's `str.strip`, which the original used: unlike `trim` it strips U+001C to U+001F and U+0085, not
 * U+FEFF.
 */
function strip(text: string): string {
  const space = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
  return text.replace(new RegExp(`^${space}|${space}$`, "g"), "");
}
