import type { Gpt2Config } from "../../models/gpt2.js";
import { type Session, Tensor } from "../runtime/session.js";
import { KeyValueCache } from "./key-value-cache.js";

/** One token to read: which row of the last call it continues, and the token. */
export interface Step {
  readonly parent: number;
  readonly token: number;
}

/** Options for the scores of the next token. */
export interface Request {
  /** Number of best tokens. */
  readonly k: number;
  /** Log-probabilities instead of logits. */
  readonly normalize: boolean;
  /** Repetition penalty for all tokens of a row, prompt included; 1 changes nothing. */
  readonly penalty: number;
}

/** The k best next tokens of each row, descending. */
export interface Scores {
  readonly rows: number;
  readonly k: number;
  /** Row-major [rows, k]. */
  readonly tokens: Int32Array;
  /** Row-major [rows, k]. */
  readonly scores: Float32Array;
}

/** A token that was read, as the end of its row. */
interface Row {
  /** All tokens, prompt included. */
  readonly tokens: readonly number[];
  /** Cache slots of all tokens but the last. */
  readonly slots: readonly number[];
}

/**
 * Tokens of each sequence are padded to a multiple of this. The 8-bit product computes rows in pairs, and an
 * odd last row with another kernel whose sums differ in the last bit. Padding keeps a sequence's rows from
 * shifting another's pairs.
 */
const ROW_TILE = 2;
const roundUp = (rows: number): number => Math.ceil(rows / ROW_TILE) * ROW_TILE;

/** Added to a score to hide a token; its exponential is exactly 0. */
const HIDDEN = -1e9;

/**
 * Reads tokens and returns the best next ones, for several prompts at once and, after the first call, for
 * several rows (beams) of each. A token's keys and values are cached once per prompt, however many rows share
 * it. A row that is not continued costs nothing.
 */
export class Decoder {
  #cache: KeyValueCache | undefined;
  /** Rows of the last call, by sequence. */
  #rows: Row[][] = [];
  #fresh: { keys: Float32Array[]; values: Float32Array[]; perSequence: number } | undefined;
  #lastFeeds: Record<string, Tensor> = {};

  readonly #session: Session;
  readonly #config: Gpt2Config;

  constructor(session: Session, config: Gpt2Config) {
    this.#session = session;
    this.#config = config;
  }

