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
import { kindOf } from "../../core/devices.js";
import { CheckpointError, InferenceError, InputError } from "../../core/errors.js";
import type { DecoderName, PictureSize, Precision } from "../../core/options.js";
import { type ClipTextConfig, clipText, clipTextConfig, type TextStates } from "../../models/clip-text.js";
import { type UnetConfig, unet, unetConfig } from "../../models/unet.js";
import { VAE_ENCODER, type VaeConfig, vaeConfig, vaeDecoder } from "../../models/vae-decoder.js";
import { VAE_DECODER, vaeEncoder } from "../../models/vae-encoder.js";
import type { Arithmetic, Graph } from "../../onnx/graph.js";
import type { Device } from "../runtime/device.js";
import { arithmeticOn } from "../runtime/device-check.js";
import type { AttentionSize } from "../runtime/operator-forms.js";
import type { Plan } from "../runtime/plan.js";
import { type FixedPrecision, planOn, precisionOf } from "../runtime/precision.js";
import { type Outputs, Session, Tensor } from "../runtime/session.js";
import { GuardedPart, type LoadedPart, partLoader } from "./guarded-part.js";
import { MemoryCount, queryChunksOf, tooLarge } from "./memory-count.js";
import { MEMORY_PLANS, Memory, type MemoryPlan } from "./memory-plan.js";
import type { DiffusionConfig, DiffusionModel, LatentShape } from "./model.js";
import { compileStriped, StripedVae } from "./striped-vae.js";
import { compileTinyDecoder, TinyPart, tinyDecoderFor } from "./tiny-part.js";
import { areNumbers, isUsablePicture } from "./usable.js";

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
  /** Path of TAESD; null for none. */
  readonly tinyDecoder?: string | null;
  /** What makes finished pictures; TAESD needs its path. */
  readonly decoder?: DecoderName;
  readonly device: Device;
  readonly precision: Precision;
  /** Bytes that pictures may take on the device, all by default; and of these what others take beside it. */
  readonly memory?: { readonly limit: number; readonly others: number };
  /** Called where memory turns out to be full: releases what others take; false if there was nothing. */
  readonly releaseOthers?: () => Promise<boolean>;
  readonly cacheDir: string;
  /** 0: the runtime chooses. */
  readonly threads: number;
}

/** The checkpoint's graphs; no VAE decoder where TAESD makes the pictures. */
interface Guarded {
  readonly text: GuardedPart<"states" | "skipped">;
  readonly unet: GuardedPart<"noise">;
  readonly vae?: GuardedPart<"image">;
  /** Loaded for a picture alone: few pictures begin with another. */
  readonly encoder: GuardedPart<"moments">;
}
type PartName = "text" | "unet" | "vae";
const PART_NAMES: Readonly<Record<PartName | "encoder" | "tiny", string>> = {
  encoder: "the VAE encoder",
  tiny: "TAESD",
  text: "the text encoder",
  unet: "the UNet",
  vae: "the VAE decoder",
};

/** A diffusers folder of the Stable Diffusion 1.x and 2.x family, compiled and on its device. */
export class StableDiffusion implements DiffusionModel {
  readonly #text: ClipTextConfig;
  readonly #vectors: readonly Float32Array[];
  readonly #parts: Guarded;
  readonly #memory: Memory;

  private constructor(
    readonly config: DiffusionConfig,
    /** The plan that it was loaded under, and what that spells out. */
    readonly plan: Plan,
    readonly arithmetic: Arithmetic,
    readonly weightBytes: number,
    /** Sentences about the checkpoint that stop nothing. */
    readonly notes: readonly string[],
    { text, vectors }: Pick<Parts, "text" | "vectors">,
    parts: Guarded,
    memory: Memory,
    readonly tiny: TinyPart | null,
  ) {
    this.#text = text;
    this.#vectors = vectors;
    this.#parts = parts;
    this.#memory = memory;
  }

  /** Type of the weights that it was loaded with. */
  get precision(): FixedPrecision {
    return precisionOf(this.plan);
  }

  /** What of it is in memory at once. */
  get memoryPlan(): MemoryPlan {
    return this.#memory.plan;
  }

