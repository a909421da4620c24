import { createHash } from "node:crypto";
import type { Candidate, ItemNote, Job } from "../core/job.js";
import { rewriterNameOf } from "../core/rewriters.js";
import type { Where } from "../core/settings.js";
import { seededRandom } from "../core/statistics/random.js";
import { choose } from "./choice.js";
import type { Difference } from "./posterior.js";
import type { Taste, Tastes } from "./tastes.js";

export interface RewriteChoiceOptions {
  readonly tastes: Tastes;
  /** Whether rewrites are chosen by taste there. */
  readonly isOn: (where: Where) => Promise<boolean>;
}

/** What was taken of the rewrites that a search found. */
export interface TakenRewrite {
  readonly rewrite: string;
  readonly note: Extract<ItemNote, { readonly code: "taste" }>;
}

/** Phrases that are named as the reason of a choice, of each kind. */
const REASONS_MAX = 3;

/** Takes one of the rewrites that a search found, by what the server likes. */
export class RewriteChoice {
  readonly #options: RewriteChoiceOptions;

  constructor(options: RewriteChoiceOptions) {
    this.#options = options;
  }

  /**
   * The rewrite to take of a job's prompt. Null where nothing is chosen: no server, taste is off there, or the search
   * found one alone. The same prompt of a job gets the same one while nothing new is learned. Throws QueueError.
   */
  async take(job: Job, prompt: string, candidates: readonly Candidate[]): Promise<TakenRewrite | null> {
    const { tastes, isOn } = this.#options;
    const { guildId } = job.origin;
    if (guildId === null || candidates.length < 2 || !(await isOn(job.origin))) return null;
    const taste = await tastes.now(guildId);
    const { mode } = job.text;
    const rewriter = rewriterNameOf(job.text);
    const options = candidates.map((candidate) => ({
      difference: taste.features.difference({ prompt, rewrite: candidate.text, mode, rewriter }),
      likelihood: likelihoodOf(candidate, candidates[0]!),
    }));
    const random = seededRandom(createHash("sha256").update(`${job.id} ${prompt}`).digest().readUInt32LE());
    const { index, greedy, propensities } = choose(options, taste.server.posterior, random);
    const [first, taken] = [options[0]!.difference, options[index]!.difference];
    return {
      rewrite: candidates[index]!.text,
      note: {
        code: "taste",
        isFirst: index === 0,
        explores: index !== greedy,
        propensity: propensities[index]!,
        liked: reasons(taste, taken, first, 1),
        disliked: reasons(taste, first, taken, -1),
      },
    };
  }
}

/**
 * How much less likely a rewrite is than the search's first, by the search's own score: a length-penalised sum of
 * log-probabilities. 0 for the first, -1 for one whose score is twice as bad. Samples have no score, and are alike.
 */
const likelihoodOf = ({ score }: Candidate, first: Candidate): number =>
  score === null || first.score === null || first.score === 0 ? 0 : 1 - score / first.score;

/** The phrases of one rewrite that the other lacks, whose effect has this sign; the largest first. */
function reasons({ server, features }: Taste, one: Difference, other: Difference, sign: 1 | -1): string[] {
  return one.features
    .filter((feature) => !other.features.includes(feature))
    .flatMap((feature) => {
      const phrase = features.phrase(feature);
      const effect = sign * server.posterior.logOdds({ features: [feature], values: [1] });
      return phrase === null || effect <= 0 ? [] : [{ phrase, effect }];
    })
    .sort((a, b) => b.effect - a.effect)
    .slice(0, REASONS_MAX)
    .map(({ phrase }) => phrase);
}
