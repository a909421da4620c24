import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ownLorasOf } from "../../checkpoints/layouts/catalog.js";
import { openDiffusion } from "../../checkpoints/layouts/diffusion-files.js";
import { fitsModel } from "../../checkpoints/layouts/lora.js";
import {
  type FoundModel,
  findModels,
  type Library,
  type LibraryOptions,
} from "../../checkpoints/library/find-models.js";
import { turboLoraAmong } from "../../checkpoints/library/found-turbo-lora.js";
import { upscalerAmong } from "../../checkpoints/library/found-upscaler.js";
import { findByName } from "../../checkpoints/library/resolve-names.js";
import { CheckpointError, codeOf, InputError } from "../../core/errors.js";
import type { KnownModels } from "../../core/known-models.js";
import { type ModelSet, modelKey, rewriterSetOf } from "../../core/model-set.js";
import { REWRITERS } from "../../core/rewriters.js";
import { LANCZOS } from "../../core/source.js";
import { chooseModels, type ModelChoice, type ModelWishes } from "./model-choice.js";

/** How long what was found counts as it is, and how long a command waits for a new look. */
const FRESH_MS = 5_000;
const WAIT_MS = 1_000;

/**
 * The models that jobs name, found among those that lie on this machine. The configured model is one of them,
 * under its own name.
 */
export class ModelSets {
  /** What is configured; jobs that name nothing use it. */
  readonly configured: ModelChoice;
  readonly #wishes: ModelWishes;
  readonly #library: LibraryOptions;
  readonly #names = new Map<string, string>();
  readonly #rewriters = new Map<string, string>();
  #known: { readonly models: KnownModels; readonly at: number } | undefined;
  #looking: Promise<KnownModels> | undefined;
  /** By path and size of an adapter, whether it fits the configured model. */
  readonly #fits = new Map<string, boolean>();

  /** @param configured what `wishes` choose */
  constructor(configured: ModelChoice, wishes: ModelWishes, library: LibraryOptions) {
    this.configured = configured;
    this.#wishes = wishes;
    this.#library = library;
  }

  /**
   * Finds the files of a set anew, since files come and go.
   * @throws InputError MODEL_GONE naming what is not there any more; CheckpointError for a file that can't be used
   */
  async choiceOf(set: ModelSet): Promise<ModelChoice> {
    const key = modelKey(set);
    if (key === "") return this.configured;
    const { models } = await this.#find();
    const pathOf = (name: string, kind: "checkpoint" | "lora"): string => {
      try {
        const found = findByName(models, name, kind);
        if (found !== undefined) return found.path;
        throw gone(name, kind);
      } catch (error) {
        throw error instanceof CheckpointError ? gone(name, kind, error) : error;
      }
    };
    const isConfigured = set.model === null || set.model === this.configured.diffusion.model;
    const { loras: configured = [] } = this.#wishes;
    const loras = set.loras
      .map(({ name, strength }) => ({ file: pathOf(name, "lora"), weight: strength }))
      // One that is configured has its own strength already.
      .filter(({ file }) => !configured.some((lora) => lora.file === file));
    const choice = chooseModels({
      ...this.#wishes,
      ...(isConfigured ? {} : { diffusion: pathOf(set.model, "checkpoint") }),
      loras: [...configured, ...loras],
    });
    this.#names.set(key, choice.diffusion.name);
    return choice;
  }

