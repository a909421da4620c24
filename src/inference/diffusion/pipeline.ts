import { setImmediate as nextTurn } from "node:timers/promises";
import { InferenceError, InputError } from "../../core/errors.js";
import type { PictureNote } from "../../core/job.js";
import {
  IMAGE_RANGES,
  type ImageOptions,
  isInRange,
  LIMIT_RANGES,
  type PictureSize,
  type Range,
  REWRITE_LENGTH_FACTOR,
  SCHEDULERS,
  STRENGTH_RANGE,
} from "../../core/options.js";
import { leastStrength, stepsTaken } from "../../core/source.js";
import type { Rgb } from "../../pictures/rgb.js";
import { roundHalfToEven } from "../numbers/round.js";
import { TorchRandom } from "../numbers/torch-random.js";
import { type Conditioning, predictGuided } from "./guidance.js";
import type { DiffusionConfig, DiffusionModel, LatentShape } from "./model.js";
import { Previews } from "./preview.js";
import { encodePrompts, type PromptTokenizer } from "./prompts.js";
import { createScheduler, stableDiffusionConfig } from "./schedulers/create.js";
import type { Scheduler } from "./schedulers/scheduler.js";
import { isPlain } from "./usable.js";

/** What to draw. */
export interface PictureRequest extends Omit<ImageOptions, "from"> {
  readonly prompt: string;
  /** The picture to go on from; its size is that of the request. */
  readonly from?: StartPicture | null;
}

/** A picture to begin with in place of noise alone. */
export interface StartPicture {
  readonly picture: Rgb;
  /** Over 0 to 1: the share of the steps that are taken, from as noisy a picture. */
  readonly strength: number;
}

export type { PromptTokenizer } from "./prompts.js";

export interface DrawOptions {
  readonly signal?: AbortSignal;
  /**
   * Called after each evaluation of the UNet with the steps done, of those asked for. A scheduler may need
   * more evaluations than steps, as PNDM does; then some evaluations end in the same step.
   */
  readonly onStep?: (done: number, of: number) => void;
  /** The picture is a part of a larger one, so it may be small, and of one colour. */
  readonly isPart?: boolean;
  /** Called from time to time with the unfinished picture; null for no previews. */
  readonly preview?: {
    readonly everyMs: number;
    readonly emit: (picture: Rgb) => Promise<void>;
  } | null;
}

export interface Picture extends Rgb {
  /** The words of the prompt that the text encoder does not read. */
  readonly truncated: string | null;
  /** The same of the negative prompt. */
  readonly truncatedNegative: string | null;
  readonly notes: readonly PictureNote[];
  /** Evaluations of the UNet. */
  readonly calls: number;
  readonly seconds: number;
}

/**
 * Draws one picture: diffusers' StableDiffusionPipeline with its defaults, noise from torch's CPU generator. With
 * `from` it is the StableDiffusionImg2ImgPipeline.
 *
 * Symbols: C latent channels, h x w latents, H x W pixels, L tokens, D text channels.
 * @throws InputError if this checkpoint cannot draw the request, or not with this memory; nothing ran then
 * @throws InferenceError CANCELLED if `signal` is aborted, INTERNAL if the model's output is not a number
 */
