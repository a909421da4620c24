import { isPhrase, LENGTH } from "./features.js";
import { type FitTask, type Fitted, type Others, PHRASE_DEVIATION, priorOf, weightOf } from "./fit.js";
import { Ledger } from "./ledger.js";
import { type Difference, type Known, Posterior } from "./posterior.js";

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

/**
 * What one server likes. Its prior is what the other servers' votes say, and by how much servers differ, which the
 * votes say too (empirical Bayes). A new vote is learned at once; a fit makes it exact, elsewhere: `begin` says what to
 * fit, and `end` takes what was found.
 */
export class ServerTaste {
  readonly #ledger = new Ledger();
  readonly #counts = new Map<number, { votes: number; pairs: number }>();
  #posterior = new Posterior(priorOf(null, PHRASE_DEVIATION ** 2));
  #others: Others | null = null;
  #fittedVotes = -1;
  #othersVotes = 0;
  /** The votes that came while a fit ran; null while none runs. */
  #late: ((posterior: Posterior) => void)[] | null = null;

  /** How many votes it has learned from. */
  get votes(): number {
    return this.#ledger.votes;
  }

  get isFitted(): boolean {
    return this.#fittedVotes >= 0;
  }

  /** Learns from a vote. `read`: what the rewrite has and its prompt lacks; called for the first vote of a pair. */
  learn({ jobId, userId, won }: Voted, read: () => Difference): void {
    const known = this.#ledger.pairOf(jobId);
    const pair = known ?? this.#ledger.addPair(jobId, read());
    const difference = this.#ledger.differenceOf(pair);
    const weight = weightOf(this.#ledger.add(pair, userId, won));
    for (const feature of difference.features) {
      const count = this.#counts.get(feature) ?? { votes: 0, pairs: 0 };
      count.votes++;
      if (known === undefined) count.pairs++;
      this.#counts.set(feature, count);
    }
    const learn = (posterior: Posterior) => posterior.learn(difference, won, weight);
    this.#late?.push(learn);
    if (this.isFitted) learn(this.#posterior);
  }

  /** Whether enough has come since the last fit to make another. */
  needsFit(others: readonly ServerTaste[]): boolean {
    const isOld = (now: number, then: number) => now - then >= Math.max(10, then / 20);
    return (
      !this.isFitted || isOld(this.votes, this.#fittedVotes) || isOld(totalOf(others), this.#othersVotes)
    );
  }

  /** A fit of all votes so far, to be made before the next begins. */
  begin(others: readonly ServerTaste[]): { readonly task: FitTask; readonly end: (fitted: Fitted) => void } {
    this.#late = [];
    const { votes } = this;
    const now = totalOf(others);
    const areKnown = this.#others !== null && now - this.#othersVotes < this.#othersVotes / 20;
    const [known, othersVotes] = areKnown ? [this.#others, this.#othersVotes] : [null, now];
    const given = known ?? others.filter((other) => other.votes > 0).map((other) => other.#ledger.soFar);
    return {
      task: { votes: this.#ledger.soFar, others: given },
      end: ({ found, phraseVariance, others }) => {
        this.#posterior = new Posterior(priorOf(others, phraseVariance), found);
        for (const learn of this.#late ?? []) learn(this.#posterior);
        this.#late = null;
        this.#others = others;
        this.#othersVotes = othersVotes;
        this.#fittedVotes = votes;
      },
    };
  }

  /** The phrases that were voted on here. */
  *effects(): Generator<Effect, void, void> {
    const posterior = this.#posterior;
    const [shared, sharedVariance] = [posterior.meanOf(LENGTH), posterior.varianceOf(LENGTH)];
    for (const [feature, { votes, pairs }] of this.#counts) {
      if (!isPhrase(feature)) continue;
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
}

const totalOf = (servers: readonly ServerTaste[]): number =>
  servers.reduce((sum, { votes }) => sum + votes, 0);
