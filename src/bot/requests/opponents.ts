import { InputError } from "../../core/errors.js";
import type { Opponent } from "../../core/job.js";
import type { TextOptions } from "../../core/options.js";
import { NO_REWRITER, rewriterNameOf, titleOf } from "../../core/rewriters.js";
import type { NewItem } from "../../db/queue.js";
import { type RewritingContext, readRewriting } from "./request.js";

/** Who writes the two texts of a pair, by name; null where nobody says so. */
export interface GivenSides {
  readonly rewriter: string | null;
  readonly against: string | null;
  /** What is said of the search, for both. */
  readonly search?: Partial<TextOptions>;
}

/** How the texts of a pair are made: the rewrite, and what stands in place of the prompt as written, if anything. */
export interface PairSides {
  readonly text: TextOptions;
  readonly against?: Pick<Opponent, "text" | "rewrite">;
}

/**
 * The sides of a pair: as they are named, else as the channel has them. `none` against a rewriter is the prompt as
 * written, on whichever side it is named. Throws InputError INPUT_AGAINST where both sides are one rewriter's, and
 * like `readRewriting`.
 */
export function readSides(given: GivenSides, context: RewritingContext, seed: number): PairSides {
  const text = readRewriting(given, context, seed);
  const opponent = readOpponent(given, context, seed);
  if (opponent === undefined) return { text };
  const [own, other] = [rewriterNameOf(text), rewriterNameOf(opponent.text)];
  if (own === NO_REWRITER) return { text: opponent.text };
  if (own !== other) return { text, against: opponent };
  // What a channel always compares with may well be named as the rewriter itself.
  if (given.against === null) return { text };
  throw new InputError(
    "INPUT_AGAINST",
    `Both sides would be ${titleOf(own)}'s. Choose another one for against.`,
    {
      rewriter: titleOf(own),
    },
  );
}

/** The opponent alone, of a rewrite that is there already; undefined for the prompt as written. */
export function readOpponent(
  { against, search = {} }: Omit<GivenSides, "rewriter">,
  context: RewritingContext,
  seed: number,
): PairSides["against"] {
  const text = readRewriting({ rewriter: against ?? context.against ?? NO_REWRITER, search }, context, seed);
  return rewriterNameOf(text) === NO_REWRITER ? undefined : { text, rewrite: null };
}

/** The part of a prompt that its opponent is. */
export const againstOf = (against: PairSides["against"]): Pick<NewItem, "against"> =>
  against === undefined ? {} : { against };

/** The same opponent, for another prompt. */
export const unwritten = (against: PairSides["against"]): PairSides["against"] =>
  against && { text: against.text, rewrite: null };
