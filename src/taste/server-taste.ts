import { isPhrase, LENGTH } from "./features.js";
import { type FitTask, type Fitted, type Others, PHRASE_DEVIATION, priorOf, weightOf } from "./fit.js";
import type { Ledger } from "./ledger.js";
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
  readonly #ledger: Ledger;
  readonly #number: number;
  /** The number of each voter, and how many votes it has. */
  readonly #voters = new Map<string, { readonly number: number; votes: number }>();
  readonly #counts = new Map<number, { votes: number; pairs: number }>();
  #posterior = new Posterior(priorOf(null, PHRASE_DEVIATION ** 2));
  #others: Others | null = null;
  #votes = 0;
  #fittedVotes = -1;
  #othersVotes = 0;
  /** The votes that came while a fit ran; null while none runs. */
  #late: ((posterior: Posterior) => void)[] | null = null;

  /** `ledger`: of all servers that learn from each other. */
  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#number = ledger.addServer();
  }

  /** How many votes it has learned from. */
  get votes(): number {
    return this.#votes;
  }

  get isFitted(): boolean {
    return this.#fittedVotes >= 0;
  }

  /** Learns from a vote. `read`: what the rewrite has and its prompt lacks; called for the first vote of a pair. */
  learn({ jobId, userId, won }: Voted, read: () => Difference): void {
    const known = this.#ledger.pairOf(jobId);
    const pair = known ?? this.#ledger.addPair(jobId, this.#number, read());
    const difference = this.#ledger.differenceOf(pair);
    const voter = this.#voters.get(userId) ?? { number: this.#ledger.addVoter(), votes: 0 };
    this.#voters.set(userId, voter);
    this.#ledger.add(pair, voter.number, won);
    this.#votes++;
    const weight = weightOf(++voter.votes);
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
  get needsFit(): boolean {
    const isOld = (now: number, then: number) => now - then >= Math.max(10, then / 20);
    return (
      !this.isFitted || isOld(this.#votes, this.#fittedVotes) || isOld(this.#otherVotes, this.#othersVotes)
    );
  }

  /** A fit of all votes so far, to be made before the next begins. */
  begin(): { readonly task: FitTask; readonly end: (fitted: Fitted) => void } {
    this.#late = [];
    const [votes, now] = [this.#votes, this.#otherVotes];
    const known = now - this.#othersVotes < this.#othersVotes / 20 ? this.#others : null;
    const othersVotes = known === null ? now : this.#othersVotes;
    return {
      task: { votes: this.#ledger.soFar, server: this.#number, others: known },
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

  get #otherVotes(): number {
    return this.#ledger.votes - this.#votes;
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
