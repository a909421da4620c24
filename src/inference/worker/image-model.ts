import sharp from "sharp";
import { weightsHash } from "../../checkpoints/files/weights-hash.js";
import { openDiffusion } from "../../checkpoints/layouts/diffusion-files.js";
import type { Embedding } from "../../checkpoints/layouts/embeddings.js";
import type { UsedEmbedding } from "../../core/job.js";
import type { PictureJudgement } from "../../core/judgement.js";
import { promptModeOf } from "../../core/options.js";
import { applyStyle } from "../../core/styles.js";
import { PROGRAM } from "../../core/version.js";
import { writeComparison } from "../../pictures/comparison.js";
import { writeContactSheet } from "../../pictures/contact-sheet.js";
import { writeGrid } from "../../pictures/grid-picture.js";
import { writePng } from "../../pictures/png.js";
import { readPicture } from "../../pictures/read-picture.js";
import type { Rgb } from "../../pictures/rgb.js";
import { isGuided } from "../diffusion/guidance.js";
import { drawPicture } from "../diffusion/pipeline.js";
import { StableDiffusion } from "../diffusion/stable-diffusion.js";
import { Judge } from "../judging/judge.js";
import { withRoom } from "../judging/one-tower.js";
import { deviceMemory } from "../runtime/device-memory.js";
import { openDevice } from "../runtime/open-device.js";
import { planOn, plansToTry, precisionOf } from "../runtime/precision.js";
import { Upscaler } from "../upscaling/upscaler.js";
import { drawFrom, toldOf, type Upscale } from "./draw-from.js";
import { openPromptReader } from "./prompt-tokenizer.js";
import type { Drawn, DrawRequest, ImageSpec, JudgeRequest } from "./protocol.js";
import { usedModels } from "./used-models.js";
import type { CallContext, LoadedModel, OnDevice } from "./worker-model.js";

/**
 * The image worker's model: Stable Diffusion with its tokenizer, the judges of its pictures, and sharp to
 * compose pictures. Diffusion and judges stay loaded; if the device is too small for both, one makes room for
 * the other, and if it is too small for all of Stable Diffusion, its parts are loaded in turn.
 * @throws CheckpointError or InferenceError like `StableDiffusion.open` and `Judge.open`
 */
