/** What the image model can draw, where that is a short list. */
export class Subjects {
  /** How many there are. */
  readonly count: number;
  readonly #names: RegExp;

  /** @param subjects each subject's names */
  constructor(subjects: readonly (readonly string[])[]) {
    this.count = subjects.length;
    const names = subjects.flat().map((name) => name.replace(/[^\p{L}\p{N} -]/gu, ""));
    this.#names = new RegExp(`(?<![\\p{L}\\p{N}])(?:${names.join("|")})(?:e?s)?(?![\\p{L}\\p{N}])`, "iu");
  }

  /** Whether a prompt names at least one of them. */
  knows(prompt: string): boolean {
    return this.#names.test(prompt);
  }
}
