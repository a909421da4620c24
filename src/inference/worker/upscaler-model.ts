import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { InputError } from "../../core/errors.js";
import { UPSCALED_MAX_PIXELS } from "../../core/options.js";
import { PROGRAM } from "../../core/version.js";
import { replaceFile } from "../../files/replace-file.js";
import { withPngText } from "../../pictures/png-text.js";
import { readPicture } from "../../pictures/read-picture.js";
import { readPictureText } from "../../pictures/read-text.js";
import { fitToSize } from "../../pictures/resize.js";
import { openDevice } from "../runtime/open-device.js";
import { plansToTry } from "../runtime/precision.js";
import { Upscaler } from "../upscaling/upscaler.js";
import type { Upscaled, UpscaleRequest, UpscaleSpec } from "./protocol.js";
import type { CallContext, LoadedModel, OnDevice } from "./worker-model.js";

/**
 * The upscaling worker's model, for picture files.
 * @throws CheckpointError or InferenceError like `Upscaler.open`
 */
export async function loadUpscaler(spec: UpscaleSpec, onDevice: OnDevice = () => {}): Promise<LoadedModel> {
  const { cacheDir, file, threads } = spec;
  const plans = plansToTry(spec.precision);
  const device = await openDevice(spec.device, { user: "image", plans, cacheDir });
  onDevice(device.name);
  const upscaler = await Upscaler.open({ file, device, precision: spec.precision, cacheDir, threads });
  return {
    info: {
      device: device.name,
      deviceNote: device.note,
      notes: upscaler.notes,
      precision: upscaler.precision,
      weightBytes: upscaler.weightBytes,
      hash: null,
      parameters: `${upscaler.name}, ${upscaler.factor} times as large`,
    },
    handlers: { upscale: (request, context) => upscaleFile(upscaler, request, context) },
    release: () => upscaler.release(),
  };
}

/** Writes the picture, larger, with the texts that say how it was drawn. Throws InputError FILE_*, INPUT_SIZE. */
async function upscaleFile(
  upscaler: Upscaler,
  { file, out, factor = upscaler.factor, tile }: UpscaleRequest,
  { signal, onStep }: CallContext,
): Promise<Upscaled> {
  const started = performance.now();
  const picture = await readPicture(file);
  const pixels = picture.width * picture.height * Math.max(factor, upscaler.factor) ** 2;
  if (pixels > UPSCALED_MAX_PIXELS)
    throw new InputError(
      "INPUT_SIZE",
      `${Math.ceil(pixels / 1e6)} megapixels are too many; ${file} has ${picture.width}x${picture.height}, and the result at most ${Math.floor(UPSCALED_MAX_PIXELS / 1e6)} megapixels. Make it smaller first.`,
    );
  const large = await upscaler.upscale(picture, { tile, signal, onTile: onStep });
  const side = (own: number) => Math.round(own * factor);
  const size = { width: side(picture.width), height: side(picture.height) };
  const sized = fitToSize(large, size, "default");
  const png = await sharp(sized.pixels, { raw: { ...size, channels: 3 } })
    .png()
    .toBuffer();
  await replaceFile(out, withPngText(png, { ...(await drawnWith(file)), ...toldOf(upscaler, factor) }));
  const { width, height } = picture;
  return {
    ...size,
    file: out,
    from: { width, height },
    factor,
    seconds: (performance.now() - started) / 1000,
  };
}

/** As A1111 tells what was done to a picture after it was drawn. */
const toldOf = ({ name }: Upscaler, factor: number) => ({
  postprocessing: `Postprocess upscale by: ${factor}, Postprocess upscaler: ${name.replace(/[,:"]/g, " ")}`,
  Software: PROGRAM,
});

/** What the file says of how it was drawn; a picture without such texts has none afterwards either. */
async function drawnWith(file: string): Promise<Record<string, string>> {
  try {
    const { parameters, promptist } = readPictureText(await readFile(file));
    return {
      ...(parameters === undefined ? {} : { parameters }),
      ...(promptist === undefined ? {} : { promptist }),
    };
  } catch (error) {
    if (error instanceof InputError) return {};
    throw error;
  }
}
