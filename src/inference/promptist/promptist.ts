import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileGraph } from "../../checkpoints/compile.js";
import { openWeights } from "../../checkpoints/files/open.js";
import type { Weights } from "../../checkpoints/files/weights.js";
import { CheckpointError } from "../../core/errors.js";
import type { TextOptions } from "../../core/job.js";
import { type Gpt2Weights, gpt2Graph, gpt2Layout, parseGpt2Config } from "../../models/gpt2.js";
import type { Graph } from "../../onnx/graph.js";
import type { Device } from "../runtime/device.js";
import { Session } from "../runtime/session.js";
import { Gpt2Tokenizer } from "../tokenizers/tokenizer.js";
import { Decoder } from "./decoder.js";
import { type OptimizeHooks, type OptimizeModel, type OptimizeResult, optimizePrompts } from "./optimize.js";

export type { OptimizeHooks, OptimizeResult } from "./optimize.js";

export interface PromptistOptions {
  /** Checkpoint in Hugging Face's layout: config.json, weights, tokenizer files. */
  readonly directory: string;
  readonly device: Device;
  readonly weights: Gpt2Weights;
  /** Folder of compiled graphs. */
  readonly cacheDir: string;
  /** Threads of the CPU operators; 0 or none: as the runtime chooses. */
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
}

/** Buffers of the causal mask, which old checkpoints store with the weights. */
const MASK_BUFFERS = /(^|\.)h\.\d+\.attn\.(masked_)?bias$/;
const TIED_HEAD = /^lm_head\.weight$/;

/** Promptist in memory: a GPT-2 that rewrites plain prompts into ones that Stable Diffusion likes. */
export class Promptist {
  private constructor(
    private readonly session: Session,
    private readonly model: OptimizeModel,
    readonly info: PromptistInfo,
  ) {}

  /** Compiles the graph into the cache, or finds it there. Throws CheckpointError (files, tensors, architecture). */
  static async compile(options: PromptistOptions) {
    const { directory, device, weights, cacheDir } = options;
    const config = parseGpt2Config(readConfig(directory), directory);
    const tokenizer = Gpt2Tokenizer.open(directory);
    if (tokenizer.size > config.vocabulary) {
      throw new CheckpointError(
        "CHECKPOINT_ARCHITECTURE",
        `${directory}: the tokenizer knows ${tokenizer.size} tokens and the model ${config.vocabulary}; they do not belong together.`,
      );
    }
    const stored = openWeights(directory);
    const prefix = stored.names.some((name) => name.startsWith("transformer.")) ? "transformer." : "";
    const unused = config.tied ? [MASK_BUFFERS, TIED_HEAD] : [MASK_BUFFERS];
    const layout = gpt2Layout(weights, device.name);
    const graph = await compileGraph(gpt2Graph(config, layout, prefix, device.checked?.avoided), stored, {
      cacheDir,
      unused,
    });
    return { config, tokenizer, graph };
  }

  /** Loads a checkpoint. Throws CheckpointError (files, tensors, architecture) or InferenceError (device, memory). */
  static async open(options: PromptistOptions): Promise<Promptist> {
    const { device, weights, threads } = options;
    const { config, tokenizer, graph } = await Promptist.compile(options);
    const session = await Session.open("Promptist", graph, device, threads === undefined ? {} : { threads });
    const { layers, width, heads, vocabulary, positions } = config;
    const decoder = new Decoder(session, config);
    return new Promptist(
      session,
      { decoder, tokenizer, vocabulary, positions },
      { layers, width, heads, vocabulary, weights, weightBytes: graph.weightBytes, device: device.name },
    );
  }

  /**
   * Rewrites prompts; results are in their order. Gives way to the event loop after each token, so that `signal` can
   * be raised from a message. One call at a time: the cache holds one batch.
   * @throws InputError INPUT_EMPTY or INPUT_TOO_LONG; InferenceError; the signal's reason when it is aborted
   */
  optimize(
    prompts: readonly string[],
    settings: TextOptions,
    hooks: OptimizeHooks = {},
  ): Promise<OptimizeResult[]> {
    return optimizePrompts(this.model, prompts, settings, hooks);
  }

  /** Frees the model's memory. */
  release(): Promise<void> {
    return this.session.release();
  }
}

/** The graph of a checkpoint before it is compiled, for a look at what it reads. Throws CheckpointError. */
export function promptistGraph(directory: string): { graph: Graph; weights: Weights; unused: RegExp[] } {
  const config = parseGpt2Config(readConfig(directory), directory);
  const weights = openWeights(directory);
  const prefix = weights.names.some((name) => name.startsWith("transformer.")) ? "transformer." : "";
  const graph = gpt2Graph(config, gpt2Layout("fp32", "cpu"), prefix);
  return { graph, weights, unused: config.tied ? [MASK_BUFFERS, TIED_HEAD] : [MASK_BUFFERS] };
}

function readConfig(directory: string): unknown {
  const file = join(directory, "config.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new CheckpointError(
      "CHECKPOINT_MISSING",
      `${file} is not there; a checkpoint needs it beside the weights.`,
      {
        cause,
      },
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError("CHECKPOINT_CORRUPT", `${file} is not readable JSON; fetch it again.`, {
      cause,
    });
  }
}
