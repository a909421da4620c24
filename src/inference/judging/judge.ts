import { parse } from "node:path";
import { type CompiledGraph, compileGraph } from "../../checkpoints/compile.js";
import { haveSameTensors } from "../../checkpoints/files/same-tensors.js";
import type { Weights } from "../../checkpoints/files/weights.js";
import { parseConfig } from "../../checkpoints/layouts/config.js";
import type { FoundJudges } from "../../checkpoints/layouts/find-judges.js";
import {
  type ClipFiles,
  openClip,
  openSafetyChecker,
  type VisionFiles,
} from "../../checkpoints/layouts/judge-files.js";
import { CheckpointError, InferenceError } from "../../core/errors.js";
import type { PictureJudgement } from "../../core/judgement.js";
import { clipTextEmbedding, endOf, type TextStates } from "../../models/clip-text.js";
import { clipVisionEmbedding, visionTokens } from "../../models/clip-vision.js";
import type { Arithmetic, Graph } from "../../onnx/graph.js";
import type { Rgb } from "../../pictures/rgb.js";
import type { Device } from "../runtime/device.js";
import { arithmeticOn } from "../runtime/device-check.js";
import type { AttentionSize } from "../runtime/operator-forms.js";
import { type FixedPrecision, planOn } from "../runtime/precision.js";
import { Tensor } from "../runtime/session.js";
import { ClipTokenizer } from "../tokenizers/tokenizer.js";
import { AestheticPredictor } from "./aesthetic.js";
import { OneTower, type Tower } from "./one-tower.js";
import { clipPixels, type PreprocessorConfig, preprocessorConfig } from "./preprocess.js";
import { CONCEPT_TENSORS, SafetyConcepts } from "./safety.js";
import { cosine, dot } from "./vectors.js";

/**
 * A text encoder that is loaded anyway. It is used as CLIP's text tower if it is the same, as Stable
 * Diffusion 1.5's is.
 */
export interface LoadedTextEncoder {
  /** As `text_model.*`; null if they were changed after reading. */
  readonly weights: Weights | null;
  /** States after the final norm, [rows, tokens, channels]. */
  encode(ids: readonly (readonly number[])[]): Promise<TextStates>;
}

export interface JudgeOptions {
  readonly files: FoundJudges;
  readonly device: Device;
  readonly precision: FixedPrecision;
  readonly cacheDir: string;
  /** 0: the runtime chooses. */
  readonly threads: number;
  readonly textEncoder?: LoadedTextEncoder;
}

/** A vision tower and the format of its input pictures. */
interface Vision {
  readonly tower: Tower;
  readonly preprocessor: PreprocessorConfig;
}

interface Clip {
  readonly vision: Vision;
  /** Embedding of a text; not normalised. */
  readonly embedText: (text: string) => Promise<Float32Array>;
}

/** How many prompts' embeddings to keep, if not told: enough for the pairs being drawn. */
const KEPT_PROMPTS = 8;

/**
 * Judges pictures: how well they show a prompt (CLIP), how beautiful they are (aesthetic predictor) and
 * whether they may be shown (safety checker). Each of the three may be missing; its result is then null or
 * `unchecked`. At most one tower is on the device at a time.
 */
export class Judge {
  readonly #texts = new Map<string, Float32Array>();
  #keptTexts = KEPT_PROMPTS;
  readonly #oneTower: OneTower;
  readonly #clip: Clip | null;
  readonly #aesthetic: AestheticPredictor | null;
  readonly #safety: { readonly vision: Vision; readonly concepts: SafetyConcepts } | null;

  private constructor(
    /** Name of the CLIP and its predictor; null without a CLIP. */
    readonly name: string | null,
    /** Bytes of the largest tower's weights. */
    readonly weightBytes: number,
    /** True if one tower serves both CLIP and safety checker, because their weights are the same. */
    readonly sharesVision: boolean,
    /** True if texts are embedded by the text encoder that is loaded anyway. */
    readonly sharesText: boolean,
    oneTower: OneTower,
    clip: Clip | null,
    aesthetic: AestheticPredictor | null,
    safety: { readonly vision: Vision; readonly concepts: SafetyConcepts } | null,
  ) {
    this.#oneTower = oneTower;
    this.#clip = clip;
    this.#aesthetic = aesthetic;
    this.#safety = safety;
  }

