import type { ImageOptions, NamedLora } from "./options.js";

/** The weights that a picture is drawn with, by names; only one set is in use at a time. */
export interface ModelSet {
  /** Null: the configured model. */
  readonly model: string | null;
  readonly loras: readonly NamedLora[];
}

/** What a picture with these options needs to be loaded. */
export const modelSetOf = ({ model = "", loras = [] }: Pick<ImageOptions, "model" | "loras">): ModelSet => ({
  model: model === "" ? null : model,
  loras,
});

/**
 * The same text for the same set, to compare and to look up; empty for the configured model alone. LoRAs stay
 * in their order, since their sums are rounded in it.
 */
export const modelKey = ({ model, loras }: ModelSet): string =>
  model === null && loras.length === 0
    ? ""
    : JSON.stringify([model, ...loras.map(({ name, strength }) => [name, strength])]);
