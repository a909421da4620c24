import { type CompiledGraph, compileGraph, extraNote } from "../../checkpoints/compile.js";
import type { Weights } from "../../checkpoints/files/weights.js";
import {
  type DiffusionFiles,
  type DiffusionPart,
  openDiffusion,
  sampleSizeOf,
  vaeScaleFactorOf,
} from "../../checkpoints/layouts/diffusion-files.js";
import { type LoraChoice, mergeLoras } from "../../checkpoints/layouts/lora.js";
import { CheckpointError, InferenceError, InputError } from "../../core/errors.js";
import type { Precision } from "../../core/options.js";
import { type ClipTextConfig, clipText, clipTextConfig, type TextStates } from "../../models/clip-text.js";
import { type UnetConfig, unet, unetConfig } from "../../models/unet.js";
import { VAE_ENCODER, type VaeConfig, vaeConfig, vaeDecoder } from "../../models/vae-decoder.js";
import type { Arithmetic, Graph } from "../../onnx/graph.js";
import type { Device } from "../runtime/device.js";
import { arithmeticOn } from "../runtime/device-check.js";
import type { AttentionSize } from "../runtime/operator-forms.js";
import { type FixedPrecision, floatOf, precisionOn } from "../runtime/precision.js";
import { type Outputs, Session, Tensor } from "../runtime/session.js";
import type { DiffusionConfig, DiffusionModel, LatentShape } from "./model.js";

export interface StableDiffusionOptions {
  /** Absolute path of a folder in diffusers' layout, or of a single-file checkpoint. */
  readonly directory: string;
  /** A folder or file whose VAE replaces the checkpoint's own; null for none. */
  readonly vae?: string | null;
  /** Last layers of the text encoder to leave out, as diffusers' `clip_skip`. */
  readonly clipSkip?: number;
  /**
   * Vectors of embeddings, each with hidden_size values, for the token ids from the vocabulary's size on. Their
   * number changes no graph.
   */
  readonly vectors?: readonly Float32Array[];
  /** Adapters to merge into the weights. */
  readonly loras?: readonly LoraChoice[];
  readonly device: Device;
  readonly precision: Precision;
  readonly cacheDir: string;
  /** 0: the runtime chooses. */
  readonly threads: number;
}

