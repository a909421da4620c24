/*
 * The rule of a kept rewrite, the same for every rewriter: it begins with the prompt as written, says no phrase twice,
 * and is whole UTF-8. The prompt is given to the model as the beginning of its answer, so it costs one reading and is kept
 * whatever its tokens are; this file says what may stand behind it. docs/prompts.md has the rule in words.
 */

/** The tokens of a vocabulary as a text is made of them. */
export class Pieces {
  readonly #bytes: readonly (Uint8Array | undefined)[];
  /** Of tokens that are whole letters by themselves, as nearly all are. */
  readonly #texts: readonly (string | null)[];

  /** @param bytes of each token's text; undefined where an id has none */
  constructor(bytes: readonly (Uint8Array | undefined)[]) {
    this.#bytes = bytes;
    this.#texts = Array.from(bytes, (own) => {
      const text = own === undefined ? null : wholeLetters(own);
      return text !== null && Buffer.byteLength(text) === own?.length ? text : null;
    });
  }

  /** The text of tokens, and the bytes at its end that are no whole letter. */
  read(tokens: readonly number[]): { text: string; rest: Uint8Array } {
    const bytes = Buffer.concat(tokens.map((token) => this.#bytes[token] ?? new Uint8Array()));
    const end = bytes.length - unfinished(bytes);
    return { text: bytes.toString("utf8", 0, end), rest: bytes.subarray(end) };
  }

  /** The whole letters that a token adds behind `rest`; null where the two are not the beginning of UTF-8. */
  behind(rest: Uint8Array, token: number): string | null {
    const own = this.#bytes[token];
    if (own === undefined) return null;
    if (rest.length === 0) return this.#texts[token] ?? wholeLetters(own);
    return wholeLetters(Buffer.concat([rest, own]));
  }

  /** Whether `letters`, which a token adds behind `rest`, are all that the two are. */
  isWhole(rest: Uint8Array, token: number, letters: string): boolean {
    return Buffer.byteLength(letters) === rest.length + (this.#bytes[token]?.length ?? 0);
  }
}

/** Between two phrases. */
const SEPARATORS = /[,;.|\n，、；。]/u;
/**
 * What follows the prompt begins with a separator and a space, so that its last word stays whole; with a space behind a
 * separator of its own, and where the model goes on with the prompt's sentence.
 */
const BEGINS = { apart: /^[,;|](?:\s|$)/u, on: /^(?:\s|[,;|](?:\s|$))/u } as const;
/** Characters in which they see all that they look for. */
const BEGINNING = 2;

/** Phrases are the same whatever their case, punctuation and spaces are. */
const plain = (phrase: string): string =>
  phrase
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{S}]+/gu, " ")
    .trim();

/** What a text that goes on from a prompt may say next. */
export class KeptText {
  readonly #pieces: Pieces;
  readonly #eosId: number;
  /** The prompt's phrases but the last, which the text may still make longer. */
  readonly #said: readonly string[];
  readonly #open: string;
  readonly #begins: RegExp;

  /** @param goesOn whether the model was made to go on with the prompt's own sentence */
  constructor(prompt: string, pieces: Pieces, eosId: number, goesOn: boolean) {
    this.#pieces = pieces;
    this.#eosId = eosId;
    const phrases = prompt.split(SEPARATORS);
    this.#open = phrases.pop() ?? "";
    this.#said = phrases.map(plain);
    this.#begins = goesOn || this.#open.trim() === "" ? BEGINS.on : BEGINS.apart;
  }

  /** Whether a token may stand behind those of `written`, which follow the prompt. */
  after(written: readonly number[]): (token: number) => boolean {
    const { text, rest } = this.#pieces.read(written);
    const { said, phrase, isOwn } = this.#phrases(text);
    return (token) => {
      if (token === this.#eosId) return rest.length === 0 && !isOwn && isNew(phrase, said);
      const more = this.#pieces.behind(rest, token);
      if (more === null) return false;
      if (text.length < BEGINNING) {
        // Half a letter could only become one that may not stand there.
        if (!this.#begins.test(text + more) || !this.#pieces.isWhole(rest, token, more)) return false;
      }
      if (!SEPARATORS.test(more)) return true;
      return closesNew(phrase + more, said, isOwn);
    };
  }

  /**
   * The text of a finished answer; of one that the limit cut, without the letter or the separator that it cut, and without
   * a last phrase that repeats another.
   */
  text(written: readonly number[], ended: boolean): string {
    const { text } = this.#pieces.read(written);
    const { said, phrase, isOwn } = this.#phrases(text);
    if (ended || isOwn || isNew(phrase, said)) return text;
    const end = text.length - phrase.length - 1;
    return text.slice(0, Math.max(0, end));
  }

  /** What was said with `text` behind the prompt, the phrase that is still open, and whether that is the prompt's own. */
  #phrases(text: string): { said: ReadonlySet<string>; phrase: string; isOwn: boolean } {
    const phrases = (this.#open + text).split(SEPARATORS);
    const phrase = phrases.pop() ?? "";
    return {
      said: new Set([...this.#said, ...phrases.map(plain)]),
      phrase,
      isOwn: phrases.length === 0 && plain(phrase) === plain(this.#open),
    };
  }
}

function isNew(phrase: string, said: ReadonlySet<string>): boolean {
  const words = plain(phrase);
  return words !== "" && !said.has(words);
}

/** Whether all phrases that end in `text` are new; the prompt's own may end wherever there is one. */
function closesNew(text: string, said: ReadonlySet<string>, isOwn: boolean): boolean {
  const [first = "", ...others] = text.split(SEPARATORS).slice(0, -1);
  const isFirstGood = isOwn ? first.trim() !== "" : isNew(first, said);
  const all = new Set([...said, plain(first)]);
  return isFirstGood && others.every((phrase) => isNew(phrase, all) && all.add(plain(phrase)));
}

/** The whole letters of bytes that may end within one; null where they are not the beginning of UTF-8. */
function wholeLetters(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** How many bytes at the end of valid ones begin a letter of more bytes. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}
