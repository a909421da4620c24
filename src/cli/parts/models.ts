import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { miniatureLine } from "../../bot/words/english/result.js";
import { ownSide } from "../../checkpoints/layouts/diffusion-files.js";
import { type FoundModel, findAtStart } from "../../checkpoints/library/find-models.js";
import { embeddingsAmong } from "../../checkpoints/library/found-embeddings.js";
import { tinyDecoderAmong } from "../../checkpoints/library/found-tiny-decoder.js";
import { type ModelNames, resolveNames } from "../../checkpoints/library/resolve-names.js";
import type { Config } from "../../config.js";
import { InputError } from "../../core/errors.js";
import type { Phase } from "../../core/job.js";
import type { TurboLora } from "../../core/known-models.js";
import { modelKey, modelSetOf } from "../../core/model-set.js";
import { type ImageOptions, type PictureSize, SIDE_FACTOR, showSize } from "../../core/options.js";
import { checkMemory } from "../../core/picture-memory.js";
import { mostPixels } from "../../inference/diffusion/size-limit.js";
import { type GpuLease, GpuLock } from "../../inference/loop/gpu-lock.js";

import {
  chooseModels,
  type ModelChoice,
  type ModelWishes,
  miniaturePhases,
  type PictureTool,
  startToolWorker,
  startWorker,
} from "../../inference/loop/model-choice.js";
import type { ModelHost } from "../../inference/loop/model-host.js";
import { ModelSets } from "../../inference/loop/model-sets.js";
import type { ImageFlags, TextFlags } from "./options.js";
import type { Output } from "./output.js";

/** Pictures of one set of models. */
export interface Drawing {
  /** The set's name, for captions and metadata. */
  readonly checkpoint: string;
  readonly indexes: readonly number[];
  /** Whether no other set comes after it. */
  readonly isLast: boolean;
}

/**
 * Runs the models for the command line in the same workers as the bot, one phase at a time under the same
 * lock. Ctrl+C ends them.
 */
export class Models {
  readonly choice: ModelChoice;
  readonly #wishes: ModelWishes;
  /** The models and LoRAs of this machine, beside those of the command line. */
  readonly sets: ModelSets;
  readonly #gpu = new GpuLock();
  readonly #abort = new AbortController();

  /**
   * Chooses the models that the flags and the configuration name, by path or by name. Throws CheckpointError
   * CHECKPOINT_MISSING for a name that is not clear, InputError INPUT_OPTION for an embedding that is not there.
   */
  static async open(config: Config, output: Output, flags: Partial<TextFlags & ImageFlags>): Promise<Models> {
    if (flags.model !== undefined && flags.diffusion !== undefined)
      throw new InputError("INPUT_OPTION", "--model and --diffusion name the same; give one of them.");
    const named = await resolveNames(
      {
        promptist: flags.promptist ?? (config.PROMPTIST_CHECKPOINT || undefined),
        diffusion: flags.model ?? flags.diffusion ?? (config.DIFFUSION_CHECKPOINT || undefined),
        vae: flags.vae ?? (config.VAE || undefined),
        loras: flags.lora ?? [],
        embeddings: flags.embedding ?? [],
      },
      config,
    );
    for (const { file } of named.embeddings)
      if (!existsSync(file)) {
        const message = `--embedding takes FILE or FILE:NAME, and there is no ${file}.`;
        throw new InputError("INPUT_OPTION", message);
      }
    return new Models(config, output, flags, named, await findAtStart(config));
  }

