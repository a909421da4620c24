import { InferenceError } from "../../core/errors.js";
import type { TextStates } from "../../models/clip-text.js";
import type { DiffusionModel, LatentShape } from "./model.js";
import { areNumbers } from "./usable.js";

/** Hidden states of the negative prompt and the prompt; without guidance only the prompt's. */
export interface Conditioning {
  /** Rows: [negative, prompt] or [prompt]. */
  readonly text: TextStates;
  /** w; 1 or less means no guidance. */
  readonly guidance: number;
}

/** Whether that strength has any effect; at 1 the formula below is the prompt's own prediction. */
export const isGuided = (guidance: number): boolean => guidance > 1;

/**
 * The model's output for one picture under classifier-free guidance; Ho and Salimans, 2022 (arXiv
 * 2207.12598), in Stable Diffusion's form of formula (6):
 *
 *     e = e(x, negative) + w (e(x, prompt) - e(x, negative))
 */
export async function predictGuided(
  model: DiffusionModel,
  input: Float32Array,
  shape: LatentShape,
  timestep: number,
  { text, guidance }: Conditioning,
): Promise<Float32Array> {
  if (!isGuided(guidance)) return checkFinite(await model.predictNoise(input, shape, timestep, text));
  const size = input.length;
  const twice = new Float32Array(2 * size);
  twice.set(input);
  twice.set(input, size);
  const [, channels, height, width] = shape;
  const both = await model.predictNoise(twice, [2, channels, height, width], timestep, text); // [2, C, h, w]
  return blend(both.subarray(0, size), both.subarray(size), guidance);
}

function blend(negative: Float32Array, prompt: Float32Array, guidance: number): Float32Array {
  return checkFinite(negative.map((u, i) => u + guidance * (prompt[i]! - u)));
}

/**
 * Throws if a value is not a number: it would spread over the whole picture in a few steps, and no picture is
 * better than a black one.
 */
function checkFinite(values: Float32Array): Float32Array {
  if (areNumbers(values)) return values;
  throw new InferenceError(
    "INTERNAL",
    "The UNet's output is not a number, in full precision too: the checkpoint is damaged. Check its files with promptist checkpoints check.",
  );
}
