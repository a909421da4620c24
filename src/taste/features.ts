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

/** What a rewrite may have that its prompt lacks, each with its number. The numbers hold for one run of the program. */
export class Features {
  readonly #names = ["length"];
  readonly #numbers = new Map<string, number>();
  readonly #values = new Map<string, readonly number[]>();

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
    const writers = [this.#number(`rewriter ${rewriter}`)];
    if (against === undefined) writers.push(this.#number(`mode ${mode}`));
    else writers.push(this.#number(`rewriter ${against.rewriter}`));
    const phrases = [...gained, ...lost].map((phrase) => this.#number(`phrase ${phrase}`));
    return {
      features: [...phrases, LENGTH, ...writers],
      values: this.#valuesOf(gained.length, lost.length, against === undefined ? 1 : -1),
    };
  }

  /** Shared by all pairs with as many phrases, of which there may be a hundred thousand. */
  #valuesOf(gained: number, lost: number, last: 1 | -1): readonly number[] {
    const key = `${gained} ${lost} ${last}`;
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    const phrases = [...new Array<number>(gained).fill(1), ...new Array<number>(lost).fill(-1)];
    const values = [...phrases, gained - lost, 1, last];
    this.#values.set(key, values);
    return values;
  }

  /** The phrase that a feature is; null for the others. */
  phrase(feature: number): string | null {
    const name = this.#names[feature]!;
    return name.startsWith("phrase ") ? name.slice("phrase ".length) : null;
  }

  #number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#names.push(name) - 1;
    this.#numbers.set(name, number);
    return number;
  }
}

const phrasesOf = (prompt: string, text: string): ReadonlySet<string> =>
  new Set(addedPhrases(prompt, text).map(({ text }) => keyOf(text)));

const keyOf = (phrase: string): string => phrase.toLowerCase().replace(/\s+/g, " ").trim();