export async function loadImageModel(spec: ImageSpec, onDevice: OnDevice = () => {}): Promise<LoadedModel> {
  const { cacheDir, directory, judges, loras, threads, vae } = spec;
  const plans = plansToTry(spec.precision);
  const device = await openDevice(spec.device, { user: "image", plans, cacheDir });
  onDevice(device.name);
  const reader = openPromptReader(spec.tokenizer, directory, spec.embeddings ?? []);
  const { tokenizer } = reader;
  const vectors = reader.embeddings.flatMap((embedding) => embedding.vectors);
  const files = openDiffusion(directory, vae);
  const precision = precisionOf(planOn(device, spec.precision));
  const judge = await Judge.open({
    files: judges,
    device,
    precision,
    cacheDir,
    threads,
    textEncoder: {
      weights: loras.length > 0 ? null : files.weights("text_encoder", precision),
      encode: (ids) => model.encodeText(ids),
    },
  });
  const limit = spec.memory ?? (await deviceMemory(device.name, spec.card));
  const model: StableDiffusion = await StableDiffusion.open({
    ...spec,
    vectors,
    device,
    memory: { limit, others: judge.weightBytes },
    releaseOthers: () => judge.release(),
  });
  const { config } = model;
  const models = await usedModels(spec, files, precision);
  const side = config.sampleSize * config.vaeScaleFactor;

  // An embedding may draw anything, and a picture to go on from may show anything.
  const isHarmless = (embeddings: readonly unknown[], source: { isHarmless?: boolean } | null = null) =>
    spec.harmless && embeddings.length === 0 && (source === null || source.isHarmless === true);
  const judgementOf = async (
    picture: Rgb,
    plainPrompt: string | null,
    isHarmlessDrawing: boolean,
  ): Promise<PictureJudgement> => {
    let isFull = false;
    const makeRoom = async () => {
      isFull = true;
      // Embed the prompt now, while the pipeline's text encoder is loaded.
      if (judge.sharesText && plainPrompt !== null) await judge.embedText(plainPrompt);
      await model.release();
    };
    if (model.memoryPlan.isInTurn && !judge.isIdle) await makeRoom();
    const judgement = await withRoom(() => judge.judge(picture, plainPrompt), makeRoom);
    // There was no room for both.
    if (isFull) await judge.release();
    return judgement.safety === "unchecked" && isHarmlessDrawing
      ? { ...judgement, safety: "harmless" }
      : judgement;
  };
  /** Loads the upscaler for this one picture, like the VAE's encoder. */
  const upscale: Upscale = async (file, picture, signal) => {
    const upscaler = await Upscaler.open({ file, device, precision: spec.precision, cacheDir, threads });
    try {
      return await upscaler.upscale(picture, { signal });
    } finally {
      await upscaler.release();
    }
  };
  const draw = async (request: DrawRequest, context: CallContext): Promise<Drawn> => {
    const { plainPrompt, file, checkpoint, pair, from = null, previewMs = null } = request;
    const { style } = request.options;
    const plain = { prompt: request.prompt, negative: request.options.negative };
    const { prompt, negative } = applyStyle(plain, style);
    const options = { ...request.options, negative };
    const { signal, onStep } = context;
    const preview =
      previewMs === null
        ? null
        : {
            everyMs: previewMs,
            emit: async (small: Rgb) => context.onPreview?.(await previewFile(small)),
          };
    const shown = { signal, onStep, preview };
    const picture =
      from === null
        ? await drawPicture(model, tokenizer, { ...options, prompt }, shown)
        : await drawFrom(model, tokenizer, { ...options, prompt }, from, upscale, shown);
    const { width, height, calls, seconds, truncated, truncatedNegative, notes } = picture;
    const size = { width, height };
    const prompts = isGuided(options.guidance) ? [prompt, options.negative] : [prompt];
    const embeddings = reader.used(prompts, promptModeOf(options)).map(record);
    const used = { ...models, embeddings: embeddings.map(({ name, sha256 }) => ({ name, hash: sha256 })) };
    const parameters = {
      ...options,
      prompt,
      ...(style === undefined ? {} : { plain }),
      size,
      from: from && (await toldOf(from)),
      checkpoint,
      models: used,
      pair,
      program: PROGRAM,
    };
    await writePng(file, picture.pixels, width, height, parameters);
    const judgement = await judgementOf(picture, plainPrompt, isHarmless(embeddings, from));
    return {
      ...size,
      file,
      seed: options.seed,
      calls,
      seconds,
      truncated,
      truncatedNegative,
      embeddings,
      models: [models.model, ...models.loras].map(({ name, hash }) => ({ name, hash })),
      notes,
      judgement,
    };
  };
  return {
    info: {
      device: device.name,
      deviceNote: device.note,
      notes: [...model.notes, ...someOf(reader.notes)],
      embeddings: reader.embeddings.map((embedding) => ({ ...record(embedding), names: embedding.names })),
      precision,
      weightBytes: model.weightBytes,
      // Of a preview or a copied picture nobody here knows what it is drawn with.
      harmless: isHarmless(reader.embeddings),
      hash: await weightsHash(
        (["text_encoder", "unet", "vae"] as const).map((part) => files.weights(part, precision)),
        cacheDir,
      ),
      parameters: `Stable Diffusion, ${side}x${side} pixels native, ${config.latentChannels} latent channels`,
    },
    handlers: {
      draw,
      judge: async ({ file, plainPrompt }: JudgeRequest) =>
        judgementOf(
          await readPicture(file),
          plainPrompt,
          plainPrompt !== null && isHarmless(reader.embeddings),
        ),
      compose: ({ pair, file }) => writeComparison(pair, file),
      sheet: ({ pairs, file, numbers }) => writeContactSheet(pairs, file, numbers),
      grid: writeGrid,
    },
    release: async () => {
      await Promise.all([model.release(), judge.release()]);
    },
  };
}

/** SHA-256 of a file, in hexadecimal. */
const record = ({ names, sha256 }: Embedding): UsedEmbedding => ({ name: names[0]!, sha256 });

/** A folder may hold hundreds of embeddings for other models. */
const NOTES_MAX = 5;

function someOf(notes: readonly string[]): string[] {
  const more = notes.length - NOTES_MAX;
  const rest = more > 0 ? [`${more} more embeddings are left out; promptist doctor counts them.`] : [];
  return [...notes.slice(0, NOTES_MAX), ...rest];
}

const PREVIEW_WIDTH = 256;

/** A few kilobytes, small enough for a message that is edited again and again. */
const previewFile = ({ pixels, width, height }: Rgb): Promise<Buffer> =>
  sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize({ width: PREVIEW_WIDTH })
    .webp({ quality: 70 })
    .toBuffer();