  /**
   * Reads the files and compiles their graphs (or finds them in the cache); loads nothing onto the device
   * yet.
   * @throws CheckpointError if a file is broken or is not such a model, or if they do not belong together
   */
  static async open(options: JudgeOptions): Promise<Judge> {
    const { files, device, threads } = options;
    const compiler = new TowerCompiler(options);
    const oneTower = new OneTower(device, threads);
    const clipFiles = files.clip === null ? null : openClip(files.clip);
    const safetyFiles = files.safety === null ? null : openSafetyChecker(files.safety);
    const aesthetic =
      files.aesthetic === null || clipFiles === null ? null : AestheticPredictor.open(files.aesthetic);
    if (aesthetic !== null && aesthetic.dimensions !== clipFiles?.dimensions)
      throw new CheckpointError(
        "CHECKPOINT_ARCHITECTURE",
        `${files.aesthetic} is for embeddings of ${aesthetic.dimensions} values, and ${files.clip} makes ${clipFiles?.dimensions}. Take the predictor that belongs to this CLIP.`,
      );

    const sharesVision = await compiler.isOneTower(clipFiles, safetyFiles);
    const vision = clipFiles && (await compiler.vision(clipFiles, "CLIP's vision tower"));
    const clip = clipFiles && vision && { vision, embedText: await compiler.text(clipFiles, oneTower) };
    const safety = safetyFiles && {
      vision:
        sharesVision && vision
          ? { ...vision, preprocessor: preprocessorOf(safetyFiles) }
          : await compiler.vision(safetyFiles, "the safety checker"),
      concepts: SafetyConcepts.read(compiler.weights(safetyFiles), safetyFiles.dimensions),
    };
    const name =
      clip === null
        ? null
        : [files.clipName, aesthetic === null ? null : parse(files.aesthetic as string).name]
            .filter((part) => part !== null)
            .join(" + ");
    return new Judge(
      name,
      compiler.largestBytes,
      sharesVision,
      compiler.sharesText,
      oneTower,
      clip,
      aesthetic,
      safety,
    );
  }

  /** True if there are no judges. */
  get isIdle(): boolean {
    return this.#clip === null && this.#safety === null;
  }

