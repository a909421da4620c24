import type { FoundModel } from "./find-models.js";

/** Path of the only upscaler on this machine; null where there is none, or a choice. */
export function upscalerAmong(models: readonly FoundModel[]): string | null {
  const [only, another] = models.filter(({ kind, misfit }) => kind === "upscaler" && misfit === null);
  return another === undefined ? (only?.path ?? null) : null;
}
