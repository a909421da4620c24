import { toFloat16Bits } from "./float16.js";
import { ELEMENT_BYTES, type ElementType } from "./proto.js";

/**
 * A tensor's values. Float16 is stored as bits in a Uint16Array; plain numbers are rounded to the target
 * type.
 */
export type TensorData =
  | Float32Array
  | Uint16Array
  | BigInt64Array
  | Int32Array
  | Uint8Array
  | Int8Array
  | readonly number[];

export interface TensorSpec {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

const ARRAY = {
  float32: Float32Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const satisfies Record<ElementType, unknown>;

export const elementCount = (shape: readonly number[]): number =>
  shape.reduce((count, size) => count * size, 1);

export const tensorByteLength = ({ type, shape }: TensorSpec): number =>
  elementCount(shape) * ELEMENT_BYTES[type];

function fromNumbers(type: ElementType, numbers: readonly number[]) {
  if (type === "int64") return BigInt64Array.from(numbers, BigInt);
  if (type === "float16") return Uint16Array.from(numbers, toFloat16Bits);
  return ARRAY[type].from(numbers);
}

/** The bytes of a tensor as ONNX stores them. Throws if the values don't fit the type and shape. */
export function tensorBytes(spec: TensorSpec, data: TensorData): Uint8Array {
  const array = Array.isArray(data)
    ? fromNumbers(spec.type, data as readonly number[])
    : (data as Exclude<TensorData, readonly number[]>);
  if (!(array instanceof ARRAY[spec.type]) || array.length !== elementCount(spec.shape))
    throw new TypeError(
      `${spec.type} [${spec.shape}] can't hold ${array.length} values of ${array.constructor.name}`,
    );
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
