import { z } from "zod";

/*
 * The sizes that a configuration may ask for, a few times those of the largest published model of its kind.
 * A graph is built before the weights are compared with it, so without bounds a config.json of a few bytes
 * would take all time and memory.
 */

/** A whole number from 1 to `max`. */
export const upTo = (max: number) => z.int().positive().max(max);

/** Transformer layers: 48 in GPT-2 XL and CLIP ViT-bigG. */
export const layerCount = upTo(256);
/** Channels of a transformer: 5,120 in Cerebras-GPT 13B, of GPT-2's architecture. */
export const width = upTo(32_768);
/** Channels of its feed-forward layer, usually four times its width. */
export const innerWidth = upTo(131_072);
/** Heads of attention: 40 in Cerebras-GPT 13B. */
export const headCount = upTo(512);
/** Tokens of a vocabulary: 250,002 in the multilingual CLIP of XLM-R. */
export const vocabularySize = upTo(1_000_000);
/** Context of a GPT-2: 2,048 in Cerebras-GPT. */
export const positionCount = upTo(32_768);
/** Context of CLIP's text tower: 248 in Long-CLIP. Its mask has the square of this many numbers. */
export const clipPositionCount = upTo(1_024);
/** Side of CLIP's pictures, in pixels: 378 in ViT-H. */
export const clipSide = upTo(2_048);
/** Length of CLIP's embeddings: 1,280 in ViT-bigG. */
export const projectionWidth = upTo(16_384);

/**
 * One entry for each level of a UNet or a VAE: 4 in both of Stable Diffusion. Counted before any is looked
 * at, so that a long list is one fault and not as many as it has entries.
 */
export const levelsOf = <T extends z.ZodType>(entry: T) =>
  z.array(z.any()).min(1).max(8, { abort: true }).pipe(z.array(entry));
/** Channels of a convolution: 1,280 in the UNets of Stable Diffusion and SDXL. */
export const channelCount = upTo(8_192);
/** Channels of latents: 4 in Stable Diffusion, 16 in its third version. */
export const latentChannelCount = upTo(64);
/** Residual blocks of a level: 2 in Stable Diffusion. */
export const blockCount = upTo(16);
/** Transformer blocks of an attention block: 10 in SDXL. */
export const transformerBlockCount = upTo(32);
/** Side of the latents a UNet was trained on: 128 in SDXL. */
export const latentSide = upTo(1_024);
/** Side of the pictures a VAE was trained on, in pixels: 1,024 in SDXL's. */
export const pictureSide = upTo(8_192);
