/**
 * Chooses one token from the model's scores: the processors of Hugging Face's `generate` in its order
 * (temperature, top-k, top-p), then one draw. The repetition penalty is applied earlier, to the logits in the
 * graph.
 */
export interface SamplingOptions {
  readonly temperature: number;
  /** 0 turns the filter off. */
  readonly topK: number;
  /** 1 turns the filter off. */
  readonly topP: number;
}

/** Tokens that may be drawn and their probabilities, which add up to 1, likeliest first. */
export interface Distribution {
  readonly ids: readonly number[];
  readonly probabilities: readonly number[];
}

/**
 * The distribution after temperature, top-k and top-p.
 *
 * @param ids token ids, by descending logit
 * @param logits their logits, descending: the whole vocabulary, or at least enough to include the top-k
 * filter's last
 *   value and all that equal it (see `topKReaches`).
 */
export function distribution(
  ids: ArrayLike<number>,
  logits: ArrayLike<number>,
  { temperature, topK, topP }: SamplingOptions,
): Distribution {
  const scores = Array.from(logits, (logit) => Math.fround(logit / temperature));
  let kept = scores.length;
  if (topK > 0 && topK < kept) {
    const last = scores[topK - 1]!;
    kept = topK;
    // Values equal to the k-th stay in.
    while (kept < scores.length && scores[kept] === last) kept++;
  }
  let probabilities = softmax(scores.slice(0, kept));
  if (topP < 1) {
    // Drop tokens from the least likely up while their sum is at most 1 - p; the likeliest always stays.
    let sum = 0;
    let cut = kept;
    while (cut > 1 && sum + probabilities[cut - 1]! <= 1 - topP) sum += probabilities[--cut]!;
    kept = cut;
    probabilities = softmax(scores.slice(0, kept));
  }
  return { ids: Array.from({ length: kept }, (_, i) => ids[i]!), probabilities };
}

/** Whether `logits` (descending) certainly include all that top-k keeps of a vocabulary of `size`. */
export const topKReaches = (logits: ArrayLike<number>, topK: number, size: number): boolean =>
  logits.length === size ||
  (topK > 0 && topK < logits.length && logits[topK - 1]! > logits[logits.length - 1]!);

function softmax(descending: readonly number[]): number[] {
  const highest = descending[0]!;
  const weights = descending.map((score) => Math.exp(score - highest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Draws one token with `uniform`, a number in [0, 1). */
export function draw({ ids, probabilities }: Distribution, uniform: number): number {
  let sum = 0;
  for (const [i, probability] of probabilities.entries()) {
    sum += probability;
    if (uniform < sum) return ids[i]!;
  }
  return ids[ids.length - 1]!;
}

/**
 * The seeded generator of the sampling mode: xoshiro128** 1.1 (Blackman and Vigna, 2018), initialised by
 * SplitMix32 from the low and high half of the seed. The same seed gives the same text on every platform; the
 * stream differs from torch's.
 */
export class SeededRandom {
  readonly #state: Uint32Array;

  /** @param seed an integer from 0 to 2^53 - 1 */
  constructor(seed: number) {
    let counter = (seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32) >>> 0, 0x9e3779b1);
    const next = () => {
      counter = (counter + 0x9e3779b9) | 0;
      let z = counter;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    };
    this.#state = Uint32Array.from([next(), next(), next(), next() | 1]);
  }

  /** 32 random bits. */
  nextUint32(): number {
    return xoshiro128(this.#state);
  }

  /** A number in [0, 1) with 53 random bits. */
  uniform(): number {
    return ((this.nextUint32() >>> 5) * 2 ** 26 + (this.nextUint32() >>> 6)) / 2 ** 53;
  }
}

/** xoshiro128** 1.1: advances a state of four words and returns the next 32 bits. */
export function xoshiro128(s: Uint32Array): number {
  const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
  const shifted = s[1]! << 9;
  s[2]! ^= s[0]!;
  s[3]! ^= s[1]!;
  s[1]! ^= s[2]!;
  s[0]! ^= s[3]!;
  s[2]! ^= shifted;
  s[3] = rotateLeft(s[3]!, 11);
  return result;
}

const rotateLeft = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));
