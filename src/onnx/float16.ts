/** IEEE 754 binary16, as bits in a Uint16Array: on Node 20 JavaScript has no such number type. */

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The nearest half to a float32 number, ties to even; infinity beyond 65504, as in C and numpy. */
export function toFloat16Bits(value: number): number {
  scratch[0] = value;
  const bits = scratchBits[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x47800000) {
    // 65536 and above, infinity, or NaN (kept quiet).
    return magnitude > 0x7f800000 ? sign | 0x7e00 : sign | 0x7c00;
  }
  if (magnitude < 0x38800000) {
    // Below 2^-14 halves are multiples of 2^-24; adding 0.5 lets the float32 unit round the sum to them.
    scratch[0] = Math.abs(value) + 0.5;
    return sign | ((scratchBits[0] as number) - 0x3f000000);
  }
  // Rebias the exponent by 127 - 15 and round 13 bits away, to even. A carry may run into infinity, which is
  // right.
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

/** The exact value of a half. */
export function fromFloat16Bits(bits: number): number {
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const magnitude =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/** Bits of the nearest half to each value. */
export function float16FromFloat32(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = toFloat16Bits(values[i] as number);
  return halves;
}

let decoded: Float32Array | undefined;

/** Converts halves to float32; a table of all 65536 makes this take seconds, even for gigabytes. */
export function float32FromFloat16(halves: Uint16Array): Float32Array {
  decoded ??= Float32Array.from({ length: 65536 }, (_, bits) => fromFloat16Bits(bits));
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = decoded[halves[i] as number] as number;
  return values;
}
