import { openDiffusion } from "../../checkpoints/layouts/diffusion-files.js";
import {
  type Embedding,
  type EmbeddingChoice,
  openEmbeddings,
} from "../../checkpoints/layouts/embeddings.js";
import type { PromptMode } from "../../core/options.js";
import { clipTextConfig } from "../../models/clip-text.js";
import { NamedVectors } from "../tokenizers/named-vectors.js";
import { ClipTokenizer } from "../tokenizers/tokenizer.js";

/** What reads the prompts of an image model, embeddings included. */
export interface PromptReader {
  readonly tokenizer: ClipTokenizer;
  readonly embeddings: readonly Embedding[];
  /** The embeddings that the text encoder reads in some prompts, each once. */
  used(prompts: readonly string[], mode: PromptMode): readonly Embedding[];
  /** Sentences on embeddings that are left out. */
  readonly notes: readonly string[];
}

/**
 * Opens the tokenizer of a checkpoint with the embeddings that fit it.
 * @throws CheckpointError if the tokenizer's files are broken, or as `openEmbeddings` does
 */
export function openPromptReader(
  tokenizerFolder: string,
  checkpoint: string,
  choices: readonly EmbeddingChoice[],
): PromptReader {
  const plain = ClipTokenizer.open(tokenizerFolder);
  if (choices.length === 0) return { tokenizer: plain, embeddings: [], used: () => [], notes: [] };
  const config = openDiffusion(checkpoint).config("text_encoder", clipTextConfig);
  const { embeddings, notes } = openEmbeddings(choices, {
    width: config.hidden_size,
    isWord: (name) => plain.hasToken(name),
  });
  const named = new NamedVectors(embeddings, config.vocab_size);
  const tokenizer = ClipTokenizer.open(tokenizerFolder, named);
  const idsOf = (prompt: string, mode: PromptMode): readonly number[] =>
    mode === "diffusers"
      ? tokenizer.encode(prompt).ids
      : tokenizer.encodeWeighted(prompt).chunks.flatMap(({ ids }) => ids);
  return {
    tokenizer,
    embeddings,
    used: (prompts, mode) =>
      named.usedBy(prompts.flatMap((prompt) => idsOf(prompt, mode))).map((i) => embeddings[i]!),
    notes,
  };
}
