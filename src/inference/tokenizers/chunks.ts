import { type Fragment, readEmphasis } from "../../core/emphasis.js";

/** A prompt with its marks read, in as many windows of the text encoder as it takes. */
export interface WeightedEncoding {
  /** One at least. */
  readonly chunks: readonly Chunk[];
  /** The words beyond the last chunk, without their marks; null if all fitted. */
  readonly truncated: string | null;
}

/** What the text encoder reads at once. */
export interface Chunk {
  /** bos, tokens, eos, and padding, as many as the text encoder takes. */
  readonly ids: readonly number[];
  /** The weight of each. */
  readonly weights: readonly number[];
}

export interface ChunkTokens {
  readonly bosId: number;
  readonly eosId: number;
  readonly padId: number;
  /** Of `,` as a word. */
  readonly commaId: number | undefined;
  /** Tokens of a chunk, including bos and eos. */
  readonly length: number;
  /** The tokens of a text; those of one unit stay in one chunk. */
  units(text: string): readonly (readonly number[])[];
  /** The words of a text from the one that contains a unit on. */
  wordsFrom(text: string, unit: number): string;
}

/** What the UNet reads grows with the chunks, and so does its work. */
const CHUNKS_MAX = 16;
/** A comma this near to the end of a chunk ends it, so that no phrase is torn. */
const COMMA_REACH = 20;

/** Reads a prompt in chunks of `length - 2` tokens, as AUTOMATIC1111's web UI cuts it. */
export function encodeWeighted(tokens: ChunkTokens, prompt: string): WeightedEncoding {
  const { parts } = readEmphasis(prompt);
  const chunks = new Chunks(tokens);
  for (const [i, part] of parts.entries()) {
    if (i > 0) chunks.next();
    for (const [j, { text, weight }] of part.entries()) {
      for (const [k, unit] of tokens.units(text).entries()) {
        if (chunks.add(unit, weight)) continue;
        return { chunks: chunks.all(), truncated: wordsLeft(tokens, parts, i, j, k) };
      }
    }
  }
  return { chunks: chunks.end(), truncated: null };
}

class Chunks {
  readonly #tokens: ChunkTokens;
  readonly #chunks: Chunk[] = [];
  #ids: number[] = [];
  #weights: number[] = [];
  /** Position of the last comma in this chunk. */
  #comma: number | null = null;

  constructor(tokens: ChunkTokens) {
    this.#tokens = tokens;
  }

  /** Adds tokens that belong together; false where they would begin a chunk too many. */
  add(unit: readonly number[], weight: number): boolean {
    const room = this.#tokens.length - 2;
    const isFull = this.#ids.length === room;
    if (unit[0] === this.#tokens.commaId) this.#comma = this.#ids.length;
    else if (isFull && this.#comma !== null && room - this.#comma <= COMMA_REACH && !this.#isLast)
      this.#moveBehindComma();
    // What is longer than a chunk has to be torn.
    const parts = unit.length <= room ? [unit] : unit.map((id) => [id]);
    for (const part of parts) {
      if (this.#ids.length + part.length > room) this.next();
      if (this.#chunks.length >= CHUNKS_MAX) return false;
      this.#ids.push(...part);
      this.#weights.push(...part.map(() => weight));
    }
    return true;
  }

  /** Ends the chunk, even an empty one. */
  next(): void {
    const { bosId, eosId, padId, length } = this.#tokens;
    const pad = length - 2 - this.#ids.length;
    this.#chunks.push({
      ids: [bosId, ...this.#ids, eosId, ...Array<number>(pad).fill(padId)],
      weights: [1, ...this.#weights, 1, ...Array<number>(pad).fill(1)],
    });
    this.#ids = [];
    this.#weights = [];
    this.#comma = null;
  }

  end(): readonly Chunk[] {
    if (this.#ids.length > 0 || this.#chunks.length === 0) this.next();
    return this.all();
  }

  all(): readonly Chunk[] {
    return this.#chunks.slice(0, CHUNKS_MAX);
  }

  get #isLast(): boolean {
    return this.#chunks.length >= CHUNKS_MAX - 1;
  }

  #moveBehindComma(): void {
    const at = this.#comma! + 1;
    const [ids, weights] = [this.#ids.splice(at), this.#weights.splice(at)];
    this.next();
    this.#ids = ids;
    this.#weights = weights;
  }
}

/** The words from a unit of a fragment on. */
function wordsLeft(
  tokens: ChunkTokens,
  parts: readonly (readonly Fragment[])[],
  part: number,
  fragment: number,
  unit: number,
): string {
  const [first, ...others] = parts[part]!.slice(fragment);
  const rest = [tokens.wordsFrom(first!.text, unit), ...others.map(({ text }) => text)].join("");
  const later = parts.slice(part + 1).map((fragments) => fragments.map(({ text }) => text).join(""));
  return [rest, ...later].join(" ").trim();
}
