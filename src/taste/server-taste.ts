import { LENGTH } from "./features.js";
import { type Difference, type Known, Posterior, type Prior, type Row } from "./posterior.js";

/** One vote on a pair. */
export interface Voted {
  readonly jobId: string;
  readonly userId: string;
  /** 1 where the rewrite won, 0 where it lost. */
  readonly won: 0 | 1;
}

/** What is known of one phrase in a server. */
export interface Effect {
  readonly feature: number;
  /** Log-odds of winning that the phrase adds, and its standard deviation. */
  readonly mean: number;
  readonly deviation: number;
  /** Votes on pairs with the phrase, and these pairs. */
  readonly n: number;
  readonly pairs: number;
}

/** A person's votes in one server count like this many at most. */
export const VOTER_MAX = 100;
/** Before any vote: the standard deviation of a phrase's log-odds, as if seen of so many phrases. */
const PHRASE_DEVIATION = 0.3;
const PHRASES_ASSUMED = 20;
/** The same of what all phrases have in common, and of the ways of rewriting: the rewriters and their modes. */
const LENGTH_DEVIATION = 0.15;
const WAY_DEVIATION = 0.35;
/** Fits until the phrases' deviation has settled. */
const ROUNDS = 3;
/** A vote counts half once so many came after it, as a share of the server's votes: tastes change (docs/taste.md). */
const HALF_LIFE = 0.4;

interface Pair extends Difference {
  /** `number`: the server's how manieth vote. */
  readonly votes: { readonly userId: string; readonly won: 0 | 1; readonly number: number }[];
}

/**
 * What one server likes. Its prior is what the other servers' votes say, and by how much servers differ, which the
 * votes say too (empirical Bayes). A new vote is learned at once; a fit makes it exact, in the background.
 */
export class ServerTaste {
  readonly #isPhrase: (feature: number) => boolean;
  readonly #pairs = new Map<string, Pair>();
  readonly #voters = new Map<string, number>();
  /** Whose each vote is, in their order. */
  readonly #order: string[] = [];
  readonly #counts = new Map<number, { votes: number; pairs: number }>();
  #posterior: Posterior;
  #others: Posterior | null = null;
  #votes = 0;
  #fittedVotes = -1;
  #othersVotes = 0;
  /** The votes that came while a fit ran; null while none runs. */
  #late: ((posterior: Posterior) => void)[] | null = null;

  constructor(isPhrase: (feature: number) => boolean) {
    this.#isPhrase = isPhrase;
    this.#posterior = new Posterior(this.#prior(null, PHRASE_DEVIATION ** 2));
  }

  /** How many votes it has learned from. */
  get votes(): number {
    return this.#votes;
  }

  has(jobId: string, userId: string): boolean {
    return this.#pairs.get(jobId)?.votes.some((vote) => vote.userId === userId) ?? false;
  }

  get isFitted(): boolean {
    return this.#fittedVotes >= 0;
  }