  /**
   * Judges one picture.
   * @param plainPrompt the prompt before its rewrite, which the picture should show; null skips the relevance
   * @throws InferenceError OUT_OF_MEMORY if a tower does not fit on the device
   */
  async judge(picture: Rgb, plainPrompt: string | null): Promise<PictureJudgement> {
    const [clip, aesthetic, safety] = [this.#clip, this.#aesthetic, this.#safety];
    let scores: Pick<PictureJudgement, "relevance" | "beauty"> = { relevance: null, beauty: null };
    let verdict: PictureJudgement["safety"] = "unchecked";
    const look = async () => {
      if (clip === null) return;
      const embedding = await this.#embed(clip.vision, picture);
      scores = {
        relevance: plainPrompt === null ? null : cosine(embedding, await this.#embedText(clip, plainPrompt)),
        beauty: aesthetic?.score(embedding) ?? null,
      };
      if (safety !== null && this.sharesVision && sameLook(clip.vision, safety.vision))
        verdict = safety.concepts.verdict(embedding);
    };
    const check = async () => {
      if (safety !== null && verdict === "unchecked")
        verdict = safety.concepts.verdict(await this.#embed(safety.vision, picture));
    };
    // Use the loaded tower first.
    const isChecker = safety !== null && !this.sharesVision && this.#oneTower.holds(safety.vision.tower);
    for (const step of isChecker ? [check, look] : [look, check]) await step();
    return { ...scores, safety: verdict, judge: this.name };
  }

  /** CLIP's embedding of the picture, not normalised; null without a CLIP. */
  async embedPicture(picture: Rgb): Promise<Float32Array | null> {
    return this.#clip && (await this.#embed(this.#clip.vision, picture));
  }

  /** CLIP's embedding of the text, not normalised; null without a CLIP. */
  async embedText(text: string): Promise<Float32Array | null> {
    return this.#clip && (await this.#embedText(this.#clip, text));
  }

  /** Embeds the texts of the next pictures, and keeps them until others are read. */
  async readTexts(texts: readonly string[]): Promise<void> {
    this.#keptTexts = Math.max(KEPT_PROMPTS, texts.length);
    for (const text of texts) await this.embedText(text);
  }

  /** Frees the device; false if nothing was loaded. The next picture loads what it needs. */
  release(): Promise<boolean> {
    return this.#oneTower.release();
  }

  async #embed({ tower, preprocessor }: Vision, picture: Rgb): Promise<Float32Array> {
    const session = await this.#oneTower.use(tower);
    const side = preprocessor.crop_size;
    const pixels = new Tensor("float32", clipPixels(picture, preprocessor), [1, 3, side, side]);
    return finite((await session.run({ pixels })).embeds, tower.name);
  }

  async #embedText(clip: Clip, text: string): Promise<Float32Array> {
    const known = this.#texts.get(text);
    const embedding = known ?? (await clip.embedText(text));
    // A text that is asked for again is the last one to go.
    this.#texts.delete(text);
    this.#texts.set(text, embedding);
    for (const oldest of [...this.#texts.keys()].slice(0, -this.#keptTexts)) this.#texts.delete(oldest);
    return embedding;
  }
}

const sameLook = (a: Vision, b: Vision) => JSON.stringify(a.preprocessor) === JSON.stringify(b.preprocessor);

function finite({ data }: Tensor, what: string): Float32Array {
  const values = data as Float32Array;
  if (values.every(Number.isFinite)) return values;
  throw new InferenceError(
    "INTERNAL",
    `${what} gave no number: it overflows half precision on this device. Try --precision fp32.`,
  );
}

/** Tensors outside the vision tower: CLIP's text tower and temperature, and a safety checker's concepts. */
const NOT_VISION = [
  /^text_model\./,
  /^text_projection\./,
  /^logit_scale$/,
  ...CONCEPT_TENSORS.map((name) => new RegExp(`^${name}$`)),
];
const NOT_TEXT = [/^vision_model\./, /^visual_projection\./, /^logit_scale$/];

function preprocessorOf({ preprocessor, vision, source }: VisionFiles): PreprocessorConfig {
  const config = parseConfig(source, preprocessor, preprocessorConfig);
  if (config.crop_size === vision.image_size) return config;
  throw new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `${source}: its preprocessor cuts out ${config.crop_size} pixels, and the tower takes ${vision.image_size}. Put the preprocessor_config.json that belongs to it there.`,
  );
}

/** A graph before compilation, and the weights that it reads, to compare them. */
export interface JudgeGraph {
  readonly part: string;
  readonly graph: Graph;
  readonly weights: Weights;
  /** Tensors of the checkpoint that the graph does not read. */
  readonly unused: readonly RegExp[];
}

/** Any value works: the tensors that a graph reads do not depend on it. */
const FLOAT32: Arithmetic = { float: "float32" };

/** Both towers of a CLIP. Throws CheckpointError if the folder is not one. */
export function clipGraphs(directory: string): JudgeGraph[] {
  const { vision, text, dimensions, weights } = openClip(directory);
  const opened = weights("fp32");
  const visionGraph = clipVisionEmbedding(vision, FLOAT32, dimensions);
  const textGraph = clipTextEmbedding(text, FLOAT32, dimensions);
  return [
    { part: "vision_model", graph: visionGraph, weights: opened, unused: NOT_VISION },
    { part: "text_model", graph: textGraph, weights: opened, unused: NOT_TEXT },
  ];
}

/** The tower of a safety checker. Throws CheckpointError if the folder is not one. */
export function safetyCheckerGraph(directory: string): JudgeGraph {
  const { vision, dimensions, weights } = openSafetyChecker(directory);
  const opened = weights("fp32");
  SafetyConcepts.read(opened, dimensions);
  const graph = clipVisionEmbedding(vision, FLOAT32, dimensions);
  return { part: "safety_checker", graph, weights: opened, unused: NOT_VISION };
}

/** Compiles the towers for one device. */
class TowerCompiler {
  readonly #opened = new Map<VisionFiles, Weights>();
  readonly #options: JudgeOptions;
  #ofOneTower: VisionFiles | undefined;
  largestBytes = 0;
  sharesText = false;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  weights(files: VisionFiles): Weights {
    const weights = this.#opened.get(files) ?? files.weights(this.#options.precision);
    this.#opened.set(files, weights);
    return weights;
  }

  /** Whether CLIP's vision tower, including its projection, equals the safety checker's. */
  async isOneTower(clip: ClipFiles | null, safety: VisionFiles | null): Promise<boolean> {
    if (clip === null || safety === null) return false;
    const shape = ({ vision, dimensions }: VisionFiles) =>
      JSON.stringify([
        dimensions,
        vision.num_attention_heads,
        vision.hidden_act,
        vision.layer_norm_eps,
        vision.patch_size,
        vision.image_size,
      ]);
    if (shape(clip) !== shape(safety)) return false;
    const { sources } = clipVisionEmbedding(clip.vision, FLOAT32, clip.dimensions);
    const names = [...sources.keys()];
    const [ours, theirs] = [this.weights(clip), this.weights(safety)];
    if (!(await haveSameTensors(ours, theirs, names, this.#options.cacheDir))) return false;
    // Of two files with the same values, prefer the one whose type needs no conversion.
    const wanted = this.#options.precision === "fp16" ? "F16" : "F32";
    this.#ofOneTower = theirs.get(names[0] as string)?.type === wanted ? safety : clip;
    return true;
  }

  #arithmetic(attention: AttentionSize): Promise<Arithmetic> {
    const { device, precision } = this.#options;
    return arithmeticOn(device, planOn(device, precision), [attention]);
  }

  async vision(files: VisionFiles, name: string): Promise<Vision> {
    const preprocessor = preprocessorOf(files);
    const { hidden_size: width, num_attention_heads: heads } = files.vision;
    const tokens = visionTokens(files.vision);
    const arithmetic = await this.#arithmetic({
      // Kernels work head by head, so two heads are enough to test.
      heads: Math.min(2, heads),
      headSize: width / heads,
      queries: tokens,
      keys: tokens,
      causal: false,
    });
    const graph = clipVisionEmbedding(files.vision, arithmetic, files.dimensions);
    const compiled = await this.#compile(graph, this.weights(this.#ofOneTower ?? files), NOT_VISION);
    return { preprocessor, tower: { name, graph: compiled } };
  }

  /**
   * Embeds texts with the text encoder that is loaded anyway if their weights are the same, else with CLIP's
   * own tower.
   */
  async text(files: ClipFiles, oneTower: OneTower): Promise<Clip["embedText"]> {
    const { text, dimensions, source } = files;
    const { textEncoder, cacheDir } = this.#options;
    const tokenizer = ClipTokenizer.open(source);
    const { max_position_embeddings: tokens, num_attention_heads: heads, hidden_size: width } = text;
    if (tokenizer.length !== tokens)
      throw new CheckpointError(
        "CHECKPOINT_ARCHITECTURE",
        `${source}: its tokenizer makes ${tokenizer.length} tokens and its text tower takes ${tokens}; they do not belong together.`,
      );
    const weights = this.weights(files);
    const size = { heads, headSize: width / heads, queries: tokens, keys: tokens, causal: true };
    const graph = clipTextEmbedding(text, await this.#arithmetic(size), dimensions);

    const towerNames = [...graph.sources.keys()].filter((name) => name.startsWith("text_model."));
    if (textEncoder?.weights && (await haveSameTensors(weights, textEncoder.weights, towerNames, cacheDir))) {
      this.sharesText = true;
      const projection = weights.readFloat32("text_projection.weight"); // [D, C]
      return async (words) => {
        const { ids } = tokenizer.encode(words);
        const states = await textEncoder.encode([ids]); // [1, T, C]
        const from = endOf(ids, text) * width;
        const state = states.data.subarray(from, from + width);
        return Float32Array.from({ length: dimensions }, (_, i) =>
          dot(projection.subarray(i * width, (i + 1) * width), state),
        );
      };
    }
    const tower: Tower = { name: "CLIP's text tower", graph: await this.#compile(graph, weights, NOT_TEXT) };
    return async (words) => {
      const { ids } = tokenizer.encode(words);
      const session = await oneTower.use(tower);
      const { embeds } = await session.run({
        ids: new Tensor("int32", Int32Array.from(ids), [1, tokens]),
        ends: new Tensor("int64", BigInt64Array.of(BigInt(endOf(ids, text))), [1]),
      });
      return finite(embeds, tower.name);
    };
  }

  async #compile(graph: Graph, weights: Weights, unused: readonly RegExp[]): Promise<CompiledGraph> {
    const compiled = await compileGraph(graph, weights, { cacheDir: this.#options.cacheDir, unused });
    this.largestBytes = Math.max(this.largestBytes, compiled.weightBytes);
    return compiled;
  }
}
