/** An embedding as a tokenizer sees it. */
export interface NamedEmbedding {
  /** What it is called by in prompts. */
  readonly names: readonly string[];
  readonly vectors: { readonly length: number };
}

/**
 * The tokens of embeddings. Each vector is one, numbered from `firstId` on: of an embedding `cat` of three vectors
 * they are called `cat`, `cat_1` and `cat_2`, as in diffusers, and `cat` in a prompt stands for all three.
 */
export class NamedVectors {
  readonly #starts = new Map<number, number>();
  /** By their names, normalized as the tokenizer does with a text. */
  readonly tokens: readonly { readonly id: number; readonly content: string }[];
  readonly #embeddings: readonly NamedEmbedding[];
  readonly #firstId: number;

  constructor(embeddings: readonly NamedEmbedding[], firstId: number) {
    this.#embeddings = embeddings;
    this.#firstId = firstId;
    const tokens = new Map<string, number>();
    let id = firstId;
    for (const { names, vectors } of embeddings) {
      this.#starts.set(id, vectors.length);
      for (const name of names)
        for (let i = 0; i < vectors.length; i++) {
          const content = normalized(i === 0 ? name : `${name}_${i}`);
          if (!tokens.has(content)) tokens.set(content, id + i);
        }
      id += vectors.length;
    }
    this.tokens = [...tokens].map(([content, id]) => ({ id, content }));
  }

  /** The tokens that a token stands for. */
  unit(id: number): number[] {
    const length = this.#starts.get(id) ?? 1;
    return Array.from({ length }, (_, i) => id + i);
  }

  /** The positions of the embeddings that these tokens belong to, in order. */
  usedBy(ids: Iterable<number>): number[] {
    const used = new Set(ids);
    let id = this.#firstId;
    return this.#embeddings.flatMap(({ vectors }, i) => {
      const own = this.unit(id);
      id += vectors.length;
      return own.some((one) => used.has(one)) ? [i] : [];
    });
  }
}

export const NOTHING_NAMED = new NamedVectors([], Number.MAX_SAFE_INTEGER);

/** As CLIP's tokenizer normalizes a text before it looks for such tokens. */
const normalized = (text: string): string =>
  text
    .normalize("NFC")
    .replace(/\p{White_Space}+/gu, " ")
    .replaceAll("Σ", "σ")
    .toLowerCase();
