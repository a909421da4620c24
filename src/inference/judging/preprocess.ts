import { z } from "zod";
import { clipSide } from "../../models/bounds.js";
import { resizeBicubic } from "../../pictures/resize.js";
import type { Rgb } from "../../pictures/rgb.js";

/** Published files give the side as a number or, newer ones, by name. */
const shortestEdge = z
  .union([clipSide, z.looseObject({ shortest_edge: clipSide }).transform((size) => size.shortest_edge)])
  .default(224);
const square = z
  .union([
    clipSide,
    z
      .looseObject({ height: clipSide, width: clipSide })
      .refine(({ height, width }) => height === width, { message: "it must be square" })
      .transform(({ height }) => height),
  ])
  .default(224);
const channels = z.tuple([z.number(), z.number(), z.number()]);
const BICUBIC = 3;

/** The keys of a `preprocessor_config.json` of CLIP. Defaults are transformers', which are OpenAI's. */
export const preprocessorConfig = z
  .looseObject({
    size: shortestEdge,
    crop_size: square,
    resample: z.literal(BICUBIC).default(BICUBIC),
    image_mean: channels.default([0.48145466, 0.4578275, 0.40821073]),
    image_std: channels.default([0.26862954, 0.26130258, 0.27577711]),
    rescale_factor: z.number().default(1 / 255),
    do_resize: z.literal(true).default(true),
    do_center_crop: z.literal(true).default(true),
    do_normalize: z.literal(true).default(true),
  })
  .refine(({ size, crop_size: crop }) => crop <= size, {
    path: ["crop_size"],
    message: "it must not be larger than size",
  });
export type PreprocessorConfig = z.output<typeof preprocessorConfig>;

/**
 * A picture as input for CLIP's towers (transformers' CLIPImageProcessor): resizes the shorter side, crops
 * the centre, subtracts the mean and divides by the deviation: [3, S, S], S = crop_size.
 */
export function clipPixels(picture: Rgb, config: PreprocessorConfig): Float32Array {
  const { size, crop_size: S, image_mean: mean, image_std: std, rescale_factor: factor } = config;
  const [width, height] =
    picture.width <= picture.height
      ? [size, Math.trunc((size * picture.height) / picture.width)]
      : [Math.trunc((size * picture.width) / picture.height), size];
  const resized = resizeBicubic(picture, width, height);
  const left = Math.floor((width - S) / 2);
  const top = Math.floor((height - S) / 2);
  const values = new Float32Array(3 * S * S);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < S; y++) {
      for (let x = 0; x < S; x++) {
        const byte = resized.pixels[3 * ((top + y) * width + left + x) + c]!;
        values[(c * S + y) * S + x] = (Math.fround(byte * factor) - mean[c]!) / std[c]!;
      }
    }
  }
  return values;
}
