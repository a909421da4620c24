import type { ImageOptions, NamedLora, TextOptions } from "./options.js";
import { PROMPTIST, rewriterNameOf } from "./rewriters.js";

/** The weights that a picture is drawn with, or a prompt is rewritten with, by names. */
export interface ModelSet {
  /** A checkpoint, or in the text phase a rewriter. Null: the configured model, or Promptist. */
  readonly model: string | null;
  readonly loras: readonly NamedLora[];
}

/** The configured model, in both phases. */
export const CONFIGURED_SET: ModelSet = Object.freeze({ model: null, loras: [] });

/** What a picture with these options needs to be loaded. */
export const modelSetOf = ({ model = "", loras = [] }: Pick<ImageOptions, "model" | "loras">): ModelSet => ({
  model: model === "" ? null : model,
  loras,
});

/** What a rewrite with these options needs to be loaded. */
export function rewriterSetOf(text: Pick<TextOptions, "rewriter">): ModelSet {
  const name = rewriterNameOf(text);
  return { model: name === PROMPTIST.name ? null : name, loras: [] };
}

/**
 * The same text for the same set, to compare and to look up; empty for the configured model alone. LoRAs stay
 * in their order, since their sums are rounded in it.
 */
export const modelKey = ({ model, loras }: ModelSet): string =>
  model === null && loras.length === 0
    ? ""
    : JSON.stringify([model, ...loras.map(({ name, strength }) => [name, strength])]);