export async function drawPicture(
  model: DiffusionModel,
  tokenizer: PromptTokenizer,
  request: PictureRequest,
  { signal, onStep, preview = null, isPart = false }: DrawOptions = {},
): Promise<Picture> {
  const started = performance.now();
  const { width, height } = checkRequest(request, model.config, isPart);
  const newScheduler = (): Scheduler => {
    const config = stableDiffusionConfig(request.scheduler, model.config.scheduler);
    const created = createScheduler(request.scheduler, config);
    created.setTimesteps(request.steps);
    return created;
  };
  const scheduler = newScheduler();
  const begin = firstStep(request);
  throwIfCancelled(signal);
  await model.prepare?.({ width, height });

  const { latentChannels, vaeScaleFactor, scalingFactor } = model.config;
  const shape: LatentShape = [1, latentChannels, height / vaeScaleFactor, width / vaeScaleFactor];
  const drawOnce = async (scheduler: Scheduler) => {
    const { text, ...cut } = await encodePrompts(model, tokenizer, request); // [rows, L, D]
    const random = new TorchRandom(request.seed);
    const start = request.from
      ? await startFrom(model, scheduler, shape, random, request.from.picture, begin)
      : random.randn(sizeOf(shape)).map((x) => x * scheduler.initNoiseSigma);
    const latents = await denoise(model, scheduler, start, shape, random, {
      conditioning: { text, guidance: request.guidance },
      steps: request.steps - begin,
      begin,
      preview,
      ...(signal && { signal }),
      ...(onStep && { onStep }),
    }); // [1, C, h, w]
    const image = model.tiny?.isFinal
      ? await model.tiny.decode(latents, shape)
      : await model.decode(
          latents.map((x) => x / scalingFactor),
          shape,
        ); // [1, 3, H, W]
    return { image, cut };
  };

  model.takeRedone?.();
  let { image, cut } = await drawOnce(scheduler);
  throwIfCancelled(signal);
  const isWhollyPlain = () => !isPart && isPlain(image, width * height);
  // The decoder was tried in float32 by now; the latents may have lost the picture.
  if (isWhollyPlain() && (await model.leaveFp16?.())) {
    ({ image, cut } = await drawOnce(newScheduler()));
    throwIfCancelled(signal);
  }
  const notes: PictureNote[] = [];
  if (model.takeRedone?.()) notes.push("redone");
  if (isWhollyPlain()) notes.push("plain");
  return {
    pixels: toRgb(image, width, height),
    width,
    height,
    ...cut,
    notes,
    calls: scheduler.timesteps.length - begin,
    seconds: (performance.now() - started) / 1000,
  };
}

/** Index of the first step: the steps before it would make the picture's beginning noisier than `strength` asks. */
function firstStep({ from, steps }: PictureRequest): number {
  if (!from) return 0;
  requireRange("strength", from.strength, STRENGTH_RANGE);
  const taken = stepsTaken(steps, from.strength);
  if (taken >= 1) return steps - taken;
  const least = leastStrength(steps);
  throw new InputError(
    "INPUT_OPTION",
    `With ${steps} steps, strength ${from.strength} takes none of them. Give at least ${least}, or more steps.`,
    { option: "strength", value: from.strength, limit: least },
  );
}

/** Bounds of the logarithm of the latents' variance, as in diffusers' DiagonalGaussianDistribution. */
const LOG_VARIANCE = { min: -30, max: 20 };

/** The picture's latents, drawn from what the encoder makes of it, at the noise level of the step `begin`. */
async function startFrom(
  model: DiffusionModel,
  scheduler: Scheduler,
  shape: LatentShape,
  random: TorchRandom,
  picture: Rgb,
  begin: number,
): Promise<Float32Array> {
  const { scalingFactor } = model.config;
  const moments = await model.encode(fromRgb(picture), picture); // [1, 2C, h, w]
  const count = sizeOf(shape);
  if (moments.length !== 2 * count)
    throw new InferenceError("INTERNAL", `The encoder made ${moments.length} values, not ${2 * count}.`);
  const clean = random.randn(count).map((z, i) => {
    const logVariance = Math.min(Math.max(moments[count + i]!, LOG_VARIANCE.min), LOG_VARIANCE.max);
    return Math.fround(moments[i]! + Math.exp(0.5 * logVariance) * z) * scalingFactor;
  });
  return scheduler.start(clean, random.randn(count), begin);
}

const sizeOf = (shape: LatentShape): number => shape.reduce((product, size) => product * size, 1);

async function denoise(
  model: DiffusionModel,
  scheduler: Scheduler,
  start: Float32Array,
  shape: LatentShape,
  random: TorchRandom,
  options: DrawOptions & {
    readonly conditioning: Conditioning;
    /** Steps to take, from the one with index `begin`. */
    readonly steps: number;
    readonly begin: number;
  },
): Promise<Float32Array> {
  const { signal, onStep, preview, conditioning, steps, begin } = options;
  const previews = preview ? new Previews(model, preview.everyMs, preview.emit) : null;
  const { timesteps } = scheduler;
  let latents = start;
  for (const [index, timestep] of timesteps.entries()) {
    if (index < begin) continue;
    const input = scheduler.scaleModelInput(latents, index);
    const output = await predictGuided(model, input, shape, timestep, conditioning);
    latents = scheduler.step(output, index, latents, random);
    onStep?.(Math.ceil(((index + 1 - begin) * steps) / (timesteps.length - begin)), steps);
    // After the last step comes the picture itself, so no preview.
    if (index + 1 < timesteps.length)
      await previews?.show(scheduler.scaleModelInput(latents, index + 1), shape);
    // The model blocks this thread; yield so that a waiting message, such as a cancel, can arrive.
    await nextTurn();
    throwIfCancelled(signal);
  }
  return latents;
}

