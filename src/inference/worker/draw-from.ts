import { parse } from "node:path";
import { freshHash } from "../../checkpoints/files/weights-hash.js";
import { InputError } from "../../core/errors.js";
import { ENLARGED_SIDE_MAX, IMAGE_RANGES, showSize } from "../../core/options.js";
import type { PictureParameters } from "../../pictures/parameters.js";
import { readPicture } from "../../pictures/read-picture.js";
import { fitToSize } from "../../pictures/resize.js";
import type { Rgb } from "../../pictures/rgb.js";
import type { DiffusionModel } from "../diffusion/model.js";
import {
  type DrawOptions,
  drawPicture,
  type Picture,
  type PictureRequest,
  type PromptTokenizer,
} from "../diffusion/pipeline.js";
import { secondPass } from "../upscaling/second-pass.js";
import type { FromFile } from "./protocol.js";

/** Makes a picture larger with the upscaler of this file. */
export type Upscale = (file: string, picture: Rgb, signal?: AbortSignal) => Promise<Rgb>;

/**
 * Draws from a picture, in the size that is asked for, cut to that shape, else in its own, rounded down to what the
 * checkpoint draws and no larger than the largest; over it, where it is made larger first. Throws InputError FILE_*, and
 * INPUT_SIZE for one that would become too large.
 */
export async function drawFrom(
  model: DiffusionModel,
  tokenizer: PromptTokenizer,
  request: Omit<PictureRequest, "from">,
  { file, strength, enlarge = 1, upscaler = null }: FromFile,
  upscale: Upscale,
  options: DrawOptions,
): Promise<Picture> {
  const whole = await readPicture(file);
  const { vaeScaleFactor } = model.config;
  const longest = enlarge === 1 ? IMAGE_RANGES.side.max : ENLARGED_SIDE_MAX / enlarge;
  const scale = Math.min(1, longest / Math.max(whole.width, whole.height));
  const side = (length: number) => Math.max(1, Math.floor(length / vaeScaleFactor)) * vaeScaleFactor;
  const size = request.size ?? { width: side(whole.width * scale), height: side(whole.height * scale) };
  const shaped = request.size === null ? whole : fitToSize(whole, size, "crop");
  if (enlarge === 1) {
    const picture = fitToSize(shaped, size, "default");
    return drawPicture(model, tokenizer, { ...request, from: { picture, strength } }, options);
  }
  const larger = { width: side(size.width * enlarge), height: side(size.height * enlarge) };
  if (Math.max(larger.width, larger.height) > ENLARGED_SIDE_MAX)
    throw new InputError(
      "INPUT_SIZE",
      `${showSize(larger)} is too large to draw over; no side may be longer than ${ENLARGED_SIDE_MAX} pixels.`,
      { size: showSize(larger), max: ENLARGED_SIDE_MAX },
    );
  const upscaled = upscaler === null ? shaped : await upscale(upscaler, shaped, options.signal);
  const picture = fitToSize(upscaled, larger, "default");
  return secondPass(model, tokenizer, { ...request, from: { picture, strength } }, options);
}

/** What a picture's file tells of the one that it goes on from. */
export async function toldOf({
  file,
  strength,
  sha256,
  enlarge = 1,
  upscaler = null,
}: FromFile): Promise<NonNullable<PictureParameters["from"]>> {
  const name = upscaler === null ? "Lanczos" : parse(upscaler).name;
  return {
    strength,
    sha256: sha256 ?? (await freshHash(file)),
    ...(enlarge === 1 ? {} : { enlarged: { times: enlarge, upscaler: name } }),
  };
}
