import type { PictureSize } from "../../core/options.js";
import type { TextStates } from "../../models/clip-text.js";

/** What the pipeline needs of a loaded diffusion checkpoint. All arrays are float32, row-major, NCHW. */
export interface DiffusionModel {
  readonly config: DiffusionConfig;
  /** Makes ready for a picture of this size. Throws InputError INPUT_MEMORY if there is too little memory for it. */
  prepare?(size: PictureSize): Promise<void>;
  /**
   * Hidden states for rows of token ids, each `maxTokens` long: `[rows, maxTokens, channels]`.
   * @param prompt the first of the rows that CLIP skip concerns; as in diffusers, the negative prompt has none
   */
  encodeText(ids: readonly (readonly number[])[], prompt?: number): Promise<TextStates>;
  /**
   * The UNet's output for `latents` [B, latentChannels, h, w] at one timestep, of the same shape.
   * `text` holds B rows.
   */
  predictNoise(
    latents: Float32Array,
    shape: LatentShape,
    timestep: number,
    text: TextStates,
  ): Promise<Float32Array>;
  /**
   * Latents [1, latentChannels, h, w], divided by the scaling factor -> one picture [1, 3, H, W], about
   * -1..1.
   */
  decode(latents: Float32Array, shape: LatentShape): Promise<Float32Array>;
  /** TAESD; null or absent where there is none for these latents. */
  readonly tiny?: {
    /** Whether it makes finished pictures in place of `decode`. */
    readonly isFinal: boolean;
    /** Latents [1, latentChannels, h, w] as the UNet has them -> one picture [1, 3, H, W], about -1..1. */
    decode(latents: Float32Array, shape: LatentShape): Promise<Float32Array>;
  } | null;
  /**
   * A picture [1, 3, H, W], -1 to 1 -> the moments of its latents [1, 2 * latentChannels, h, w]: their mean before
   * the scaling factor, then the logarithm of their variance.
   */
  encode(image: Float32Array, size: PictureSize): Promise<Float32Array>;
  /**
   * Moves what computes in float16 to float32, after a picture of one colour; false if nothing changed.
   * Absent where a model has one way to compute.
   */
  leaveFp16?(): Promise<boolean>;
  /** Whether something was computed again, more exactly, since the last call. */
  takeRedone?(): boolean;
  /** Frees all sessions; the model can't be used afterwards. A second call does nothing. */
  release(): Promise<void>;
}

export type LatentShape = readonly [batch: number, channels: number, height: number, width: number];

export interface DiffusionConfig {
  readonly latentChannels: number;
  /** Side of the latents that the UNet was trained on: 64 for Stable Diffusion 1.5. */
  readonly sampleSize: number;
  /** Pixels per latent along a side: 8. */
  readonly vaeScaleFactor: number;
  /** The pipeline divides latents by this before `decode`: 0.18215. */
  readonly scalingFactor: number;
  readonly maxTokens: number;
  /** `scheduler/scheduler_config.json` as published. */
  readonly scheduler: Readonly<Record<string, unknown>>;
}