  /** Learns from a vote. `read`: what the rewrite has and its prompt lacks; called for the first vote of a pair. */
  learn({ jobId, userId, won }: Voted, read: () => Difference): void {
    let pair = this.#pairs.get(jobId);
    if (pair === undefined) {
      pair = { ...read(), votes: [] };
      this.#pairs.set(jobId, pair);
    }
    const own = (this.#voters.get(userId) ?? 0) + 1;
    this.#voters.set(userId, own);
    this.#order.push(userId);
    pair.votes.push({ userId, won, number: ++this.#votes });
    for (const feature of pair.features) {
      const count = this.#counts.get(feature) ?? { votes: 0, pairs: 0 };
      count.votes++;
      if (pair.votes.length === 1) count.pairs++;
      this.#counts.set(feature, count);
    }
    const learn = (posterior: Posterior) => posterior.learn(pair, won, weightOf(own));
    this.#late?.push(learn);
    if (this.isFitted) learn(this.#posterior);
  }

  /** Whether enough has come since the last fit to make another. */
  needsFit(others: readonly ServerTaste[]): boolean {
    const isOld = (now: number, then: number) => now - then >= Math.max(10, then / 20);
    return (
      !this.isFitted || isOld(this.#votes, this.#fittedVotes) || isOld(totalOf(others), this.#othersVotes)
    );
  }

  /** Learns from all votes anew. Yields between pieces of work of some milliseconds. */
  *fit(others: readonly ServerTaste[]): Generator<void, void, void> {
    this.#late = [];
    const votes = this.#votes;
    const othersVotes = totalOf(others);
    if (othersVotes === 0) this.#others = null;
    else if (this.#others === null || othersVotes - this.#othersVotes >= this.#othersVotes / 20) {
      const rows: Row[] = [];
      for (const other of others) yield* other.#rows(rows);
      this.#others = (yield* this.#scaled(rows, null)).posterior;
      this.#othersVotes = othersVotes;
    }
    const rows: Row[] = [];
    yield* this.#rows(rows, votes);
    // By how much phrases differ does not age, so that is learned from all votes alike.
    const { posterior: ageless, variance } = yield* this.#scaled(rows, this.#others);
    yield* this.#rows(rows, votes, yield* this.#lasting(votes));
    const posterior = new Posterior(this.#prior(this.#others, variance));
    yield* posterior.fit(rows, ageless);
    for (const learn of this.#late) learn(posterior);
    this.#late = null;
    this.#posterior = posterior;
    this.#fittedVotes = votes;
  }

  /** The phrases that were voted on here. */
  *effects(): Generator<Effect, void, void> {
    const posterior = this.#posterior;
    const [shared, sharedVariance] = [posterior.meanOf(LENGTH), posterior.varianceOf(LENGTH)];
    for (const [feature, { votes, pairs }] of this.#counts) {
      if (!this.#isPhrase(feature)) continue;
      const mean = posterior.meanOf(feature) + shared;
      const variance =
        posterior.varianceOf(feature) + sharedVariance + 2 * posterior.covarianceOf(feature, LENGTH);
      yield { feature, mean, deviation: Math.sqrt(variance), n: votes, pairs };
    }
  }

  /** What it is known to think of rewrites. */
  get posterior(): Known {
    return this.#posterior;
  }

  /** A phrase's normal distribution is that of the other servers, widened by `variance`. */
  #prior(others: Posterior | null, variance: number): Prior {
    const own = (feature: number) =>
      this.#isPhrase(feature) ? variance : (feature === LENGTH ? LENGTH_DEVIATION : WAY_DEVIATION) ** 2;
    return {
      mean: (feature) => others?.meanOf(feature) ?? 0,
      variance: (feature) => (others?.varianceOf(feature) ?? 0) + own(feature),
    };
  }

  /**
   * The posterior, with the phrases' variance that fits its rows: steps of expectation maximization (C. Bishop,
   * Pattern Recognition and Machine Learning, 9.3.4), from the assumed variance as that of some phrases.
   */
  *#scaled(
    rows: readonly Row[],
    others: Posterior | null,
  ): Generator<void, { readonly posterior: Posterior; readonly variance: number }, void> {
    let variance = PHRASE_DEVIATION ** 2;
    let before: Posterior | undefined;
    for (let round = 1; ; round++) {
      const posterior = new Posterior(this.#prior(others, variance));
      yield* posterior.fit(rows, before);
      if (round === ROUNDS) return { posterior, variance };
      before = posterior;
      let sum = PHRASES_ASSUMED * PHRASE_DEVIATION ** 2;
      const phrases = [...posterior.features].filter(this.#isPhrase);
      for (const feature of phrases) {
        const known = others?.varianceOf(feature) ?? 0;
        const share = variance / (variance + known);
        const off = posterior.meanOf(feature) - (others?.meanOf(feature) ?? 0);
        sum += share ** 2 * (off ** 2 + posterior.varianceOf(feature)) + share * known;
      }
      variance = sum / (PHRASES_ASSUMED + phrases.length);
    }
  }

  /**
   * How much of each of the first votes counts by its age, which is how many came after it. Each person's are bounded
   * there too, or a flood of votes would make all others old.
   */
  *#lasting(votes: number): Generator<void, Float64Array, void> {
    const lasting = new Float64Array(votes + 1);
    for (let i = 0; i < votes; i++) {
      lasting[i + 1] = lasting[i]! + this.#bound(this.#order[i]!);
      if (i % 10_000 === 0) yield;
    }
    const all = lasting[votes]!;
    for (let i = 0; i <= votes; i++) {
      lasting[i] = 0.5 ** ((all - lasting[i]!) / (HALF_LIFE * all));
      if (i % 10_000 === 0) yield;
    }
    return lasting;
  }

  /** What one of a person's votes counts. */
  #bound(userId: string): number {
    return weightOf(this.#voters.get(userId)!);
  }

  /**
   * Adds the votes up to a number by pair, each person's bounded. With `lasting`, what counts of each by its number,
   * weighs the rows anew that were made of the same votes: as many new ones would have the garbage collected.
   */
  *#rows(rows: Row[], last = this.#votes, lasting?: Float64Array): Generator<void, void, void> {
    let place = 0;
    let read = 0;
    for (const { features, values, votes } of this.#pairs.values()) {
      let weight = 0;
      let wins = 0;
      for (const { userId, won, number } of votes) {
        if (number > last) continue;
        const counted = this.#bound(userId) * (lasting?.[number] ?? 1);
        weight += counted;
        wins += counted * won;
      }
      if (weight > 0 && lasting === undefined) rows.push({ features, values, weight, won: wins });
      else if (weight > 0) Object.assign(rows[place++]!, { weight, won: wins });
      if (++read % 2_000 === 0) yield;
    }
  }
}

/** Of a person's newest vote: the earlier ones are weighed down at the next fit. */
const weightOf = (votes: number): number => Math.min(1, VOTER_MAX / votes);

const totalOf = (servers: readonly ServerTaste[]): number =>
  servers.reduce((sum, { votes }) => sum + votes, 0);
