import { addedPhrases } from "../core/prompt-diff.js";
import type { Difference } from "./posterior.js";

/** A rewrite of a prompt, and how it was made. */
export interface Rewritten {
  readonly prompt: string;
  readonly rewrite: string;
  /** The search mode, or `given`. */
  readonly mode: string;
}

/** The feature of how many phrases were added: what a phrase brings that nothing else is known of. */
export const LENGTH = 0;

/** What a rewrite may have that its prompt lacks, each with its number. The numbers hold for one run of the program. */
export class Features {
  readonly #names = ["length"];
  readonly #numbers = new Map<string, number>();
  readonly #values = new Map<number, readonly number[]>();

  /**
   * What distinguishes the picture of a rewrite from that of its prompt: the phrases that were added, each once, how
   * many they are, and the way of rewriting. The style is around both, and what a judge says of a picture is an effect
   * of these, known only when it is drawn.
   */
  difference({ prompt, rewrite, mode }: Rewritten): Difference {
    const phrases = new Set(addedPhrases(prompt, rewrite).map(({ text }) => keyOf(text)));
    const features = [...phrases].map((phrase) => this.#number(`phrase ${phrase}`));
    return {
      features: [...features, LENGTH, this.#number(`mode ${mode}`)],
      values: this.#valuesOf(phrases.size),
    };
  }

  /** Shared by all pairs with as many phrases, of which there may be a hundred thousand. */
  #valuesOf(phrases: number): readonly number[] {
    const known = this.#values.get(phrases);
    if (known !== undefined) return known;
    const values = [...new Array<number>(phrases).fill(1), phrases, 1];
    this.#values.set(phrases, values);
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

const keyOf = (phrase: string): string => phrase.toLowerCase().replace(/\s+/g, " ").trim();