/** A diffusers folder of the Stable Diffusion 1.x and 2.x family, compiled and on its device. */
export class StableDiffusion implements DiffusionModel {
  readonly #text: ClipTextConfig;
  readonly #vectors: readonly Float32Array[];
  readonly #sessions: {
    readonly text: Session<"states" | "skipped">;
    readonly unet: Session<"noise">;
    readonly vae: Session<"image">;
  };

  private constructor(
    readonly config: DiffusionConfig,
    readonly precision: FixedPrecision,
    readonly arithmetic: Arithmetic,
    readonly weightBytes: number,
    /** Sentences about the checkpoint that stop nothing. */
    readonly notes: readonly string[],
    { text, vectors }: Pick<Parts, "text" | "vectors">,
    sessions: {
      readonly text: Session<"states" | "skipped">;
      readonly unet: Session<"noise">;
      readonly vae: Session<"image">;
    },
  ) {
    this.#text = text;
    this.#vectors = vectors;
    this.#sessions = sessions;
  }

  /**
   * Reads the folder, compiles its three graphs (or reuses earlier ones) and loads them.
   * @throws CheckpointError if the folder is not such a model; InferenceError if it does not fit the device.
   */
  static async open(options: StableDiffusionOptions): Promise<StableDiffusion> {
    const { device, threads } = options;
    const { parts, precision, arithmetic, graphs: compiled, notes } = await StableDiffusion.compile(options);

    const opened: Session[] = [];
    const load = async <Output extends string>(name: string, graph: CompiledGraph) => {
      const session = await Session.open<Output>(name, graph, device, { threads });
      opened.push(session);
      return session;
    };
    try {
      const sessions = {
        text: await load<"states" | "skipped">("the text encoder", compiled.text),
        unet: await load<"noise">("the UNet", compiled.unet),
        vae: await load<"image">("the VAE decoder", compiled.vae),
      };
      const weightBytes = Object.values(compiled).reduce((sum, graph) => sum + graph.weightBytes, 0);
      return new StableDiffusion(configOf(parts), precision, arithmetic, weightBytes, notes, parts, sessions);
    } catch (error) {
      await Promise.all(opened.map((session) => session.release()));
      throw error;
    }
  }

  /**
   * Compiles the three graphs into the cache, or finds them there.
   * @throws CheckpointError if the folder is not such a model, or a LoRA does not belong to it
   */
  static async compile(options: StableDiffusionOptions) {
    const { directory, device } = options;
    const parts = readParts(options);
    const precision = precisionOn(device, options.precision);
    const arithmetic = await arithmeticOn(device, floatOf(precision), attentionSizes(parts));
    const { graphs, notes: loraNotes } = await compileParts(parts, arithmetic, { ...options, precision });
    const extra = Object.values(graphs).flatMap((graph) => graph.extra);
    const notes = [...parts.files.notes(), extraNote(directory, extra), ...loraNotes].filter(
      (note) => note !== null,
    );
    return { parts, precision, arithmetic, graphs, notes };
  }

  async encodeText(ids: readonly (readonly number[])[], prompt?: number): Promise<TextStates> {
    const { maxTokens } = this.config;
    const wrong = ids.find((row) => row.length !== maxTokens);
    if (wrong !== undefined)
      throw new InferenceError("INTERNAL", `a row of ${wrong.length} tokens, not ${maxTokens}`);
    const tensor = new Tensor("int32", Int32Array.from(ids.flat()), [ids.length, maxTokens]);
    const { states, skipped }: Partial<Outputs<"skipped">> & Outputs<"states"> =
      await this.#sessions.text.run({ ids: tensor, ...this.#vectorsOf(tensor) });
    const data = states.data as Float32Array;
    // The graph has the second output only where some layers are skipped.
    if (skipped !== undefined && prompt !== undefined) {
      const start = (prompt * data.length) / ids.length;
      data.set((skipped.data as Float32Array).subarray(start), start);
    }
    return { data, shape: states.dims };
  }

  /** The inputs `kept` and `vectors` for ids [B, T], whose ids of embeddings become 0; none without embeddings. */
  #vectorsOf({ data, dims }: Tensor): Record<string, Tensor> {
    if (this.#vectors.length === 0) return {};
    const { vocab_size: words, hidden_size: C } = this.#text;
    const ids = data as Int32Array;
    const kept = new Float32Array(ids.length).fill(1);
    const vectors = new Float32Array(ids.length * C);
    for (const [i, id] of ids.entries()) {
      if (id < words) continue;
      const vector = this.#vectors[id - words];
      if (vector === undefined) throw new InferenceError("INTERNAL", `there is no token ${id}`);
      vectors.set(vector, i * C);
      kept[i] = 0;
      ids[i] = 0;
    }
    return {
      kept: new Tensor("float32", kept, [...dims, 1]),
      vectors: new Tensor("float32", vectors, [...dims, C]),
    };
  }

  async predictNoise(
    latents: Float32Array,
    shape: LatentShape,
    timestep: number,
    text: TextStates,
  ): Promise<Float32Array> {
    const { noise } = await this.#sessions.unet.run({
      latents: new Tensor("float32", latents, shape),
      timestep: new Tensor("float32", [timestep], [1]),
      text: new Tensor("float32", text.data, text.shape),
    });
    return noise.data as Float32Array;
  }

  async decode(latents: Float32Array, shape: LatentShape): Promise<Float32Array> {
    const { image } = await this.#sessions.vae.run({ latents: new Tensor("float32", latents, shape) });
    return image.data as Float32Array;
  }

  async release(): Promise<void> {
    await Promise.all(Object.values(this.#sessions).map((session) => session.release()));
  }
}

interface Parts {
  readonly files: DiffusionFiles;
  readonly text: ClipTextConfig;
  readonly clipSkip: number;
  readonly vectors: readonly Float32Array[];
  readonly unet: UnetConfig;
  readonly vae: VaeConfig;
}

/** A checkpoint and what changes its parts. */
type PartsOptions = Pick<StableDiffusionOptions, "directory" | "vae" | "clipSkip" | "vectors">;

function readParts({ directory, vae = null, clipSkip = 0, vectors = [] }: PartsOptions): Parts {
  const files = openDiffusion(directory, vae);
  const text = files.config("text_encoder", clipTextConfig);
  if (clipSkip >= text.num_hidden_layers)
    throw new InputError(
      "INPUT_OPTION",
      `CLIP skip ${clipSkip} leaves no layer: the text encoder of ${directory} has ${text.num_hidden_layers}. Give at most ${text.num_hidden_layers - 1}.`,
    );
  const parts: Parts = {
    files,
    text,
    clipSkip,
    vectors,
    unet: files.config("unet", unetConfig),
    vae: files.config("vae", vaeConfig),
  };
  requireTogether(directory, vae, parts);
  return parts;
}

/**
 * Throws CheckpointError CHECKPOINT_ARCHITECTURE, naming both keys, if the parts do not match each other.
 */
function requireTogether(directory: string, otherVae: string | null, { text, unet, vae }: Parts): void {
  const pairs = [
    ["unet cross_attention_dim", unet.cross_attention_dim, "text_encoder hidden_size", text.hidden_size],
    ["unet in_channels", unet.in_channels, "vae latent_channels", vae.latent_channels],
    ["unet out_channels", unet.out_channels, "unet in_channels", unet.in_channels],
  ] as const;
  const problems = pairs
    .filter(([, one, , other]) => one !== other)
    .map(([a, one, b, other]) => `${a} is ${one} and ${b} ${other}`);
  if (problems.length === 0) return;
  const [what, advice] =
    otherVae === null
      ? [`${directory}: its parts`, "Take all folders from one checkpoint."]
      : [`${directory} and the VAE ${otherVae}`, "Take a VAE of Stable Diffusion 1.x."];
  throw new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `${what} do not belong together (${problems.join("; ")}). ${advice}`,
  );
}

