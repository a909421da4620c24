/**
 * The random numbers of PyTorch's CPU generator, so that a seed gives the same noise as in diffusers.
 *
 * Sources: Matsumoto and Nishimura, "Mersenne Twister", 1998 (MT19937, `init_genrand`); Box and Muller, 1958;
 * the order in which PyTorch (2.x, aten/src/ATen/native/cpu) consumes the bits. PyTorch's own results differ
 * by up to 1.8e-6 between its scalar and its AVX2 code; ours stay within 2e-6 of both.
 */

/** A stateful source of standard normal numbers: each call continues the stream. */
export interface NormalSource {
  /** `count` float32 samples of N(0, 1), in the order that `torch.randn` fills a contiguous tensor. */
  randn(count: number): Float32Array;
}

const STATE_WORDS = 624;
const SHIFT_WORDS = 397;
const TWIST_MATRIX = 0x9908b0df;
const SEED_MULTIPLIER = 1812433253;

/**
 * From this size on PyTorch fills a tensor in blocks of 16; below, it draws the numbers one by one in
 * float64.
 */
const BLOCK = 16;
const HALF = BLOCK / 2;

const TWO_PI_FLOAT32 = Math.fround(2 * Math.PI);

/** `torch.Generator("cpu")`. */
export class TorchRandom implements NormalSource {
  readonly #state = new Uint32Array(STATE_WORDS);
  #next = STATE_WORDS;
  /** The second number of the last Box-Muller pair of the float64 path; PyTorch's generator keeps it too. */
  #spare: number | null = null;

  /** @param seed an integer from 0 to 2^53 - 1; like PyTorch, the generator uses its low 32 bits. */
  constructor(seed: number) {
    this.manualSeed(seed);
  }

  /** Restarts the stream. Throws RangeError unless the seed is an integer from 0 to 2^53 - 1. */
  manualSeed(seed: number): this {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`A seed is an integer from 0 to ${Number.MAX_SAFE_INTEGER}, got ${seed}`);
    }
    const state = this.#state;
    state[0] = seed % 2 ** 32;
    for (let i = 1; i < STATE_WORDS; i++) {
      const previous = state[i - 1]!;
      state[i] = Math.imul(SEED_MULTIPLIER, previous ^ (previous >>> 30)) + i;
    }
    this.#next = STATE_WORDS;
    this.#spare = null;
    return this;
  }

  /** The next 32 random bits, as an unsigned integer. */
  uint32(): number {
    if (this.#next === STATE_WORDS) this.#twist();
    let y = this.#state[this.#next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  randn(count: number): Float32Array {
    const samples = new Float32Array(count);
    if (count < BLOCK) {
      for (let i = 0; i < count; i++) samples[i] = this.#normal64();
      return samples;
    }
    for (let i = 0; i < count; i++) samples[i] = this.#uniform24();
    for (let start = 0; start + BLOCK <= count; start += BLOCK) boxMuller(samples, start);
    if (count % BLOCK !== 0) {
      // The last 16 are drawn again, overwriting finished samples.
      const start = count - BLOCK;
      for (let i = start; i < count; i++) samples[i] = this.#uniform24();
      boxMuller(samples, start);
    }
    return samples;
  }

  /** Uniform in [0, 1) with float32's 24 bits. */
  #uniform24(): number {
    return (this.uint32() & 0xffffff) * 2 ** -24;
  }

  /** Uniform in [0, 1) with float64's 53 bits, from two draws of which the first gives the high bits. */
  #uniform53(): number {
    const high = this.uint32() & 0x1fffff;
    return (high * 2 ** 32 + this.uint32()) * 2 ** -53;
  }

  #normal64(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    const angle = 2 * Math.PI * this.#uniform53();
    const radius = Math.sqrt(-2 * Math.log1p(-this.#uniform53()));
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < STATE_WORDS; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % STATE_WORDS]! & 0x7fffffff);
      state[i] = state[(i + SHIFT_WORDS) % STATE_WORDS]! ^ (y >>> 1) ^ (y & 1 ? TWIST_MATRIX : 0);
    }
    this.#next = 0;
  }
}

/**
 * Turns the 16 uniforms from `start` on into normals: number j of the first half pairs with j of the second.
 */
function boxMuller(samples: Float32Array, start: number): void {
  for (let j = start; j < start + HALF; j++) {
    // Radius and angle are rounded to float32 like PyTorch's: half an ulp of the angle is 1e-6 of the result.
    const radius = Math.fround(Math.sqrt(-2 * Math.log(1 - samples[j]!)));
    const angle = Math.fround(TWO_PI_FLOAT32 * samples[j + HALF]!);
    samples[j] = radius * Math.cos(angle);
    samples[j + HALF] = radius * Math.sin(angle);
  }
}
