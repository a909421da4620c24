import type { PictureSize } from "../core/options.js";
import type { Rgb } from "./rgb.js";

/**
 * Pillow's fixed point for 8-bit pictures (Resample.c, PRECISION_BITS): products of a byte and a weight fit
 * 32 bits.
 */
const PRECISION_BITS = 22;

/** How much a pixel at a distance, in pixels at scale 1, counts. */
interface Filter {
  /** Beyond this distance it counts nothing. */
  readonly support: number;
  readonly weightAt: (distance: number) => number;
}

/** Keys' free parameter; Pillow uses -0.5, other programs -0.75. */
const A = -0.5;

/** Keys' cubic (1981). */
const BICUBIC: Filter = {
  support: 2,
  weightAt: (distance) => {
    const x = Math.abs(distance);
    if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
  },
};

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** The sinc in the window of another one, three times as wide. */
const LANCZOS: Filter = {
  support: 3,
  weightAt: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0),
};

/** For each pixel of a resized line: its first source pixel, and the weights from there on. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` for each pixel. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** When a line shrinks, the filter widens by the same factor, so that no pixel is skipped. */
function tapsOf({ support: own, weightAt }: Filter, from: number, to: number): Taps {
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = own * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * stride);
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const low = Math.max(Math.trunc(center - support + 0.5), 0);
    const high = Math.min(Math.trunc(center + support + 0.5), from);
    const line = Array.from({ length: high - low }, (_, k) =>
      weightAt((k + low - center + 0.5) * (1 / filterScale)),
    );
    const sum = line.reduce((total, weight) => total + weight, 0);
    first[i] = low;
    count[i] = high - low;
    for (const [k, weight] of line.entries()) {
      const scaled = (weight / sum) * 2 ** PRECISION_BITS;
      weights[i * stride + k] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
  }
  return { first, count, weights, stride };
}

/** The same bytes as Pillow's Image.resize(..., BICUBIC), which CLIP's processor calls. */
export const resizeBicubic = (picture: Rgb, toWidth: number, toHeight: number): Rgb =>
  resize(BICUBIC, picture, toWidth, toHeight);

/** How a picture of another shape becomes one of this: diffusers' `resize_mode` of VaeImageProcessor. */
export type ResizeMode = "default" | "crop";

/**
 * A picture to go on from in the size to draw, as diffusers' VaeImageProcessor makes it with its Lanczos filter:
 * `default` stretches, `crop` keeps the shape and takes the middle.
 */
export function fitToSize(picture: Rgb, size: PictureSize, mode: ResizeMode): Rgb {
  const { width, height } = size;
  if (mode === "default") return resize(LANCZOS, picture, width, height);
  const isWider = width / height > picture.width / picture.height;
  const covering = {
    width: isWider ? width : Math.floor((picture.width * height) / picture.height),
    height: isWider ? Math.floor((picture.height * width) / picture.width) : height,
  };
  const resized = resize(LANCZOS, picture, covering.width, covering.height);
  return cutOut(resized, {
    ...size,
    left: Math.floor(covering.width / 2) - Math.floor(width / 2),
    top: Math.floor(covering.height / 2) - Math.floor(height / 2),
  });
}

/** A part of a picture. */
export function cutOut(
  picture: Rgb,
  { width, height, left, top }: PictureSize & { readonly left: number; readonly top: number },
): Rgb {
  if (picture.width === width && picture.height === height) return picture;
  const pixels = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const start = 3 * ((top + y) * picture.width + left);
    pixels.set(picture.pixels.subarray(start, start + 3 * width), 3 * y * width);
  }
  return { pixels, width, height };
}

/**
 * With antialiasing, as Pillow: first along rows, rounded, then along columns. Pillow 13 reverses the order when it
 * shrinks pictures much taller than wide; some bytes then differ by 1 or 2. sharp's kernels differ by more everywhere.
 */
function resize(filter: Filter, { pixels, width, height }: Rgb, toWidth: number, toHeight: number): Rgb {
  const rows =
    width === toWidth
      ? pixels
      : along(pixels, height, tapsOf(filter, width, toWidth), 3, 3 * width, 3 * toWidth);
  if (height === toHeight) return { pixels: rows, width: toWidth, height };
  // A column is a line whose pixels are a row apart; all channels of all columns are adjacent.
  const taps = tapsOf(filter, height, toHeight);
  const lineBytes = 3 * toWidth;
  const resized = new Uint8Array(lineBytes * toHeight);
  for (let y = 0; y < toHeight; y++) {
    const start = taps.first[y]!;
    for (let at = 0; at < lineBytes; at++) {
      let sum = 1 << (PRECISION_BITS - 1);
      for (let k = 0; k < taps.count[y]!; k++)
        sum += rows[(start + k) * lineBytes + at]! * taps.weights[y * taps.stride + k]!;
      resized[y * lineBytes + at] = clip8(sum);
    }
  }
  return { pixels: resized, width: toWidth, height: toHeight };
}

function along(
  pixels: Uint8Array,
  lines: number,
  { first, count, weights, stride }: Taps,
  channels: number,
  lineBytes: number,
  toLineBytes: number,
): Uint8Array {
  const resized = new Uint8Array(lines * toLineBytes);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < first.length; i++) {
      const from = line * lineBytes + first[i]! * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (PRECISION_BITS - 1);
        for (let k = 0; k < count[i]!; k++)
          sum += pixels[from + k * channels + c]! * weights[i * stride + k]!;
        resized[line * toLineBytes + i * channels + c] = clip8(sum);
      }
    }
  }
  return resized;
}

const clip8 = (sum: number): number => Math.min(Math.max(sum >> PRECISION_BITS, 0), 255);