  /**
   * Reads the folder, compiles its three graphs (or reuses earlier ones) and loads them.
   * @throws CheckpointError if the folder is not such a model; InferenceError if it does not fit the device
   */
  static async open(options: StableDiffusionOptions): Promise<StableDiffusion> {
    const { device, cacheDir } = options;
    const { parts, plan, arithmetic, graphs, notes } = await StableDiffusion.compile(options);
    const config = configOf(parts);
    const isTinyFinal = options.decoder === "taesd";
    const tiny = tinyDecoderFor(options.tinyDecoder ?? null, isTinyFinal, config, options.directory);
    const { limit, others } = options.memory ?? { limit: Number.POSITIVE_INFINITY, others: 0 };
    const count = new MemoryCount(parts, { arithmetic, isCpu: kindOf(device.name) === "cpu" });
    const side = config.sampleSize * config.vaeScaleFactor;
    const usual = count.planFor({ width: side, height: side }, limit, { others });
    const memory = new Memory(
      // A smaller picture may fit.
      usual ?? MEMORY_PLANS.at(-1)!,
      (size, first) => {
        const found = count.planFor(size, limit, { first, others });
        if (found === null) throw tooLarge(size, limit, count);
        return found;
      },
      async (what) => (what === "all" ? model.release() : guardedParts.vae?.release()),
      options.releaseOthers ?? (async () => false),
    );

    type Load<Output extends string> = (
      precision: FixedPrecision,
      arithmetic: Arithmetic,
    ) => Promise<LoadedPart<Output>["session"]>;
    const guarded = <Output extends string>(load: Load<Output>) =>
      new GuardedPart(
        plan,
        partLoader<Output>({ plan, device, cacheDir }, async (own, on) =>
          load(
            precisionOf(own),
            own === plan ? arithmetic : await arithmeticOn(on, own, attentionSizes(parts)),
          ),
        ),
      );
    const graphOf = async (part: PartName, precision: FixedPrecision, own: Arithmetic) =>
      own === arithmetic
        ? graphs[part]
        : (await compileParts(parts, own, { ...options, precision })).graphs[part];
    const whole = <Output extends string>(part: PartName) =>
      guarded<Output>(async (precision, own) =>
        openSession(part, await graphOf(part, precision, own), options),
      );
    const striped = async <Output extends "image" | "moments">(
      output: Output,
      precision: FixedPrecision,
      own: Arithmetic,
    ) => {
      const from = { config: parts.vae, weights: parts.files.weights("vae", precision), cacheDir };
      const cut = await compileStriped(output, own, queryChunksOf(parts.unet), from);
      const part = output === "image" ? "vae" : "encoder";
      return new StripedVae(output, cut, (graph) => openSession(part, graph, options, " in stripes"));
    };
    const guardedParts: Guarded = {
      text: whole("text"),
      unet: whole("unet"),
      ...(isTinyFinal
        ? {}
        : {
            vae: guarded<"image">(async (precision, own) =>
              memory.plan.isStriped
                ? striped("image", precision, own)
                : openSession("vae", await graphOf("vae", precision, own), options),
            ),
          }),
      encoder: guarded<"moments">(async (precision, own) =>
        memory.plan.isStriped
          ? striped("moments", precision, own)
          : openSession("encoder", await compileEncoder(parts, own, precision, cacheDir), options),
      ),
    };
    const { files } = tiny;
    const tinyPart =
      files &&
      guarded<"image">(async (precision, own) =>
        openSession("tiny", await compileTinyDecoder(files, own, precision, cacheDir), options),
      );
    const names: readonly PartName[] = isTinyFinal ? ["text", "unet"] : ["text", "unet", "vae"];
    const model: StableDiffusion = new StableDiffusion(
      config,
      plan,
      arithmetic,
      names.reduce((sum, part) => sum + graphs[part].weightBytes, 0),
      [...notes, ...tiny.notes],
      parts,
      guardedParts,
      memory,
      tinyPart && new TinyPart(isTinyFinal, tinyPart),
    );
    try {
      for (const part of names)
        await memory.inRoom(async () => {
          await guardedParts[part]?.load();
          // Now it is known to fit.
          if (memory.plan.isInTurn) await guardedParts[part]?.release();
        });
      return model;
    } catch (error) {
      await model.release();
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
    const plan = planOn(device, options.precision);
    const precision = precisionOf(plan);
    const arithmetic = await arithmeticOn(device, plan, attentionSizes(parts));
    const { graphs, notes: loraNotes } = await compileParts(parts, arithmetic, { ...options, precision });
    const extra = Object.values(graphs).flatMap((graph) => graph.extra);
    const notes = [...parts.files.notes(), extraNote(directory, extra), ...loraNotes].filter(
      (note) => note !== null,
    );
    return { parts, plan, precision, arithmetic, graphs, notes };
  }

  async encodeText(ids: readonly (readonly number[])[], prompt?: number): Promise<TextStates> {
    const { maxTokens } = this.config;
    const wrong = ids.find((row) => row.length !== maxTokens);
    if (wrong !== undefined)
      throw new InferenceError("INTERNAL", `a row of ${wrong.length} tokens, not ${maxTokens}`);
    const tensor = new Tensor("int32", Int32Array.from(ids.flat()), [ids.length, maxTokens]);
    const { states, skipped }: Partial<Outputs<"skipped">> & Outputs<"states"> = await this.#run(
      this.#parts.text,
      { ids: tensor, ...this.#vectorsOf(tensor) },
      (outputs) => Object.values(outputs).every(({ data }) => areNumbers(data as Float32Array)),
    );
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
    const feeds = {
      latents: new Tensor("float32", latents, shape),
      timestep: new Tensor("float32", [timestep], [1]),
      text: new Tensor("float32", text.data, text.shape),
    };
    const { noise } = await this.#run(this.#parts.unet, feeds, (outputs) =>
      areNumbers(outputs.noise.data as Float32Array),
    );
    return noise.data as Float32Array;
  }

