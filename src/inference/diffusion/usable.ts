import type { Plan } from "../runtime/plan.js";
import type { Outputs } from "../runtime/session.js";

/* What a graph in half precision may give if its numbers overflow, or vanish. */

export const areNumbers = (values: Float32Array): boolean => values.every(Number.isFinite);

/** Values of the decoder go from -1 to 1, so this is one step of a byte. */
const BYTE_STEP = 2 / 255;

/**
 * Whether a picture has one colour: no channel's bytes differ by more than rounding. A decoder's pictures of
 * plain surfaces still have some grain, so this is rarely what a prompt asks for.
 * @param image [1, 3, H, W], about -1 to 1
 * @param plane H * W
 */
export function isPlain(image: Float32Array, plane: number): boolean {
  for (let start = 0; start < image.length; start += plane) {
    let [least, most] = [1, -1];
    for (let i = start; i < start + plane; i++) {
      const value = Math.min(Math.max(image[i]!, -1), 1);
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    if (most - least > BYTE_STEP) return false;
  }
  return true;
}

/** Whether a decoder's picture can be shown. Arithmetic in fp32 has no reason to end in one colour that the latents don't have. */
export function isUsablePicture({ image: { data, dims } }: Outputs<"image">, plan: Plan): boolean {
  const values = data as Float32Array;
  return areNumbers(values) && (plan !== "fp16" || !isPlain(values, dims[2]! * dims[3]!));
}
