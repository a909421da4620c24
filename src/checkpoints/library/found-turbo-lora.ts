import { basename, dirname } from "node:path";
import type { TurboLora } from "../../core/known-models.js";
import { repoOfCached } from "../layouts/hub-cache.js";
import type { FoundModel } from "./find-models.js";

/** Names of the LoRAs for few steps, best first; Hyper-SD's with guidance and those for other steps are not meant. */
const KINDS: readonly (readonly [TurboLora["kind"], RegExp])[] = [
  ["lcm", /(^|[^a-z])lcm([^a-z]|$)/i],
  ["hyper-sd", /hyper[-_ ]?sd.*(^|[^\d])8[-_ ]?steps?(?!.*cfg)/i],
];
/** A file's name that says nothing, as diffusers writes it; its folder is named instead. */
const PLAIN = /^(pytorch_lora_weights|adapter_model)\./i;

/**
 * The LoRA that turbo uses: an LCM-LoRA, else Hyper-SD's of 8 steps; of several one that fits, and then the first by
 * name. Null if there is none.
 * @param fits whether the adapter at a path has the shapes of the model that draws
 */
export function turboLoraAmong(
  models: readonly FoundModel[],
  fits: (model: FoundModel) => boolean,
): TurboLora | null {
  const found = KINDS.flatMap(([kind, pattern]) =>
    models
      .filter((model) => model.kind === "lora" && !model.broken && pattern.test(titleOf(model)))
      .map((model) => ({ name: model.name, kind, fits: model.misfit === null && fits(model) })),
  );
  return found.find((lora) => lora.fits) ?? found[0] ?? null;
}

function titleOf({ path }: FoundModel): string {
  const file = basename(path);
  const folder = basename(dirname(path));
  return PLAIN.test(file) || folder === "snapshots" ? (repoOfCached(path) ?? folder) : file;
}
