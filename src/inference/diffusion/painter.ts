import sharp from "sharp";
import { openDiffusion } from "../../checkpoints/diffusion-files.js";
import { weightsHash } from "../../checkpoints/weights-hash.js";
import { type PictureJudgement, UNJUDGED } from "../../core/judgement.js";
import { PROGRAM } from "../../core/version.js";
import type { FloatType } from "../../onnx/graph.js";
import { openDevice } from "../open-device.js";
import { writeComparison } from "../pictures/comparison.js";
import { writeContactSheet } from "../pictures/contact-sheet.js";
import { writePng } from "../pictures/png.js";
import { ClipTokenizer } from "../promptist/tokenizer.js";
import type { Drawn, DrawRequest, ImageSpec } from "../protocol.js";
import type { CallContext, OpenModel } from "../worker-model.js";
import { drawPicture } from "./pipeline.js";
import type { SmallPicture } from "./preview.js";
import { StableDiffusion } from "./stable-diffusion.js";

/** Types to try on a GPU, the best first. */
const FLOATS: Readonly<Record<ImageSpec["precision"], readonly FloatType[]>> = {
  auto: ["float16", "float32"],
  fp16: ["float16"],
  fp32: ["float32"],
};

/**
 * The image worker's model: Stable Diffusion with its tokenizer, and the pictures made of its pictures.
 * @throws CheckpointError or InferenceError as `StableDiffusion.open`
 */
export async function openPainter(spec: ImageSpec): Promise<OpenModel> {
  const floats = FLOATS[spec.precision];
  const device = await openDevice(spec.device, { user: "image", floats, cacheDir: spec.cacheDir });
  const tokenizer = ClipTokenizer.open(spec.tokenizer);
  const model = await StableDiffusion.open({ ...spec, device });
  const { latentChannels, sampleSize, vaeScaleFactor } = model.config;
  const files = openDiffusion(spec.directory);
  const side = sampleSize * vaeScaleFactor;

  const judgement: PictureJudgement = { ...UNJUDGED, safety: spec.harmless ? "harmless" : "unchecked" };
  const draw = async (request: DrawRequest, context: CallContext): Promise<Drawn> => {
    const { prompt, settings, file, checkpoint, previewMs = null } = request;
    const preview =
      previewMs === null
        ? null
        : {
            everyMs: previewMs,
            emit: async (small: SmallPicture) => context.onPreview(await previewFile(small)),
          };
    const picture = await drawPicture(
      model,
      tokenizer,
      { ...settings, prompt },
      { signal: context.signal, onStep: context.onStep, preview },
    );
    const { width, height, calls, seconds, truncated } = picture;
    const size = { width, height };
    const parameters = { ...settings, prompt, size, checkpoint, program: PROGRAM };
    await writePng(file, picture.pixels, width, height, parameters);
    return { ...size, file, seed: settings.seed, calls, seconds, truncated, judgement };
  };
  return {
    info: {
      device: device.name,
      deviceNote: device.note,
      precision: model.precision,
      weightBytes: model.weightBytes,
      hash: await weightsHash(
        (["text_encoder", "unet", "vae"] as const).map((part) => files.weights(part, model.precision)),
        spec.cacheDir,
      ),
      parameters: `Stable Diffusion, ${side}x${side} pixels native, ${latentChannels} latent channels`,
    },
    handlers: {
      draw,
      judge: async () => judgement,
      compose: ({ pair, file }) => writeComparison(pair, file),
      sheet: ({ pairs, file, numbers }) => writeContactSheet(pairs, file, numbers),
    },
    release: () => model.release(),
  };
}

const PREVIEW_WIDTH = 256;

/** A few kilobytes that a message can carry again and again. */
const previewFile = ({ pixels, width, height }: SmallPicture): Promise<Buffer> =>
  sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize({ width: PREVIEW_WIDTH })
    .webp({ quality: 70 })
    .toBuffer();
