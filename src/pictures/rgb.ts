import type { PictureSize } from "../core/options.js";

/** A decoded picture in memory. */
export interface Rgb extends PictureSize {
  /** RGB, 8 bits each, row by row: 3 * width * height bytes. */
  readonly pixels: Uint8Array;
}
