import { openGpt2 } from "../../checkpoints/layouts/gpt2-files.js";
import { PROMPTIST, type PromptForm } from "../../core/rewriters.js";
import { Gpt2Tokenizer } from "../tokenizers/tokenizer.js";

/** A cut at the end of a phrase, else of a word, must keep this share of what fits. */
const KEPT_SHARE = 0.5;
const PHRASE_ENDS = /(?<=[,;.!?])\s|(?<=[，、。；！？])/gu;
const WORD_ENDS = /\s+/gu;
/** What is dropped where the prompt is cut: a separator that belongs to neither part. */
const SEPARATORS = "[\\s,;，、；]+";

/** What a rewriter reads of a prompt. */
export interface ReadPrompt {
  /** Token ids of the text and its form's suffix; empty where not even one letter fits. */
  readonly ids: readonly number[];
  /** The prompt, or its beginning where it is too long. */
  readonly text: string;
  /** The rest of the prompt; null where all of it is read. */
  readonly unread: string | null;
}

/**
 * What a model is given for a prompt. A kept one (kept.ts) is also the beginning of its answer, where the form has the
 * answer apart from the prompt.
 */
export const askedFor = (prompt: string, { suffix, keepsPrompt }: PromptForm, keeps: boolean): string =>
  keeps && !keepsPrompt ? `${prompt}${suffix} ${prompt}` : prompt + suffix;

/**
 * Cuts a prompt that has more than `room` tokens as it is asked: at the end of a phrase, else of a word, else
 * of a letter. A prompt that fits is left as it is.
 */
export function readPrompt(
  tokenizer: Pick<Gpt2Tokenizer, "encode">,
  prompt: string,
  room: number,
  asked: (text: string) => string = (text) => askedFor(text, PROMPTIST.form, false),
): ReadPrompt {
  const read = (text: string): readonly number[] | null => {
    const ids = tokenizer.encode(asked(text));
    return ids.length <= room ? ids : null;
  };
  const whole = read(prompt);
  if (whole !== null) return { ids: whole, text: prompt, unread: null };
  for (let end = longestFit(prompt, (text) => read(text) !== null); end > 0; ) {
    const cut = cutBefore(prompt, end);
    const text = prompt.slice(0, cut).replace(new RegExp(`${SEPARATORS}$`, "u"), "");
    const ids = text === "" ? null : read(text);
    if (ids !== null) {
      return { ids, text, unread: prompt.slice(cut).replace(new RegExp(`^${SEPARATORS}`, "u"), "") };
    }
    // A shorter text may have more tokens: half a word has no token of its own.
    end = lettersOf(prompt.slice(0, end)).at(-1)!;
  }
  return { ids: [], text: "", unread: prompt };
}

/** A rewrite of what was read, with the rest behind it; the prompt itself where the rewrite changes nothing. */
export function withUnread(prompt: string, { text, unread }: ReadPrompt, rewrite: string): string {
  if (unread === null) return rewrite;
  if (rewrite === text || rewrite === "") return prompt;
  return /[,;.!?，、。；！？]$/u.test(rewrite) ? `${rewrite} ${unread}` : `${rewrite}, ${unread}`;
}

/** Where the longest beginning ends that fits, in UTF-16 units; 0 where none does. */
function longestFit(prompt: string, fits: (text: string) => boolean): number {
  const starts = lettersOf(prompt);
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(prompt.slice(0, starts[middle]))) low = middle;
    else high = middle - 1;
  }
  return starts[low] ?? 0;
}

/** Where each letter begins, as people see letters: an emoji with its skin tone is one. */
const lettersOf = (text: string): number[] =>
  [...new Intl.Segmenter().segment(text)].map(({ index }) => index);

/** The last end of a phrase up to `end`, else of a word, unless that loses too much. */
function cutBefore(prompt: string, end: number): number {
  const least = end * KEPT_SHARE;
  for (const ends of [PHRASE_ENDS, WORD_ENDS]) {
    // One letter more, since a word that ends where the room ends is whole.
    const last = [...prompt.slice(0, end + 1).matchAll(ends)].at(-1)?.index ?? 0;
    if (last >= least) return last;
  }
  return end;
}

/**
 * Tells which prompts are longer than a rewriter reads, without its weights. The tokenizer is
 * loaded when a prompt is long enough to need counting.
 */
export class PromptWindow {
  readonly #directory: string;
  readonly #tokenizer: string;
  readonly #asked: (text: string) => string;
  #opened: { readonly tokenizer: Gpt2Tokenizer; readonly positions: number } | undefined;

  /**
   * @param tokenizer folder of the tokenizer's files, if not the checkpoint's
   * @param keeps whether its rewrites keep the prompt, by the rule of kept.ts
   */
  constructor(directory: string, tokenizer = directory, form: PromptForm = PROMPTIST.form, keeps = false) {
    this.#directory = directory;
    this.#tokenizer = tokenizer;
    this.#asked = (text) => askedFor(text, form, keeps);
  }

  /**
   * Whether the rewriter reads only the beginning of a prompt when it may answer with `maxNewTokens` tokens.
   * Throws CheckpointError where the files are missing or broken.
   */
  isLonger(prompt: string, maxNewTokens: number): boolean {
    const text = strip(prompt);
    const { positions, tokenizer } = this.#open();
    const room = positions - maxNewTokens;
    // A token is one byte at least.
    const asked = this.#asked(text);
    if (Buffer.byteLength(asked) <= room) return false;
    return tokenizer.encode(asked).length > room;
  }

  #open() {
    this.#opened ??= {
      tokenizer: Gpt2Tokenizer.open(this.#tokenizer),
      positions: openGpt2(this.#directory).config.n_positions,
    };
    return this.#opened;
  }
}

/**
 * Python's `str.strip`, which the original used: unlike `trim` it strips U+001C to U+001F and U+0085, not
 * U+FEFF.
 */
export function strip(text: string): string {
  const space = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
  return text.replace(new RegExp(`^${space}|${space}$`, "g"), "");
}
