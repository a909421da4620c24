import type { Difference } from "./posterior.js";

/**
 * The votes of all servers up to a moment, in memory that threads share and that stays as it is: P pairs, V votes.
 * Features and values are as in `Difference`.
 */
export interface Votes {
  /** The server of each pair, by number, [P]. */
  readonly servers: Int32Array;
  /** Where each pair's features begin, and the end, [P + 1]. */
  readonly starts: Int32Array;
  readonly features: Int32Array;
  readonly values: Int32Array;
  /** Of each vote, in their order: its pair, its voter, both by number, and 1 where the rewrite won, [V]. */
  readonly pairs: Int32Array;
  readonly voters: Int32Array;
  readonly won: Int32Array;
}

/**
 * The votes of all servers. They lie in columns of numbers, for a hundred thousand objects would keep the collector of
 * garbage busy on the bot's thread, and would have to be copied for another.
 */
export class Ledger {
  readonly #numbers = new Map<string, number>();
  #serverCount = 0;
  #voterCount = 0;
  readonly #servers = new Column();
  readonly #starts = new Column();
  readonly #features = new Column();
  readonly #values = new Column();
  readonly #pairs = new Column();
  readonly #voters = new Column();
  readonly #won = new Column();

  constructor() {
    this.#starts.push(0);
  }

  get votes(): number {
    return this.#pairs.length;
  }

  /** The number of a new server. */
  addServer(): number {
    return this.#serverCount++;
  }

  /** The number of a new voter, who is another one in each server. */
  addVoter(): number {
    return this.#voterCount++;
  }

  /** The number of a job's pair; undefined before its first vote. */
  pairOf(jobId: string): number | undefined {
    return this.#numbers.get(jobId);
  }

  addPair(jobId: string, server: number, { features, values }: Difference): number {
    for (const feature of features) this.#features.push(feature);
    for (const value of values) this.#values.push(value);
    this.#starts.push(this.#features.length);
    const pair = this.#servers.push(server);
    this.#numbers.set(jobId, pair);
    return pair;
  }

  add(pair: number, voter: number, won: 0 | 1): void {
    this.#pairs.push(pair);
    this.#voters.push(voter);
    this.#won.push(won);
  }

  differenceOf(pair: number): Difference {
    const [from, to] = [this.#starts.at(pair), this.#starts.at(pair + 1)];
    return { features: this.#features.slice(from, to), values: this.#values.slice(from, to) };
  }

  get soFar(): Votes {
    return {
      servers: this.#servers.soFar,
      starts: this.#starts.soFar,
      features: this.#features.soFar,
      values: this.#values.soFar,
      pairs: this.#pairs.soFar,
      voters: this.#voters.soFar,
      won: this.#won.soFar,
    };
  }
}

const FIRST_LENGTH = 64;

/** Integers, of which more and more come. */
class Column {
  #numbers = sharedNumbers(FIRST_LENGTH);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Answers its place. */
  push(number: number): number {
    if (this.#length === this.#numbers.length) {
      const longer = sharedNumbers(2 * this.#length);
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    this.#numbers[this.#length] = number;
    return this.#length++;
  }

  at(place: number): number {
    return this.#numbers[place]!;
  }

  slice(from: number, to: number): number[] {
    return Array.from(this.#numbers.subarray(from, to));
  }

  get soFar(): Int32Array {
    return this.#numbers.subarray(0, this.#length);
  }
}

const sharedNumbers = (length: number): Int32Array =>
  new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