  /**
   * The file of an upscaler, which is looked for now; null for Lanczos, and where none is named and there is not one alone.
   * @throws InputError MODEL_GONE where it is not there any more
   */
  async upscaler(name: string | undefined): Promise<string | null> {
    if (name === LANCZOS) return null;
    const { models } = await findModels(this.#library);
    if (name === undefined) return upscalerAmong(models);
    const found = models.find(
      (model) => model.kind === "upscaler" && model.misfit === null && model.name === name,
    );
    if (found === undefined) throw gone(name, "upscaler");
    return found.path;
  }

  /**
   * The models with the rewriter that a set names, whose files are looked for now.
   * @throws InputError MODEL_GONE where they are not there; CheckpointError for files that can't be used
   */
  withRewriter({ model }: ModelSet): ModelChoice {
    if (model === null) return this.configured;
    const choice = chooseModels({ ...this.#wishes, rewriter: model });
    try {
      this.#rewriters.set(model, choice.promptist.name);
    } catch (error) {
      throw codeOf(error) === "CHECKPOINT_MISSING"
        ? gone(model, "rewriter", error as CheckpointError)
        : error;
    }
    return choice;
  }

  /** The names of the rewriters whose files are here. */
  rewriters(): string[] {
    return REWRITERS.map(({ name }) => name).filter((name) => {
      try {
        return this.withRewriter(rewriterSetOf({ rewriter: name })).promptist.bytes > 0;
      } catch (error) {
        // What is wrong with them is said where it is asked for.
        if (error instanceof InputError || error instanceof CheckpointError) return false;
        throw error;
      }
    });
  }

  /** The name of a rewriter's checkpoint; the rewriter's own until it is chosen. */
  rewriterName({ model }: ModelSet): string {
    return model === null ? this.configured.promptist.name : (this.#rewriters.get(model) ?? model);
  }

  /**
   * The models and LoRAs that fit, as they were found within the last seconds, or earlier where looking takes longer
   * than somebody who types a command waits.
   */
  async known(): Promise<KnownModels> {
    const known = this.#known;
    if (known !== undefined && performance.now() - known.at < FRESH_MS) return known.models;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    if (known === undefined) return this.#looking;
    return Promise.race([this.#looking, delay(WAIT_MS, known.models, { ref: false })]);
  }

  async #look(): Promise<KnownModels> {
    const { models } = await this.#find();
    const { model: own, directory } = this.configured.diffusion;
    const ownLoras = ownLorasOf(this.configured.diffusion);
    // What somebody put here comes first.
    const [others, belonging] = [false, true].map((belongs) =>
      models.filter(({ path }) => (dirname(path) === ownLoras) === belongs),
    );
    const fitting = models.filter(({ misfit }) => misfit === null);
    const namesOf = (kind: "checkpoint" | "lora" | "upscaler") => [
      ...new Set(
        fitting
          // The configured one is listed under the name that pictures have of it.
          .filter((found) => found.kind === kind && found.path !== directory)
          .map(({ name }) => name),
      ),
    ];
    const turbo = turboLoraAmong([...others!, ...belonging!], (model) => this.#fitsConfigured(model));
    const known = {
      own,
      models: [...new Set([own, ...namesOf("checkpoint")])],
      loras: namesOf("lora"),
      turbo,
      upscalers: namesOf("upscaler"),
    };
    this.#known = { models: known, at: performance.now() };
    return known;
  }

  /** Also what belongs to the configured model, unless that is not there; jobs that need it say so. */
  #find(): Promise<Library> {
    let ownLorasDir: string | null = null;
    try {
      ownLorasDir = ownLorasOf(this.configured.diffusion);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
    }
    return findModels({ ...this.#library, ownLorasDir });
  }

  #fitsConfigured({ path, bytes }: FoundModel): boolean {
    const key = `${path} ${bytes}`;
    const known = this.#fits.get(key);
    if (known !== undefined) return known;
    const fits = this.#lookInto(path);
    this.#fits.set(key, fits);
    return fits;
  }

  #lookInto(path: string): boolean {
    try {
      const files = openDiffusion(this.configured.diffusion.directory, this.configured.vae ?? null);
      const weights = (part: "unet" | "text_encoder") => files.weights(part, "fp32");
      return fitsModel(path, { unet: weights("unet"), text_encoder: weights("text_encoder") });
    } catch (error) {
      // Each job that would draw says what is wrong with the file.
      if (error instanceof CheckpointError) return false;
      throw error;
    }
  }

  /** The name of a set, with what is added to the model, for captions and metadata; as asked for until it is chosen. */
  nameOf(set: ModelSet): string {
    const key = modelKey(set);
    if (key === "") return this.configured.diffusion.name;
    const asked = [
      set.model ?? this.configured.diffusion.name,
      ...set.loras.map(({ name, strength }) => `${name}:${strength}`),
    ];
    return this.#names.get(key) ?? asked.join(" + ");
  }
}

/** @param why names that resemble it, or that it is the name of several */
function gone(
  name: string,
  kind: "checkpoint" | "lora" | "rewriter" | "upscaler",
  why?: CheckpointError,
): InputError {
  const what = { checkpoint: "model", lora: "LoRA", rewriter: "rewriter", upscaler: "upscaler" }[kind];
  const message =
    why?.message ?? `There is no ${what} "${name}" any more. promptist checkpoints list shows what is here.`;
  return new InputError("MODEL_GONE", message, { model: name, kind: what }, { cause: why });
}
