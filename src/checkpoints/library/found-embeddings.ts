import type { EmbeddingChoice } from "../layouts/embeddings.js";
import type { FoundModel } from "./find-models.js";

/** Embeddings that are offered; an embedding is read whole when a model loads. */
const FILES_MAX = 2000;
/** 75 vectors in fp32 have 230 kB; some programs save as much again of training. */
const BYTES_MAX = 2 ** 20;

/**
 * The embeddings in the folder of checkpoints and in other programs' folders, which prompts ask for by name though
 * nobody named the files. Those of other families are left out; whether one fits shows when it is read. They stand
 * behind the named ones, which win.
 */
export const embeddingsAmong = (models: readonly FoundModel[]): EmbeddingChoice[] =>
  models
    .filter(
      ({ kind, family, misfit, bytes }) =>
        kind === "embedding" && bytes <= BYTES_MAX && (misfit === null || family === null),
    )
    .slice(0, FILES_MAX)
    .map(({ path }) => ({ file: path, isFound: true }));
