import { InferenceError } from "../../core/errors.js";
import type { DiffusionModel, LatentShape, TextStates } from "./model.js";

/** Hidden states of the negative prompt and of the prompt; without guidance the prompt's alone. */
export interface Conditioning {
  /** Rows: [negative, prompt] or [prompt]. */
  readonly text: TextStates;
  /** w; 1 or less means no guidance. */
  readonly guidance: number;
}

/** Whether that strength guides at all; at 1 the formula below is the prompt's own prediction. */
export const isGuided = (guidance: number): boolean => guidance > 1;

/**
 * The model's output for one picture under classifier-free guidance; Ho and Salimans, 2022 (arXiv 2207.12598), in
 * Stable Diffusion's form of formula (6):
 *
 *     e = e(x, negative) + w (e(x, prompt) - e(x, negative))
 *
 * @param split two calls of the UNet with one row each instead of one call with two rows: slower, less memory
 */
export async function predictGuided(
  model: DiffusionModel,
  input: Float32Array,
  shape: LatentShape,
  timestep: number,
  { text, guidance }: Conditioning,
  split: boolean,
): Promise<Float32Array> {
  if (!isGuided(guidance)) return checkFinite(await model.predictNoise(input, shape, timestep, text));
  const size = input.length;
  if (split) {
    const negative = await model.predictNoise(input, shape, timestep, row(text, 0));
    // A runtime may hand out the same memory at the next call.
    const kept = negative.slice();
    return blend(kept, await model.predictNoise(input, shape, timestep, row(text, 1)), guidance);
  }
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

/** Row `index` of `[rows, tokens, channels]` as `[1, tokens, channels]`. */
function row({ data, shape }: TextStates, index: number): TextStates {
  const [, tokens = 0, channels = 0] = shape;
  const size = tokens * channels;
  return { data: data.subarray(index * size, (index + 1) * size), shape: [1, tokens, channels] };
}

/** One value that is not a number spreads over the whole picture in a few steps: better no picture than a black one. */
function checkFinite(values: Float32Array): Float32Array {
  if (values.every(Number.isFinite)) return values;
  throw new InferenceError(
    "INTERNAL",
    "The UNet's output is not a number: the checkpoint is damaged, or it overflows half precision on this device. Try --precision fp32.",
  );
}
