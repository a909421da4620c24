import type { InputError } from "../../core/errors.js";
import { type PictureSize, SIDE_MULTIPLE } from "../../core/options.js";
import { tooLargeForMemory } from "../../core/picture-memory.js";
import { type ClipTextConfig, clipText } from "../../models/clip-text.js";
import { type UnetConfig, unet } from "../../models/unet.js";
import { decoderStages, type VaeConfig, vaeDecoder, vaeDecoderStart } from "../../models/vae-decoder.js";
import { encoderStages, vaeEncoder, vaeEncoderEnd } from "../../models/vae-encoder.js";
import { rowsSeen, stripeRows, stripeStage, type VaeStage } from "../../models/vae-stages.js";
import { peakActivationBytes } from "../../onnx/activations.js";
import type { Arithmetic, Graph } from "../../onnx/graph.js";
import { MEMORY_PLANS, type MemoryPlan } from "./memory-plan.js";

/** The configurations that decide how much memory pictures take. */
export interface CountedParts {
  readonly text: ClipTextConfig;
  readonly unet: UnetConfig;
  readonly vae: VaeConfig;
}

export interface CountOptions {
  readonly arithmetic: Arithmetic;
  /** Whether the maps between two stripes, which the process holds, take the same memory. */
  readonly isCpu: boolean;
}

/** A checkpoint with more levels draws larger pictures, so attention in its VAE has more scores; see `attention`. */
export const queryChunksOf = ({ block_out_channels: levels }: UnetConfig): number =>
  4 ** Math.min(2, levels.length - 1);

/** Bytes of weights and of the most activations at once, in each phase of a picture. */
export type PhaseBytes = Readonly<
  Record<CountedPhase, { readonly weights: number; readonly activations: number }>
>;
/** `encode`: of a picture that begins with another. */
export type CountedPhase = "text" | "denoise" | "decode" | "encode";

/** What the program and the runtime take by themselves. */
const BASE_BYTES = 150 * 2 ** 20;
/** Bytes that the runtime's allocator takes for one of activations, at most as measured (docs/devices.md). */
const MARGIN = 1.7;

/** Rows of the text encoder and the UNet under guidance. */
const ROWS = 2;
/** Parts of a halved VAE's dimensions. */
const ONE = { batch: 1, one: 1 };

/**
 * What a picture takes in memory, counted from the shapes of its graphs: weights in the type that they have there, and
 * the activations that live at once. Not in it are the runtime's and the driver's own memory, the judges, and what an
 * allocator keeps beyond.
 */
export class MemoryCount {
  readonly #graphs: Readonly<Record<CountedPhase, Graph>>;
  readonly #striped: Readonly<Record<"decode" | "encode", StripedCount>>;
  readonly #factor: number;

