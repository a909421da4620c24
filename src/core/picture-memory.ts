import { InputError } from "./errors.js";
import { IMAGE_RANGES, type PictureSize, SIDE_MULTIPLE, showSize } from "./options.js";

/** Reads an amount of memory such as `6GB` or `5500MB`, in bytes; null for anything else and for none. */
export function parseMemory(text: string): number | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([GM])i?B$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(amount) * 2 ** (unit?.toUpperCase() === "G" ? 30 : 20));
  return bytes > 0 ? bytes : null;
}

/** The largest size of the same shape, or nearly, with at most so many pixels; null if none can be drawn. */
export function sizeWithin({ width, height }: PictureSize, pixels: number): PictureSize | null {
  const scale = Math.min(1, Math.sqrt(pixels / (width * height)));
  // A root may miss a whole number by a little.
  const side = (length: number) => Math.floor((length * scale) / SIDE_MULTIPLE + 1e-9) * SIDE_MULTIPLE;
  const size = { width: side(width), height: side(height) };
  return Math.min(size.width, size.height) < IMAGE_RANGES.side.min ? null : size;
}

/** The refusal of a picture that does not fit into memory, where the largest that does has `mostPixels`. */
export function tooLargeForMemory(size: PictureSize, mostPixels: number): InputError {
  const largest = sizeWithin(size, mostPixels);
  const advice =
    largest === null ? "No picture does" : `The largest of its shape that does is ${showSize(largest)}`;
  return new InputError(
    "INPUT_MEMORY",
    `A picture of ${showSize(size)} does not fit into memory. ${advice}; DEVICE_MEMORY sets how much drawing may take.`,
    { size: showSize(size), ...(largest === null ? {} : { largest: showSize(largest) }) },
  );
}

/** Throws InputError INPUT_MEMORY for a picture of more pixels than fit; null: all fit. */
export function checkMemory(size: PictureSize, mostPixels: number | null): void {
  if (mostPixels !== null && size.width * size.height > mostPixels) throw tooLargeForMemory(size, mostPixels);
}