  private constructor(
    config: Config,
    readonly output: Output,
    flags: Partial<TextFlags & ImageFlags>,
    { promptist, diffusion, vae, loras, embeddings }: ModelNames,
    found: readonly FoundModel[],
  ) {
    this.#wishes = {
      checkpointsDir: config.checkpointsDir,
      miniatureDir: config.miniatureDir,
      hubCacheDir: config.hubCacheDir,
      promptist,
      rewriter: flags.rewriter ?? config.REWRITER,
      keepPrompt: flags.keepPrompt ?? config.KEEP_PROMPT,
      diffusion,
      clip: config.CLIP_CHECKPOINT || undefined,
      loras: (loras ?? []).map((lora) => ({ ...lora, file: resolve(lora.file) })),
      embeddings: [
        ...(embeddings ?? []).map((choice) => ({ ...choice, file: resolve(choice.file) })),
        ...config.embeddings.map((file) => ({ file })),
        ...embeddingsAmong(found),
      ],
      vae,
      clipSkip: flags.clipSkip ?? config.CLIP_SKIP,
      tinyDecoder: tinyDecoderAmong(found, config),
      decoder: flags.decoder ?? config.DECODER,
      device: flags.device ?? config.DEVICE,
      textDevice: flags.device === undefined ? config.TEXT_DEVICE : "auto",
      weights: flags.weights ?? config.PROMPTIST_WEIGHTS,
      precision: flags.precision ?? config.DIFFUSION_PRECISION,
      memory: config.DEVICE_MEMORY,
      cacheDir: config.cacheDir,
      threads: config.THREADS,
    };
    this.choice = chooseModels(this.#wishes);
    this.sets = new ModelSets(this.choice, this.#wishes, config);
    process.once("SIGINT", () => this.#abort.abort());
  }

  /** What speed turbo uses; null where there is none. */
  async turboLora(): Promise<TurboLora | null> {
    return (await this.sets.known()).turbo ?? null;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Loads the model of `phase`, passes it to `work`, and ends its process before returning.
   * @param onClosed is told the process' peak resident memory, 0 if it is unknown
   * @param choice the models; those of the command line by default
   */
  async withModel<T>(
    phase: Phase,
    work: (host: ModelHost) => Promise<T>,
    onClosed?: (peakBytes: number) => void,
    choice = this.choice,
  ): Promise<T> {
    return this.#withHost((lease) => this.#start(choice, phase, lease), work, onClosed);
  }

  /** Like `withModel`, for the text phase with one of several rewriters. */
  async withRewriter<T>(name: string, work: (host: ModelHost) => Promise<T>): Promise<T> {
    const choice = name === this.#wishes.rewriter ? this.choice : this.choiceOf(name);
    return this.#withHost((lease) => this.#start(choice, "text", lease), work);
  }

  /** The same models with another rewriter. Throws InputError INPUT_REWRITER. */
  choiceOf(rewriter: string): ModelChoice {
    return chooseModels({ ...this.#wishes, rewriter });
  }

  #start(choice: ModelChoice, phase: Phase, lease: GpuLease): Promise<ModelHost> {
    const onNote = (note: string) => this.output.say(`Note: ${note}`);
    return startWorker(choice, phase, lease, { signal: this.signal, onNote });
  }

  /** What draws with these options, and its name for captions and metadata. Throws InputError MODEL_GONE. */
  async drawing(
    image: Pick<ImageOptions, "model" | "loras">,
  ): Promise<{ choice: ModelChoice; checkpoint: string }> {
    const set = modelSetOf(image);
    const choice = await this.sets.choiceOf(set);
    return { choice, checkpoint: this.sets.nameOf(set) };
  }

  /**
   * Loads the models that pictures are drawn with, one after the other, and passes each to `work` with the pictures
   * that are its own. Answers what `work` made with the last one.
   */
  async withModelsOf<T>(
    images: readonly ImageOptions[],
    work: (host: ModelHost, drawing: Drawing) => Promise<T>,
  ): Promise<T> {
    const groups = new Map<string, number[]>();
    for (const [index, image] of images.entries()) {
      const key = modelKey(modelSetOf(image));
      groups.set(key, [...(groups.get(key) ?? []), index]);
    }
    let made: Promise<T> | undefined;
    for (const [at, indexes] of [...groups.values()].entries()) {
      const { choice, checkpoint } = await this.drawing(images[indexes[0]!]!);
      const drawing = { checkpoint, indexes, isLast: at === groups.size - 1 };
      made = this.#withHost(
        (lease) => this.#start(choice, "image", lease),
        (host) => work(host, drawing),
      );
      await made;
    }
    if (made === undefined) throw new Error("No picture is asked for");
    return made;
  }

  /** Like `withModel`, but loads only the judges or an upscaler. */
  async withTool<T>(tool: PictureTool, work: (host: ModelHost) => Promise<T>): Promise<T> {
    return this.#withHost(
      (lease) => startToolWorker(tool, this.choice, lease, { signal: this.signal }),
      work,
    );
  }

  async #withHost<T>(
    open: (lease: GpuLease) => Promise<ModelHost>,
    work: (host: ModelHost) => Promise<T>,
    onClosed?: (peakBytes: number) => void,
  ): Promise<T> {
    return this.#gpu.withGpu(async (lease) => {
      const host = await open(lease);
      try {
        return await work(host);
      } finally {
        const { peakBytes } = await host.close();
        onClosed?.(peakBytes);
      }
    }, this.signal);
  }

  /**
   * Refuses sizes that do not fit into memory, before anything is loaded, and warns on stderr of one that takes long
   * and seldom looks right; on one's own machine it is drawn. Null: the checkpoint's own size.
   * @throws InputError INPUT_MEMORY
   */
  async checkSizes(sizes: readonly (PictureSize | null)[]): Promise<void> {
    const { diffusion, vae = null, device, precision, memory = null } = this.choice;
    const { directory } = diffusion;
    const own = ownSide(directory, vae);
    const most = await mostPixels({ directory, vae, device, precision, memory });
    for (const size of sizes) checkMemory(size ?? { width: own, height: own }, most);
    const large = sizes.find(
      (size) => size !== null && Math.max(size.width, size.height) > SIDE_FACTOR * own,
    );
    if (!large) return;
    this.output.say(
      `Note: ${showSize(large)} is more than twice this checkpoint's own ${own}x${own}, so it takes long and may show its subject several times.`,
    );
  }

  /** Tells the user on stderr that a miniature is in use; returns the same for the JSON result. */
  noteMiniature(phases: readonly Phase[]): { miniature: boolean; note: string | null } {
    const note = miniatureLine(miniaturePhases(this.choice, phases));
    if (note) this.output.say(`Note: ${note}.`);
    return { miniature: note !== null, note };
  }
}