function configOf({ files, text, unet, vae }: Parts): DiffusionConfig {
  return {
    latentChannels: unet.in_channels,
    sampleSize: sampleSizeOf(unet),
    vaeScaleFactor: vaeScaleFactorOf(vae),
    scalingFactor: vae.scaling_factor,
    maxTokens: text.max_position_embeddings,
    scheduler: files.scheduler(),
  };
}

/** Prompts may be read in several chunks, of which the UNet sees all tokens at once. */
const CHUNKS_TRIED = 3;

/**
 * Every kind of attention in the three graphs, with few tokens, on both sides of kernels' usual limits.
 */
function attentionSizes({ text, unet, vae }: Parts): AttentionSize[] {
  const tokens = text.max_position_embeddings;
  const sizes: AttentionSize[] = [
    {
      heads: text.num_attention_heads,
      headSize: text.hidden_size / text.num_attention_heads,
      queries: tokens,
      keys: tokens,
      causal: true,
    },
  ];
  for (const [level, channels] of unet.block_out_channels.entries()) {
    const counts = unet.attention_head_dim;
    const heads = typeof counts === "number" ? counts : (counts[level] as number);
    for (const keys of [64, tokens, CHUNKS_TRIED * tokens])
      sizes.push({ heads, headSize: channels / heads, queries: 64, keys, causal: false });
  }
  const deepest = vae.block_out_channels.at(-1) as number;
  sizes.push({ heads: 1, headSize: deepest, queries: 64, keys: 64, causal: false });
  return sizes;
}

async function compileParts(
  parts: Parts,
  arithmetic: Arithmetic,
  {
    precision,
    cacheDir,
    loras = [],
  }: Pick<StableDiffusionOptions, "cacheDir" | "loras"> & { readonly precision: FixedPrecision },
): Promise<{
  readonly graphs: Record<"text" | "unet" | "vae", CompiledGraph>;
  readonly notes: readonly string[];
}> {
  const { text_encoder, unet, vae } = graphsOf(parts, arithmetic);
  const weights = (part: DiffusionPart) => parts.files.weights(part, precision);
  const merged = mergeLoras({ text_encoder: weights("text_encoder"), unet: weights("unet") }, loras);
  const compile = ({ graph, unused }: PartGraph, from: Weights) =>
    compileGraph(graph, from, { cacheDir, unused });
  const graphs = {
    text: await compile(text_encoder, merged.text_encoder),
    unet: await compile(unet, merged.unet),
    vae: await compile(vae, weights("vae")),
  };
  return { graphs, notes: merged.notes };
}

interface PartGraph {
  readonly graph: Graph;
  /** Tensors of the checkpoint that the graph does not read. */
  readonly unused: readonly RegExp[];
}

function graphsOf(
  parts: Pick<Parts, "text" | "clipSkip" | "vectors" | "unet" | "vae">,
  arithmetic: Arithmetic,
): Record<DiffusionPart, PartGraph> {
  // A checkpoint with more levels draws larger pictures, so attention in its VAE has more scores.
  const queryChunks = 4 ** Math.min(2, parts.unet.block_out_channels.length - 1);
  const use = { skip: parts.clipSkip, hasVectors: parts.vectors.length > 0 };
  return {
    text_encoder: { graph: clipText(parts.text, arithmetic, use), unused: [] },
    unet: { graph: unet(parts.unet, arithmetic), unused: [] },
    vae: { graph: vaeDecoder(parts.vae, arithmetic, queryChunks), unused: VAE_ENCODER },
  };
}

/**
 * The graphs of a checkpoint before compilation, and its files, to compare them. Throws CheckpointError.
 */
export function diffusionGraphs(directory: string, vae: string | null = null) {
  const parts = readParts({ directory, vae });
  return { files: parts.files, graphs: graphsOf(parts, { float: "float32" }) };
}
