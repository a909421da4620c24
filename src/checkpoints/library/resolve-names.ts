import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CheckpointError } from "../../core/errors.js";
import { nearestNames } from "../../core/nearest.js";
import type { EmbeddingChoice } from "../layouts/embeddings.js";
import type { ModelKind } from "../layouts/kinds.js";
import type { LoraChoice } from "../layouts/lora.js";
import { type FoundModel, findModels, type LibraryOptions } from "./find-models.js";

/** Models as a person named them: paths, or names of what `findModels` finds. */
export interface ModelNames {
  readonly promptist?: string | undefined;
  readonly diffusion?: string | undefined;
  readonly vae?: string | undefined;
  readonly upscaler?: string | undefined;
  readonly loras?: readonly LoraChoice[];
  readonly embeddings?: readonly EmbeddingChoice[];
}

const TITLES = {
  checkpoint: "checkpoint",
  lora: "LoRA",
  vae: "VAE",
  embedding: "embedding",
  rewriter: "Promptist",
  upscaler: "upscaler",
} as const;
type NamedKind = keyof typeof TITLES & ModelKind;

/**
 * Replaces names by paths. A path that exists stays as it is; only for others the folders are looked through.
 * What is not found stays too, for the reader of that kind of model to refuse.
 * @throws CheckpointError CHECKPOINT_MISSING for a name that several models have, or that only resembles one
 */
export async function resolveNames<T extends ModelNames>(names: T, options: LibraryOptions): Promise<T> {
  const { promptist, diffusion, vae, upscaler, loras, embeddings } = names;
  const given = [
    promptist,
    diffusion,
    vae,
    upscaler,
    ...[...(loras ?? []), ...(embeddings ?? [])].map(({ file }) => file),
  ];
  if (given.every((name) => name === undefined || existsSync(resolve(name)))) return names;
  const { models } = await findModels(options);
  const path = (name: string | undefined, kind: NamedKind) =>
    name === undefined || existsSync(resolve(name)) ? name : (findByName(models, name, kind)?.path ?? name);
  return {
    ...names,
    promptist: path(promptist, "rewriter"),
    diffusion: path(diffusion, "checkpoint"),
    vae: path(vae, "vae"),
    ...(upscaler !== undefined && { upscaler: path(upscaler, "upscaler") }),
    ...(loras && { loras: loras.map((lora) => ({ ...lora, file: path(lora.file, "lora")! })) }),
    ...(embeddings && {
      embeddings: embeddings.map((choice) => ({ ...choice, file: path(choice.file, "embedding")! })),
    }),
  };
}

/**
 * The model of a kind with a name: its file's, with or without the end and with any of the folders before it, in
 * any case. A1111's hash behind it does not matter. Undefined if there is none.
 * @throws CheckpointError CHECKPOINT_MISSING for a name that several models have, or that only resembles one
 */
export function findByName(
  models: readonly FoundModel[],
  name: string,
  kind: NamedKind,
): FoundModel | undefined {
  const wanted = name
    .trim()
    .replace(/ \[[0-9a-f]{6,64}\]$/i, "")
    .replaceAll("\\", "/");
  const ofKind = models.filter((model) => model.kind === kind);
  // A file that cannot be read has no kind; its reader says why.
  const broken = models.filter((model) => model.broken);
  for (const some of [ofKind, broken])
    for (const same of [isNamed, isNamedLoosely]) {
      const found = some.filter((model) => same(model, wanted));
      if (found.length > 1) throw ambiguous(name, kind, found);
      if (found[0] !== undefined) return found[0];
    }
  const near = nearestNames(
    ofKind.map((model) => model.name),
    wanted.replace(END, ""),
  );
  if (near.length === 0) return undefined;
  throw new CheckpointError(
    "CHECKPOINT_MISSING",
    `There is no ${TITLES[kind]} "${name}". Did you mean ${near.join(" or ")}? promptist checkpoints list shows all.`,
  );
}

const END = /\.(safetensors|sft|ckpt|pt|pth|bin|gguf)$/i;

/** Whether a model's path ends in the name, from the beginning of a folder or file on. */
function isNamed({ path, name }: Pick<FoundModel, "path" | "name">, wanted: string): boolean {
  const whole = `/${path.replaceAll("\\", "/")}`;
  return [whole, whole.replace(END, ""), `/${name}`].some((it) => it.endsWith(`/${wanted}`));
}

const isNamedLoosely = ({ path, name }: FoundModel, wanted: string): boolean =>
  isNamed({ path: path.toLowerCase(), name: name.toLowerCase() }, wanted.toLowerCase());

/** Models that a message lists. */
const MAX_LISTED = 10;

function ambiguous(name: string, kind: NamedKind, found: readonly FoundModel[]): CheckpointError {
  const lines = found.slice(0, MAX_LISTED).map(({ path }) => `\n  ${path}`);
  const more = found.length > MAX_LISTED ? `\n  and ${found.length - MAX_LISTED} more` : "";
  return new CheckpointError(
    "CHECKPOINT_MISSING",
    `"${name}" is the name of ${found.length} files, each a ${TITLES[kind]}. Name one by its folder too, or by its path:${lines.join("")}${more}`,
  );
}