  /**
   * Reads whole prompts, one row each, and forgets all earlier ones. Padding goes to the right, where it does
   * not change the order of any sum (see KeyValueCache); mask and positions hide it, as they would on the
   * left.
   */
  async start(prompts: readonly (readonly number[])[], request: Request): Promise<Scores> {
    const config = this.#config;
    const N = roundUp(Math.max(...prompts.map((prompt) => prompt.length)));
    const P = prompts.length;
    const cache = new KeyValueCache(config, P, N);
    const T = cache.capacity;
    const ids = new BigInt64Array(P * N);
    const positions = new BigInt64Array(P * N);
    const mask = new Float32Array(P * N * (T + N)).fill(HIDDEN);
    for (const [p, prompt] of prompts.entries()) {
      for (const [n, token] of prompt.entries()) {
        ids[p * N + n] = BigInt(token);
        positions[p * N + n] = BigInt(n);
        const start = (p * N + n) * (T + N) + T;
        mask.fill(0, start, start + n + 1);
      }
    }
    this.#cache = cache;
    this.#rows = prompts.map((tokens) => [{ tokens, slots: [] }]);
    const last = prompts.map(({ length }, p) => p * N + length - 1);
    const scores = await this.#run({ P, N, T, ids, positions, mask, last }, request);
    // The last token's keys and values are cached with the next call, like those of each later token.
    const { keys, values } = this.#fresh!;
    this.#rows = prompts.map((tokens, p) => {
      const slots = tokens.slice(0, -1).map((_, i) => i);
      for (const slot of slots) cache.write(p, slot, keys, values, N, slot);
      return [{ tokens, slots }];
    });
    const lengths = prompts.map(({ length }) => length);
    this.#fresh = {
      keys: lastOnly(keys, N, lengths, config),
      values: lastOnly(values, N, lengths, config),
      perSequence: 1,
    };
    return scores;
  }

  /**
   * Reads one token for each row of the sequences that continue. `sequences[i].index` is a sequence's index
   * in the last call; all have the same number of steps. The result keeps the order of rows.
   */
  async next(
    sequences: readonly { readonly index: number; readonly steps: readonly Step[] }[],
    request: Request,
  ): Promise<Scores> {
    const cache = this.#keep(sequences);
    const P = sequences.length;
    const rows = sequences[0]!.steps.length;
    const N = roundUp(rows);
    const T = cache.capacity;
    const ids = new BigInt64Array(P * N);
    const positions = new BigInt64Array(P * N);
    const mask = new Float32Array(P * N * (T + N)).fill(HIDDEN);
    for (const [p, sequence] of this.#rows.entries()) {
      for (const [n, { tokens, slots }] of sequence.entries()) {
        ids[p * N + n] = BigInt(tokens[tokens.length - 1]!);
        positions[p * N + n] = BigInt(slots.length);
        const start = (p * N + n) * (T + N);
        for (const slot of slots) mask[start + slot] = 0;
        mask[start + T + n] = 0;
      }
    }
    const last = Array.from({ length: P * rows }, (_, row) => Math.floor(row / rows) * N + (row % rows));
    return this.#run({ P, N, T, ids, positions, mask, last }, request);
  }

  /** Evaluates the same rows again, with another request. */
  async again(request: Request): Promise<Scores> {
    return this.#answer({ ...this.#lastFeeds, ...this.#requestFeeds(request) }, request);
  }

  /** Caches continued tokens, forgets rows that don't continue, and creates the rows of the next call. */
  #keep(sequences: readonly { index: number; steps: readonly Step[] }[]): KeyValueCache {
    const { keys, values, perSequence } = this.#fresh!;
    const cache = this.#cache!;
    cache.select(sequences.map(({ index }) => index));
    this.#rows = sequences.map(({ index, steps }, p) => {
      const before = this.#rows[index]!;
      const parents = [...new Set(steps.map(({ parent }) => parent))];
      const free = cache.freeSlots(
        parents.map((parent) => before[parent]!.slots),
        parents.length,
      );
      const slotsOf = new Map<number, readonly number[]>();
      for (const [i, parent] of parents.entries()) {
        const slot = free[i]!;
        cache.write(p, slot, keys, values, perSequence, parent, index);
        slotsOf.set(parent, [...before[parent]!.slots, slot]);
      }
      return steps.map(({ parent, token }) => ({
        tokens: [...before[parent]!.tokens, token],
        slots: slotsOf.get(parent)!,
      }));
    });
    return cache;
  }

  async #run(
    input: {
      P: number;
      N: number;
      T: number;
      ids: BigInt64Array;
      positions: BigInt64Array;
      mask: Float32Array;
      last: readonly number[];
    },
    request: Request,
  ): Promise<Scores> {
    const { P, N, T, ids, positions, mask, last } = input;
    this.#lastFeeds = {
      ids: new Tensor("int64", ids, [P, N]),
      positions: new Tensor("int64", positions, [P, N]),
      mask: new Tensor("float32", mask, [P, 1, N, T + N]),
      rows: new Tensor("int64", BigInt64Array.from(last, BigInt), [last.length]),
      ...this.#cache!.tensors,
    };
    return this.#answer({ ...this.#lastFeeds, ...this.#requestFeeds(request) }, request, N);
  }

  #requestFeeds({ k, normalize, penalty }: Request): Record<string, Tensor> {
    const rows = this.#rows.flat();
    const seen = rows.map(({ tokens }) => (penalty === 1 ? [0] : [...new Set(tokens)]));
    const S = Math.max(...seen.map((row) => row.length));
    const ids = new BigInt64Array(rows.length * S);
    for (const [r, row] of seen.entries()) {
      for (let s = 0; s < S; s++) ids[r * S + s] = BigInt(row[s] ?? row[0]!);
    }
    return {
      normalize: new Tensor("bool", [normalize], []),
      penalty: new Tensor("float32", [penalty], []),
      seen: new Tensor("int64", ids, [rows.length, S]),
      k: new Tensor("int64", [BigInt(k)], [1]),
    };
  }

  async #answer(feeds: Record<string, Tensor>, { k }: Request, N?: number): Promise<Scores> {
    const outputs = await this.#session.run(feeds);
    if (N !== undefined) {
      const layers = Array.from({ length: this.#config.n_layer }, (_, layer) => layer);
      this.#fresh = {
        keys: layers.map((layer) => outputs[`newKey.${layer}`]!.data as Float32Array),
        values: layers.map((layer) => outputs[`newValue.${layer}`]!.data as Float32Array),
        perSequence: N,
      };
    }
    return {
      rows: this.#rows.flat().length,
      k,
      tokens: Int32Array.from(outputs.tokens!.data as BigInt64Array, Number),
      scores: outputs.scores!.data as Float32Array,
    };
  }
}

/** The last token of each sequence, which has `lengths[p]` of N: [P, H, N, D] -> [P, H, 1, D]. */
function lastOnly(
  layers: readonly Float32Array[],
  N: number,
  lengths: readonly number[],
  { n_embd: width, n_head: heads }: Gpt2Config,
): Float32Array[] {
  const D = width / heads;
  return layers.map((all) => {
    const last = new Float32Array(lengths.length * width);
    for (const [p, length] of lengths.entries()) {
      for (let head = p * heads; head < (p + 1) * heads; head++) {
        const start = (head * N + length - 1) * D;
        last.set(all.subarray(start, start + D), head * D);
      }
    }
    return last;
  });
}
