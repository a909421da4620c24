import { compileGraph, extraNote } from "../../checkpoints/compile.js";
import type { Weights } from "../../checkpoints/files/weights.js";
import { openGpt2 } from "../../checkpoints/layouts/gpt2-files.js";
import { kindOf } from "../../core/devices.js";
import { CheckpointError } from "../../core/errors.js";
import type { TextOptions } from "../../core/options.js";
import { PROMPTIST, type PromptForm } from "../../core/rewriters.js";
import { type Gpt2Weights, gpt2Graph, gpt2Layout } from "../../models/gpt2.js";
import type { Graph } from "../../onnx/graph.js";
import type { Device } from "../runtime/device.js";
import { arithmeticOn } from "../runtime/device-check.js";
import { Session } from "../runtime/session.js";
import { Gpt2Tokenizer } from "../tokenizers/tokenizer.js";
import { Decoder } from "./decoder.js";
import { Pieces } from "./kept.js";
import { type OptimizeHooks, type OptimizeModel, type OptimizeResult, optimizePrompts } from "./optimize.js";

export type { OptimizeHooks, OptimizeResult } from "./optimize.js";

export interface PromptistOptions {
  /** Checkpoint in Hugging Face's layout: config.json, weights, tokenizer files. */
  readonly directory: string;
  /** Folder of the tokenizer's files; by default the checkpoint's. */
  readonly tokenizer?: string;
  /** Promptist's by default. */
  readonly form?: PromptForm;
  /** Whether rewrites keep the prompt, by the rule of kept.ts, instead of being transformers' text; false by default. */
  readonly keeps?: boolean;
  readonly device: Device;
  readonly weights: Gpt2Weights;
  /** Folder of compiled graphs. */
  readonly cacheDir: string;
  /** Threads of the CPU operators; 0 or none: the runtime chooses. */
  readonly threads?: number;
}

export interface PromptistInfo {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly weights: Gpt2Weights;
  readonly weightBytes: number;
  readonly device: string;
  /** Sentences about the checkpoint that stop nothing. */
  readonly notes: readonly string[];
}

/** A rewriter in memory, such as Promptist: a GPT-2 that turns plain prompts into ones that Stable Diffusion likes. */
export class Promptist {
  readonly #session: Session;
  readonly #model: OptimizeModel;

  private constructor(
    session: Session,
    model: OptimizeModel,
    readonly info: PromptistInfo,
  ) {
    this.#session = session;
    this.#model = model;
  }

  /**
   * Compiles the graph into the cache, or finds it there. Throws CheckpointError (files, tensors,
   * architecture).
   */
  static async compile(options: PromptistOptions) {
    const { directory, device, weights, cacheDir } = options;
    const files = openGpt2(directory);
    const { config } = files;
    const tokenizer = Gpt2Tokenizer.open(options.tokenizer ?? directory);
    if (tokenizer.size > config.vocab_size) {
      throw new CheckpointError(
        "CHECKPOINT_ARCHITECTURE",
        `${directory}: the tokenizer knows ${tokenizer.size} tokens and the model ${config.vocab_size}; they do not belong together.`,
      );
    }
    const graph = gpt2Graph(
      config,
      await arithmeticOn(device, "fp32"),
      gpt2Layout(weights, kindOf(device.name)),
    );
    const compiled = await compileGraph(graph, files.weights(), { cacheDir });
    const note = extraNote(directory, compiled.extra);
    return { config, tokenizer, compiled, notes: note === null ? [] : [note] };
  }

  /**
   * Loads a checkpoint. Throws CheckpointError (files, tensors, architecture) or InferenceError (device,
   * memory).
   */
  static async open(options: PromptistOptions): Promise<Promptist> {
    const { device, weights, threads, form = PROMPTIST.form, keeps = false } = options;
    const { config, tokenizer, compiled, notes } = await Promptist.compile(options);
    const session = await Session.open(
      "Promptist",
      compiled,
      device,
      threads === undefined ? {} : { threads },
    );
    const { n_layer: layers, n_embd: width, n_head: heads, vocab_size: vocabulary } = config;
    const decoder = new Decoder(session, config);
    return new Promptist(
      session,
      {
        decoder,
        tokenizer,
        vocabulary,
        positions: config.n_positions,
        form,
        pieces: keeps ? new Pieces(tokenizer.pieces()) : null,
      },
      {
        layers,
        width,
        heads,
        vocabulary,
        weights,
        weightBytes: compiled.weightBytes,
        device: device.name,
        notes,
      },
    );
  }

  /**
   * Rewrites prompts; results keep their order. Yields to the event loop after each token, so that a message
   * can abort `signal`. One call at a time: the cache holds one group.
   * @throws InputError INPUT_EMPTY; InferenceError; the signal's reason when it is aborted
   */
  optimize(
    prompts: readonly string[],
    settings: TextOptions,
    hooks: OptimizeHooks = {},
  ): Promise<OptimizeResult[]> {
    return optimizePrompts(this.#model, prompts, settings, hooks);
  }

  /** Frees the model's memory. */
  release(): Promise<void> {
    return this.#session.release();
  }
}

/**
 * The graph of a checkpoint before compilation, and its weights, to compare them. Throws CheckpointError.
 */
export function promptistGraph(directory: string): { graph: Graph; weights: Weights } {
  const { config, weights } = openGpt2(directory);
  return { graph: gpt2Graph(config, { float: "float32" }, gpt2Layout("fp32", "cpu")), weights: weights() };
}
