import { float32FromFloat16 } from "../../onnx/float16.js";
import type { WeightType } from "./weights.js";

/** Bytes of one element. */
export const ELEMENT_BYTES: Readonly<Record<WeightType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

export const isWeightType = (text: string): text is WeightType => Object.hasOwn(ELEMENT_BYTES, text);

/** Number of elements of a shape; NaN if a dimension is not a count or the product exceeds 2^53 - 1. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dimension of shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) return Number.NaN;
    count *= dimension;
  }
  return Number.isSafeInteger(count) ? count : Number.NaN;
}

/**
 * Values as float32, in storage order. `bytes` must begin at the start of its buffer (as `Weights.read` gives
 * them); the result of F32 shares that memory.
 */
export function toFloat32(bytes: Uint8Array, type: WeightType): Float32Array {
  const { buffer, byteOffset } = bytes;
  const count = bytes.byteLength / ELEMENT_BYTES[type];
  switch (type) {
    case "F32":
      return new Float32Array(buffer, byteOffset, count);
    case "F16":
      return float32FromFloat16(new Uint16Array(buffer, byteOffset, count));
    case "BF16": {
      // A bfloat16 is the upper half of a float32.
      const upper = new Uint32Array(count);
      const bits = new Uint16Array(buffer, byteOffset, count);
      for (let i = 0; i < count; i++) upper[i] = bits[i]! << 16;
      return new Float32Array(upper.buffer);
    }
    case "F8_E4M3": {
      // `from` with a function would first make a list, which has no room for a hundred million numbers.
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = E4M3[bytes[i]!]!;
      return values;
    }
    case "F8_E5M2": {
      // Its bits are the upper half of a float16's.
      const halves = new Uint16Array(count);
      for (let i = 0; i < count; i++) halves[i] = bytes[i]! << 8;
      return float32FromFloat16(halves);
    }
    case "F64":
      return Float32Array.from(new Float64Array(buffer, byteOffset, count));
    case "I64": {
      const integers = new BigInt64Array(buffer, byteOffset, count);
      return Float32Array.from({ length: count }, (_, i) => Number(integers[i]!));
    }
    case "I32":
      return Float32Array.from(new Int32Array(buffer, byteOffset, count));
    case "I16":
      return Float32Array.from(new Int16Array(buffer, byteOffset, count));
    case "I8":
      return Float32Array.from(new Int8Array(buffer, byteOffset, count));
    case "U64": {
      const integers = new BigUint64Array(buffer, byteOffset, count);
      return Float32Array.from({ length: count }, (_, i) => Number(integers[i]!));
    }
    case "U32":
      return Float32Array.from(new Uint32Array(buffer, byteOffset, count));
    case "U16":
      return Float32Array.from(new Uint16Array(buffer, byteOffset, count));
    case "U8":
    case "BOOL":
      return Float32Array.from(bytes);
  }
}

/**
 * The values of float8_e4m3fn (Micikevicius et al., "FP8 Formats for Deep Learning", 2022, table 1): a sign, 4
 * bits of exponent with bias 7, 3 of mantissa, no infinities, and NaN where all seven are set.
 */
const E4M3 = Float32Array.from({ length: 256 }, (_, bits) => {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> 3) & 0xf;
  const mantissa = bits & 0x7;
  if ((bits & 0x7f) === 0x7f) return Number.NaN;
  return exponent === 0 ? (sign * mantissa) / 512 : sign * (1 + mantissa / 8) * 2 ** (exponent - 7);
});
