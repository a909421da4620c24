import { addedPhrases } from "../core/prompt-diff.js";
import type { Difference } from "./posterior.js";

/** A rewrite of a prompt, and how it was made. */
export interface Rewritten {
  readonly prompt: string;
  readonly rewrite: string;
  /** The search mode, or `given`. */
  readonly mode: string;
  /** Who wrote it, by name (core/rewriters.ts), or `given`. */
  readonly rewriter: string;
  /** The other side, where that is no prompt as written. */
  readonly against?: { readonly text: string; readonly rewriter: string };
}

/** The feature of how many phrases were added: what a phrase brings that nothing else is known of. */
export const LENGTH = 0;

/** Whether a feature is a phrase. Those of how a rewrite was made have numbers below LENGTH. */
export const isPhrase = (feature: number): boolean => feature > LENGTH;

/** What a rewrite may have that its prompt lacks, each with its number. The numbers hold for one run of the program. */
export class Features {
  readonly #phrases: string[] = [];
  readonly #phraseNumbers = new Map<string, number>();
  readonly #wayNumbers = new Map<string, number>();

  /**
   * What distinguishes the picture of a rewrite from that of its prompt, or of another rewrite: the phrases that were
   * added, each once, how many they are, who wrote it and by which search. Of two rewrites, what both have cancels out,
   * and what the other one alone has counts against it; both are searched for in the same mode. The style is around both
   * sides, and what a judge says of a picture is an effect of these, known only when it is drawn.
   */
  difference({ prompt, rewrite, mode, rewriter, against }: Rewritten): Difference {
    const [ours, theirs] = [phrasesOf(prompt, rewrite), phrasesOf(prompt, against?.text ?? prompt)];
    const gained = [...ours].filter((phrase) => !theirs.has(phrase));
    const lost = [...theirs].filter((phrase) => !ours.has(phrase));
    const ways = [this.#way(`rewriter ${rewriter}`)];
    if (against === undefined) ways.push(this.#way(`mode ${mode}`));
    else ways.push(this.#way(`rewriter ${against.rewriter}`));
    return {
      features: [...gained.map(this.#phrase), ...lost.map(this.#phrase), LENGTH, ...ways],
      values: [
        ...gained.map(() => 1),
        ...lost.map(() => -1),
        gained.length - lost.length,
        1,
        against === undefined ? 1 : -1,
      ],
    };
  }

  /** The phrase that a feature is; null for the others. */
  phrase(feature: number): string | null {
    return isPhrase(feature) ? this.#phrases[feature - 1]! : null;
  }

  readonly #phrase = (phrase: string): number => {
    const known = this.#phraseNumbers.get(phrase);
    if (known !== undefined) return known;
    const number = this.#phrases.push(phrase);
    this.#phraseNumbers.set(phrase, number);
    return number;
  };

  #way(name: string): number {
    const known = this.#wayNumbers.get(name) ?? -1 - this.#wayNumbers.size;
    this.#wayNumbers.set(name, known);
    return known;
  }
}

const phrasesOf = (prompt: string, text: string): ReadonlySet<string> =>
  new Set(addedPhrases(prompt, text).map(({ text }) => keyOf(text)));

const keyOf = (phrase: string): string => phrase.toLowerCase().replace(/\s+/g, " ").trim();
