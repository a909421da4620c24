import type { Rgb } from "../../pictures/rgb.js";

/**
 * Pillow's fixed point for 8-bit pictures (Resample.c, PRECISION_BITS): products of a byte and a weight fit
 * 32 bits.
 */
const PRECISION_BITS = 22;
/** Support of the cubic at scale 1, in pixels. */
const SUPPORT = 2;
/** Keys' free parameter; Pillow uses -0.5, other programs -0.75. */
const A = -0.5;

/** Keys' cubic (1981). */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
}

/** For each pixel of a resized line: its first source pixel, and the weights from there on. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` for each pixel. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** When a line shrinks, the cubic widens by the same factor, so that no pixel is skipped. */
function tapsOf(from: number, to: number): Taps {
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = SUPPORT * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * stride);
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const low = Math.max(Math.trunc(center - support + 0.5), 0);
    const high = Math.min(Math.trunc(center + support + 0.5), from);
    const line = Array.from({ length: high - low }, (_, k) =>
      cubic((k + low - center + 0.5) * (1 / filterScale)),
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

/**
 * Bicubic with antialiasing, the same bytes as Pillow's Image.resize(..., BICUBIC), which CLIP's processor
 * calls: first along rows, rounded, then along columns. Pillow 13 reverses the order when it shrinks pictures
 * much taller than wide; some bytes then differ by 1 or 2. sharp's cubic kernel differs by more everywhere.
 */
export function resizeBicubic({ pixels, width, height }: Rgb, toWidth: number, toHeight: number): Rgb {
  const rows =
    width === toWidth ? pixels : along(pixels, height, tapsOf(width, toWidth), 3, 3 * width, 3 * toWidth);
  if (height === toHeight) return { pixels: rows, width: toWidth, height };
  // A column is a line whose pixels are a row apart; all channels of all columns are adjacent.
  const taps = tapsOf(height, toHeight);
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