/** Characters of a text: whatever a command may take as a prompt, and a rewrite of it, can be drawn. */
const TEXT_MAX = LIMIT_RANGES.promptLength.max * REWRITE_LENGTH_FACTOR;

/** The picture's size, if the request can be drawn. */
function checkRequest(request: PictureRequest, config: DiffusionConfig, isPart: boolean): PictureSize {
  if (request.prompt.trim() === "") {
    throw new InputError("INPUT_EMPTY", "The prompt is empty. Say what the picture should show.");
  }
  for (const [name, text] of [
    ["prompt", request.prompt],
    ["negative prompt", request.negative],
  ] as const) {
    if (text.length > TEXT_MAX && [...text].length > TEXT_MAX) {
      throw new InputError(
        "INPUT_TOO_LONG",
        `The ${name} has more than ${TEXT_MAX} characters. Shorten it.`,
        { limit: TEXT_MAX },
      );
    }
  }
  for (const option of ["steps", "guidance", "seed"] as const)
    requireRange(option, request[option], IMAGE_RANGES[option]);
  if (!SCHEDULERS.includes(request.scheduler)) {
    throw new InputError(
      "INPUT_OPTION",
      `There is no scheduler "${request.scheduler}". Choose one of ${SCHEDULERS.join(", ")}.`,
      { option: "scheduler", value: request.scheduler },
    );
  }
  const native = config.sampleSize * config.vaeScaleFactor;
  const size = request.from?.picture ?? request.size ?? { width: native, height: native };
  for (const option of ["width", "height"] as const) {
    // A miniature's own size may be below the minimum that makes sense for others.
    const { min, max } = IMAGE_RANGES.side;
    requireRange(option, size[option], {
      ...IMAGE_RANGES.side,
      min: isPart ? config.vaeScaleFactor : Math.min(min, native),
      max: Math.max(max, native),
    });
    if (size[option] === native) continue;
    if (size[option] % config.vaeScaleFactor !== 0) {
      throw new InputError(
        "INPUT_OPTION",
        `The picture's ${option} must be a multiple of ${config.vaeScaleFactor}, got ${size[option]}. Try ${nearestMultiple(size[option], config.vaeScaleFactor)}.`,
        { option, value: size[option], multiple: config.vaeScaleFactor },
      );
    }
  }
  return size;
}

function requireRange(option: string, value: number, range: Range): void {
  if (isInRange(value, range)) return;
  const { min, max, whole } = range;
  throw new InputError(
    "INPUT_OPTION",
    `${option} must be a ${whole ? "whole " : ""}number from ${min} to ${max}, got ${value}.`,
    { option, value, min, max },
  );
}

const nearestMultiple = (value: number, step: number): number => Math.round(value / step) * step;

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new InferenceError("CANCELLED", "Drawing was cancelled.", { cause: signal.reason });
  }
}

/** RGB bytes [H, W, 3] to values of -1..1 in [1, 3, H, W], in diffusers' steps of float32. */
function fromRgb({ pixels, width, height }: Rgb): Float32Array {
  const plane = width * height;
  const image = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++)
    for (let i = 0; i < plane; i++)
      image[channel * plane + i] = 2 * Math.fround(pixels[3 * i + channel]! / 255) - 1;
  return image;
}

/** Values of about -1..1 in [1, 3, H, W] to RGB bytes [H, W, 3], rounded like numpy in diffusers. */
function toRgb(image: Float32Array, width: number, height: number): Uint8Array {
  const plane = width * height;
  if (image.length !== 3 * plane) {
    throw new InferenceError(
      "INTERNAL",
      `The decoder made ${image.length} values for ${width}x${height} pixels.`,
    );
  }
  const pixels = new Uint8Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < plane; i++) {
      const value = image[channel * plane + i]!;
      if (Number.isNaN(value)) {
        throw new InferenceError(
          "INTERNAL",
          "The decoder's output is not a number, in full precision too: the checkpoint's VAE is damaged. Check its files with promptist checkpoints check.",
        );
      }
      const unit = Math.min(Math.max(Math.fround(Math.fround(value / 2) + 0.5), 0), 1);
      pixels[3 * i + channel] = roundHalfToEven(Math.fround(unit * 255));
    }
  }
  return pixels;
}