  constructor(
    private readonly parts: CountedParts,
    { arithmetic, isCpu }: CountOptions,
  ) {
    const queryChunks = queryChunksOf(parts.unet);
    const { text, vae } = parts;
    this.#factor = 2 ** (vae.block_out_channels.length - 1);
    this.#graphs = {
      text: clipText(text, arithmetic),
      denoise: unet(parts.unet, arithmetic),
      decode: vaeDecoder(vae, arithmetic, queryChunks),
      encode: vaeEncoder(vae, arithmetic, queryChunks),
    };
    const cut = (whole: Graph, stages: readonly VaeStage[]) => ({
      whole,
      stages: stages.map((stage) => ({ stage, graph: stripeStage(stage, vae.norm_num_groups, arithmetic) })),
      holdsMaps: isCpu,
    });
    this.#striped = {
      decode: cut(vaeDecoderStart(vae, arithmetic, queryChunks), decoderStages(vae)),
      encode: cut(vaeEncoderEnd(vae, arithmetic, queryChunks), encoderStages(vae)),
    };
  }

  /** By phase, for a picture of this size; with the VAE whole or in stripes. */
  phases(size: PictureSize, isStriped: boolean): PhaseBytes {
    const [height, width] = [size.height / this.#factor, size.width / this.#factor];
    const sizes = { ...ONE, height, width, tokens: this.parts.text.max_position_embeddings };
    const of = (phase: CountedPhase, rows: number) => {
      const { structure, weightBytes } = this.#graphs[phase];
      return { weights: weightBytes, activations: peakActivationBytes(structure, { ...sizes, batch: rows }) };
    };
    const half = (phase: "decode" | "encode", map: PictureSize) =>
      isStriped ? stripedBytes(this.#striped[phase], sizes, map) : of(phase, 1);
    return {
      text: of("text", ROWS),
      denoise: of("denoise", ROWS),
      decode: half("decode", { width, height }),
      encode: half("encode", size),
    };
  }

  /**
   * The most bytes at once under a memory plan, each byte of activations counted `margin` times. A loaded part keeps
   * the memory of its activations for its next run.
   */
  peak(size: PictureSize, { isInTurn, isStriped }: MemoryPlan, margin = 1): number {
    const { text, denoise, decode, encode } = this.phases(size, isStriped);
    const of = (phase: PhaseBytes[CountedPhase]) => phase.weights + margin * phase.activations;
    const vae = Math.max(of(decode), of(encode));
    return isInTurn ? Math.max(of(text), of(denoise), vae) : of(text) + of(denoise) + vae;
  }

  /**
   * The quickest memory plan under which a picture of this size fits into `limit` bytes, from the plan `first` on;
   * null for none. `others`: bytes that stay beside a checkpoint that is not loaded in turn.
   */
  planFor(
    size: PictureSize,
    limit: number,
    { first = MEMORY_PLANS[0], others = 0 }: { readonly first?: MemoryPlan; readonly others?: number } = {},
  ): MemoryPlan | null {
    const fits = (plan: MemoryPlan) =>
      BASE_BYTES + this.peak(size, plan, MARGIN) + (plan.isInTurn ? 0 : others) <= limit;
    return MEMORY_PLANS.slice(MEMORY_PLANS.indexOf(first)).find(fits) ?? null;
  }

  /** Pixels of the largest square that fits into `limit` bytes, of sides up to `side`; null if all of them do. */
  mostPixels(limit: number, side: number): number | null {
    const fits = (steps: number) =>
      this.planFor({ width: steps * SIDE_MULTIPLE, height: steps * SIDE_MULTIPLE }, limit) !== null;
    let [least, most] = [0, Math.floor(side / SIDE_MULTIPLE)];
    if (fits(most)) return null;
    while (most - least > 1) {
      const middle = Math.floor((least + most) / 2);
      if (fits(middle)) least = middle;
      else most = middle;
    }
    return (least * SIDE_MULTIPLE) ** 2;
  }
}

/** The refusal of a picture that does not fit into `limit` bytes under any plan, with the largest that does. */
export function tooLarge(size: PictureSize, limit: number, count: MemoryCount): InputError {
  return tooLargeForMemory(size, count.mostPixels(limit, Math.max(size.width, size.height)) ?? 0);
}

interface StripedCount {
  readonly whole: Graph;
  readonly stages: readonly { readonly stage: VaeStage; readonly graph: Graph }[];
  readonly holdsMaps: boolean;
}

const FLOAT32_BYTES = 4;

/** Of half a VAE in stripes, from the map that its stages begin with. Its graphs are loaded one at a time. */
function stripedBytes(
  { whole, stages, holdsMaps }: StripedCount,
  sizes: Readonly<Record<string, number>>,
  first: PictureSize,
): { readonly weights: number; readonly activations: number } {
  const counts = [
    { weights: whole.weightBytes, activations: peakActivationBytes(whole.structure, { ...sizes, batch: 1 }) },
  ];
  let { width, height } = first;
  for (const { stage, graph } of stages) {
    const rows = Math.min(height * stage.factor, stripeRows(stage, width));
    const seen = rowsSeen(stage, 0, rows, height);
    const stripe = peakActivationBytes(graph.structure, {
      ...sizes,
      rows: seen.to - seen.from,
      columns: width,
    });
    const pixels = width * height;
    const values = pixels * (stage.from + (stage.added ?? 0) + stage.to * stage.factor ** 2);
    const maps = holdsMaps ? FLOAT32_BYTES * values : 0;
    counts.push({ weights: graph.weightBytes, activations: stripe + maps });
    [width, height] = [width * stage.factor, height * stage.factor];
  }
  return counts.reduce((most, count) =>
    count.weights + count.activations > most.weights + most.activations ? count : most,
  );
}
