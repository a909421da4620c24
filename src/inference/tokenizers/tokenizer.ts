import { CheckpointError } from "../../core/errors.js";
import { type ChunkTokens, encodeWeighted, type WeightedEncoding } from "./chunks.js";
import { type NamedVectors, NOTHING_NAMED } from "./named-vectors.js";
import { CLIP, type Engine, GPT2, loadTokenizer } from "./tokenizer-files.js";

function required(id: number | undefined, role: string, directory: string): number {
  if (id !== undefined) return id;
  throw new CheckpointError(
    "CHECKPOINT_CORRUPT",
    `The vocabulary in ${directory} has no token for ${role}; the tokenizer's files do not belong together.`,
  );
}

/**
 * GPT-2's letters for the 256 bytes (`bytes_to_unicode` in its encoder.py): printable ones stand for themselves, the others
 * for U+0100 and on, in their order.
 */
const BYTE_OF_LETTER: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 256 }, (_, byte) => byte).map((byte, _, bytes) => {
    const isPrintable = (it: number) => (it > 0x20 && it < 0x7f) || (it > 0xa0 && it <= 0xff && it !== 0xad);
    const before = bytes.slice(0, byte).filter((it) => !isPrintable(it)).length;
    return [String.fromCharCode(isPrintable(byte) ? byte : 0x100 + before), byte];
  }),
);

/** Undefined where a token is not written in those letters. */
function bytesOfToken(token: string): Uint8Array | undefined {
  const bytes = [...token].map((letter) => BYTE_OF_LETTER.get(letter));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined;
}

/** GPT-2's byte-level tokenizer: adds no special tokens, and decoding restores every space. */
export class Gpt2Tokenizer {
  readonly #engine: Engine;

  private constructor(
    engine: Engine,
    /** End of text, also used for padding: 50256 in the published vocabulary. */
    readonly eosId: number,
    /** One more than the highest id. */
    readonly size: number,
  ) {
    this.#engine = engine;
  }

  /** Reads the tokenizer's files in `directory`. Throws CheckpointError if they are missing or broken. */
  static open(directory: string): Gpt2Tokenizer {
    const { engine, idOf } = loadTokenizer(directory, GPT2);
    let highest = 0;
    for (const id of engine.get_vocab().values()) highest = Math.max(highest, id);
    return new Gpt2Tokenizer(engine, required(idOf("eos_token"), "eos_token", directory), highest + 1);
  }

  /** The bytes of each token's text, by id; special tokens have none. */
  pieces(): readonly (Uint8Array | undefined)[] {
    const pieces: (Uint8Array | undefined)[] = [];
    for (const [token, id] of this.#engine.get_vocab(false)) pieces[id] = bytesOfToken(token);
    pieces[this.eosId] = undefined;
    return pieces;
  }

  /** Token ids of `text`, nothing added. */
  encode(text: string): number[] {
    return this.#engine.encode(text, { add_special_tokens: false }).ids;
  }

  /** The text of `ids`, without special tokens and without "clean-up" of spaces. */
  decode(ids: readonly number[]): string {
    if (ids.length === 0) return "";
    return this.#engine.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  }
}

export interface ClipEncoding {
  /** bos, the text, eos, and padding up to the model's length (77 for Stable Diffusion 1.5). */
  readonly ids: readonly number[];
  /** The words that did not fit, as written in the text; null if all fitted. */
  readonly truncated: string | null;
}

/**
 * CLIP's tokenizer as Stable Diffusion uses it: lower case, between bos and eos, cut or padded to a fixed
 * length.
 */
export class ClipTokenizer implements ChunkTokens {
  readonly #engine: Engine;
  readonly #named: NamedVectors;

  private constructor(
    engine: Engine,
    named: NamedVectors,
    readonly bosId: number,
    readonly eosId: number,
    readonly padId: number,
    readonly commaId: number | undefined,
    /** Tokens per encoding, including bos and eos. */
    readonly length: number,
  ) {
    this.#engine = engine;
    this.#named = named;
  }

  /**
   * Reads the tokenizer's files in `directory` (`tokenizer/` of a pipeline). `named`: embeddings, whose names
   * are read as their vectors. Throws CheckpointError.
   */
  static open(directory: string, named: NamedVectors = NOTHING_NAMED): ClipTokenizer {
    const { engine, config, idOf } = loadTokenizer(directory, CLIP, named.tokens);
    const eosId = required(idOf("eos_token"), "eos_token", directory);
    const bosId = required(idOf("bos_token"), "bos_token", directory);
    const limit = config.model_max_length;
    const length = limit !== undefined && limit >= 2 ? limit : CLIP_CONTEXT;
    const commaId = engine.token_to_id(",</w>");
    return new ClipTokenizer(engine, named, bosId, eosId, idOf("pad_token") ?? eosId, commaId, length);
  }

  /** `length` token ids for `text`, and the words that were cut. */
  encode(text: string): ClipEncoding {
    const room = this.length - 2;
    const units = this.units(text);
    const tokens = units.flat();
    const ids = [this.bosId, ...tokens.slice(0, room), this.eosId];
    while (ids.length < this.length) ids.push(this.padId);
    return { ids, truncated: tokens.length > room ? this.wordsFrom(text, unitAt(units, room)) : null };
  }

  /** The same for a prompt whose marks are read (core/emphasis.ts), in as many rows as it takes. */
  encodeWeighted(prompt: string): WeightedEncoding {
    return encodeWeighted(this, prompt);
  }

  /** Whether the vocabulary has this text as a token, as it stands or as it is read: in small letters. */
  hasToken(text: string): boolean {
    return [text, text.toLowerCase()].some((it) => this.#engine.token_to_id(it) !== undefined);
  }

  units(text: string): number[][] {
    return this.#engine.encode(text, { add_special_tokens: false }).ids.map((id) => this.#named.unit(id));
  }

  wordsFrom(text: string, unit: number): string {
    const words = text.trim().split(/\s+/u);
    let units = 0;
    for (const [index, word] of words.entries()) {
      units += this.units(word).length;
      // No token crosses whitespace.
      if (units > unit) return words.slice(index).join(" ");
    }
    return words[words.length - 1] ?? "";
  }
}

/** Which unit has the token at a position. */
function unitAt(units: readonly (readonly number[])[], position: number): number {
  let end = 0;
  for (const [at, unit] of units.entries()) {
    end += unit.length;
    if (end > position) return at;
  }
  return units.length;
}

/** Positions of CLIP's text encoder in Stable Diffusion 1.x. */
const CLIP_CONTEXT = 77;
