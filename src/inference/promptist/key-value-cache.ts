import type { Gpt2Config } from "../../models/gpt2.js";
import { Tensor } from "../runtime/session.js";

/**
 * Slots are added in runs of this many, so tensors keep their shape for many steps, and a token's position in
 * a vector register does not depend on the number of slots. Sums are then the same to the last bit in any
 * group. That matters where activations are rounded to 8 bits: a difference of 1e-7 before rounding becomes
 * 1e-2 after it.
 */
const GROWTH = 64;

/**
 * Keys and values of the tokens still in use: for each layer `key.i` [P, H, D, T] and `value.i` [P, H, T, D]
 * (symbols: models/gpt2.ts). A token may use any slot of its sequence, because its position is in its
 * embedding and the mask says which slots it sees. So slots that no row needs any more are overwritten.
 */
export class KeyValueCache {
  #sequences: number;
  #slots: number;
  #keys: Float32Array[];
  #values: Float32Array[];
  #feeds: Record<string, Tensor>;

  readonly #config: Gpt2Config;

  constructor(config: Gpt2Config, sequences: number, tokens: number) {
    this.#config = config;
    this.#sequences = sequences;
    this.#slots = roundUp(tokens);
    this.#keys = this.#allocate();
    this.#values = this.#allocate();
    this.#feeds = this.#bind();
  }

  /** T: slots of each sequence. */
  get capacity(): number {
    return this.#slots;
  }

  /** Feeds of the graph. */
  get tensors(): Readonly<Record<string, Tensor>> {
    return this.#feeds;
  }

  /**
   * Puts one token's keys and values into a slot, from tensors [P', H, N, D] of each layer.
   * @param n which of the N tokens
   * @param from which of the P' sequences, if not `sequence`
   */
  write(
    sequence: number,
    slot: number,
    keys: readonly Float32Array[],
    values: readonly Float32Array[],
    N: number,
    n: number,
    from = sequence,
  ): void {
    const { n_layer: layers, n_head: heads, n_embd: width } = this.#config;
    const D = width / heads;
    const T = this.#slots;
    for (let layer = 0; layer < layers; layer++) {
      const key = keys[layer]!;
      const value = values[layer]!;
      const cachedKey = this.#keys[layer]!;
      const cachedValue = this.#values[layer]!;
      for (let head = 0; head < heads; head++) {
        const source = ((from * heads + head) * N + n) * D;
        const target = (sequence * heads + head) * D * T;
        for (let d = 0; d < D; d++) {
          cachedKey[target + d * T + slot] = key[source + d]!;
          cachedValue[target + slot * D + d] = value[source + d]!;
        }
      }
    }
  }

  /** Finds `count` slots not in `used`; grows the cache if there are too few. */
  freeSlots(used: readonly (readonly number[])[], count: number): number[] {
    const taken = new Uint8Array(this.#slots);
    for (const slots of used) for (const slot of slots) taken[slot] = 1;
    const free: number[] = [];
    for (let slot = 0; slot < this.#slots && free.length < count; slot++)
      if (taken[slot] === 0) free.push(slot);
    if (free.length < count) {
      const missing = count - free.length;
      const first = this.#slots;
      this.#relayout(this.#sequences, (sequence) => sequence, roundUp(first + missing));
      for (let i = 0; i < missing; i++) free.push(first + i);
    }
    return free;
  }

  /** Keeps the sequences at `indices`, in that order. */
  select(indices: readonly number[]): void {
    if (indices.length === this.#sequences && indices.every((index, i) => index === i)) return;
    this.#relayout(indices.length, (sequence) => indices[sequence]!, this.#slots);
  }

  #relayout(sequences: number, from: (sequence: number) => number, slots: number): void {
    const { n_head: heads, n_embd: width } = this.#config;
    const D = width / heads;
    const [oldKeys, oldValues, oldSlots] = [this.#keys, this.#values, this.#slots];
    this.#sequences = sequences;
    this.#slots = slots;
    this.#keys = this.#allocate();
    this.#values = this.#allocate();
    for (const [layer, key] of this.#keys.entries()) {
      for (let sequence = 0; sequence < sequences; sequence++) {
        const target = sequence * width;
        const source = from(sequence) * width;
        for (let row = 0; row < width; row++) {
          const start = (source + row) * oldSlots;
          key.set(oldKeys[layer]!.subarray(start, start + oldSlots), (target + row) * slots);
        }
        for (let head = 0; head < heads; head++) {
          const start = (source + head * D) * oldSlots;
          const values = oldValues[layer]!.subarray(start, start + D * oldSlots);
          this.#values[layer]!.set(values, (target + head * D) * slots);
        }
      }
    }
    this.#feeds = this.#bind();
  }

  #allocate(): Float32Array[] {
    const size = this.#sequences * this.#config.n_embd * this.#slots;
    return Array.from({ length: this.#config.n_layer }, () => new Float32Array(size));
  }

  #bind(): Record<string, Tensor> {
    const { n_head: heads, n_embd: width } = this.#config;
    const [P, H, D, T] = [this.#sequences, heads, width / heads, this.#slots];
    const feeds: Record<string, Tensor> = {};
    for (const [layer, key] of this.#keys.entries()) {
      feeds[`key.${layer}`] = new Tensor("float32", key, [P, H, D, T]);
      feeds[`value.${layer}`] = new Tensor("float32", this.#values[layer]!, [P, H, T, D]);
    }
    return feeds;
  }
}

const roundUp = (slots: number): number => Math.ceil(slots / GROWTH) * GROWTH;