  async decode(latents: Float32Array, shape: LatentShape): Promise<Float32Array> {
    const feeds = { latents: new Tensor("float32", latents, shape) };
    if (this.#parts.vae === undefined) throw new InferenceError("INTERNAL", "the VAE decoder is not loaded");
    const { image } = await this.#run(this.#parts.vae, feeds, isUsablePicture);
    return image.data as Float32Array;
  }

  async encode(image: Float32Array, { width, height }: PictureSize): Promise<Float32Array> {
    const feeds = { image: new Tensor("float32", image, [1, 3, height, width]) };
    const { encoder, vae } = this.#parts;
    // Memory is counted for one of both.
    await vae?.release();
    try {
      const { moments } = await this.#run(encoder, feeds, (outputs) =>
        areNumbers(outputs.moments.data as Float32Array),
      );
      return Float32Array.from(moments.data as Float32Array);
    } finally {
      await encoder.release();
    }
  }

  /** Runs a part, after all others were released where they are loaded in turn. */
  async #run<Output extends string>(
    part: GuardedPart<Output>,
    feeds: Readonly<Record<string, Tensor>>,
    isUsable: (outputs: Outputs<Output>, plan: Plan) => boolean,
  ): Promise<Outputs<Output>> {
    return this.#memory.inRoom(async () => {
      if (this.#memory.plan.isInTurn)
        for (const other of Object.values(this.#parts)) if (other !== part) await other.release();
      return part.run(feeds, isUsable);
    });
  }

  prepare(size: PictureSize): Promise<void> {
    return this.#memory.prepare(size);
  }

  async leaveFp16(): Promise<boolean> {
    let changed = false;
    for (const part of this.#all()) if (part.plan === "fp16") changed = (await part.makeSafer()) || changed;
    return changed;
  }

  takeRedone(): boolean {
    return this.#all()
      .map((part) => part.takeRedone())
      .some((was) => was);
  }

  async release(): Promise<void> {
    await Promise.all(this.#all().map((part) => part.release()));
  }

  #all(): GuardedPart<string>[] {
    return [...Object.values(this.#parts), ...(this.tiny ? [this.tiny.part] : [])] as GuardedPart<string>[];
  }
}

const openSession = <Output extends string>(
  part: PartName | "encoder" | "tiny",
  graph: CompiledGraph,
  { device, threads }: StableDiffusionOptions,
  how = "",
) => Session.open<Output>(`${PART_NAMES[part]}${how}`, graph, device, { threads });

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

/** @throws CheckpointError if the checkpoint's VAE has no encoder */
function compileEncoder(
  parts: Parts,
  arithmetic: Arithmetic,
  precision: FixedPrecision,
  cacheDir: string,
): Promise<CompiledGraph> {
  const graph = vaeEncoder(parts.vae, arithmetic, queryChunksOf(parts.unet));
  return compileGraph(graph, parts.files.weights("vae", precision), { cacheDir, unused: VAE_DECODER });
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
  const use = { skip: parts.clipSkip, hasVectors: parts.vectors.length > 0 };
  return {
    text_encoder: { graph: clipText(parts.text, arithmetic, use), unused: [] },
    unet: { graph: unet(parts.unet, arithmetic), unused: [] },
    vae: { graph: vaeDecoder(parts.vae, arithmetic, queryChunksOf(parts.unet)), unused: VAE_ENCODER },
  };
}

/**
 * The graphs of a checkpoint before compilation, and its files, to compare them. Throws CheckpointError.
 */
export function diffusionGraphs(directory: string, vae: string | null = null) {
  const parts = readParts({ directory, vae });
  return { files: parts.files, graphs: graphsOf(parts, { float: "float32" }) };
}
