import { type CompiledGraph, compileGraph } from "../../checkpoints/compile.js";
import {
  openTinyDecoder,
  type TinyDecoderFiles,
  withoutTinyDecoder,
} from "../../checkpoints/layouts/tiny-decoder-files.js";
import { CheckpointError } from "../../core/errors.js";
import { TINY_ENCODER, tinyDecoder } from "../../models/tiny-decoder.js";
import type { Arithmetic } from "../../onnx/graph.js";
import type { FixedPrecision } from "../runtime/precision.js";
import { Tensor } from "../runtime/session.js";
import type { GuardedPart } from "./guarded-part.js";
import type { DiffusionConfig, DiffusionModel, LatentShape } from "./model.js";
import { isUsablePicture } from "./usable.js";

/** The latents that TAESD was trained on, those of Stable Diffusion 1.x and 2.x. */
const ITS_SCALING_FACTOR = 0.18215;

/**
 * TAESD for a checkpoint's latents: null if there is no path, or if it is for previews alone and cannot be used, which
 * `notes` then say where the file is to blame. Reads headers only.
 * @throws CheckpointError if it is to make finished pictures and cannot
 */
export function tinyDecoderFor(
  path: string | null,
  isFinal: boolean,
  config: Pick<DiffusionConfig, "latentChannels" | "vaeScaleFactor" | "scalingFactor">,
  source: string,
): { readonly files: TinyDecoderFiles | null; readonly notes: readonly string[] } {
  if (path === null && isFinal) throw withoutTinyDecoder();
  if (path === null) return { files: null, notes: [] };
  try {
    const files = openTinyDecoder(path);
    const { latent_channels, num_decoder_blocks: levels } = files.config;
    const fits =
      latent_channels === config.latentChannels &&
      2 ** (levels.length - 1) === config.vaeScaleFactor &&
      config.scalingFactor === ITS_SCALING_FACTOR;
    if (fits) return { files, notes: [] };
    if (!isFinal) return { files: null, notes: [] };
    throw new CheckpointError(
      "CHECKPOINT_ARCHITECTURE",
      `TAESD (${path}) decodes the latents of Stable Diffusion 1.x and 2.x, and those of ${source} are others. Take the checkpoint's own decoder: DECODER=vae.`,
    );
  } catch (error) {
    if (isFinal || !(error instanceof CheckpointError)) throw error;
    return { files: null, notes: [`TAESD is not used for previews: ${error.message}`] };
  }
}

/** Compiles its graph into the cache, or finds it there. Throws CheckpointError. */
export const compileTinyDecoder = (
  { config, weights }: TinyDecoderFiles,
  arithmetic: Arithmetic,
  precision: FixedPrecision,
  cacheDir: string,
): Promise<CompiledGraph> =>
  compileGraph(tinyDecoder(config, arithmetic), weights(precision), { cacheDir, unused: TINY_ENCODER });

/** TAESD, loaded when the first picture is decoded and kept. */
export class TinyPart implements NonNullable<DiffusionModel["tiny"]> {
  constructor(
    readonly isFinal: boolean,
    readonly part: GuardedPart<"image">,
  ) {}

  async decode(latents: Float32Array, shape: LatentShape): Promise<Float32Array> {
    const feeds = { latents: new Tensor("float32", latents, shape) };
    const { image } = await this.part.run(feeds, isUsablePicture);
    return image.data as Float32Array;
  }
}
