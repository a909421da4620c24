import { nearestNames } from "../../../core/nearest.js";

/** How many are named to somebody whose prompt has none of them. */
const TRIED = 3;

/** A pattern for the name and its regular plurals: fox, foxes; butterfly, butterflies. */
const oneOrMany = (name: string) =>
  /[^aeiou]y$/i.test(name) ? `${name.slice(0, -1)}(?:y|ies)` : `${name}(?:e?s)?`;

/** What the image model can draw, where that is a short list. */
export class Subjects {
  /** How many there are. */
  readonly count: number;
  /** The usual name of each, and of each name the usual one. */
  readonly #usual: readonly string[];
  readonly #usualOf: ReadonlyMap<string, string>;
  readonly #names: RegExp;

  /** @param subjects each subject's names, the usual one first */
  constructor(subjects: readonly (readonly string[])[]) {
    this.count = subjects.length;
    this.#usual = subjects.flatMap(([usual]) => usual ?? []);
    this.#usualOf = new Map(
      subjects.flatMap((names) => names.map((name) => [name.toLowerCase(), names[0]!] as const)),
    );
    const names = subjects.flat().map((name) => oneOrMany(name.replace(/[^\p{L}\p{N} -]/gu, "")));
    this.#names = new RegExp(`(?<![\\p{L}\\p{N}])(?:${names.join("|")})(?![\\p{L}\\p{N}])`, "iu");
  }

  /** Whether a prompt names at least one of them. */
  knows(prompt: string): boolean {
    return this.#names.test(prompt);
  }

  /**
   * What was typed with its last words completed to a subject: those whose names begin so; where nothing was typed, some of
   * every kind.
   *
   * @param count at most so many
   */
  complete(typed: string, count: number): string[] {
    if (typed.trim() === "") {
      const step = Math.max(1, Math.floor(this.count / count));
      return this.#usual.filter((_, i) => i % step === 0).slice(0, count);
    }
    const words = [...typed.matchAll(/(?<![\p{L}\p{N}])[\p{L}\p{N}]/gu)].map(({ index }) => index);
    // The longest end of the text first: "hot d" is a hot dog before it is a dog.
    const completed = words.flatMap((at) => {
      const [before, wanted] = [typed.slice(0, at), typed.slice(at).toLowerCase()];
      return [...this.#usualOf.keys()]
        .filter((name) => name.startsWith(wanted))
        .map((name) => `${before}${name}`);
    });
    return [...new Set(completed)].slice(0, count);
  }

  /** Some to try instead: those whose names a word of the prompt resembles first, then any, others for each prompt. */
  near(prompt: string): string[] {
    const words = prompt.match(/\p{L}{4,}/gu) ?? [];
    const meant = words
      .flatMap((word) => nearestNames([...this.#usualOf.keys()], word))
      .map((name) => this.#usualOf.get(name)!);
    const start = [...prompt].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0);
    // Far from each other in the list, where neighbours are of one kind, such as faces.
    const any = Array.from({ length: TRIED }, (_, i) => {
      const place = start + Math.floor((i * this.count) / TRIED);
      return this.#usual[place % this.count]!;
    });
    return [...new Set([...meant, ...any])].slice(0, TRIED);
  }
}
