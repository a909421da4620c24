import { createHash } from "node:crypto";
import { CheckpointError } from "../../core/errors.js";
import { ELEMENT_BYTES, elementCount, toFloat32 } from "./element-types.js";
import { withFile } from "./file.js";
import type { TensorEntry, Weights } from "./weights.js";

/**
 * `TensorEntry.offset` of a tensor that is not contiguous in the file (a strided view of a PyTorch storage):
 * only `read` gives its bytes.
 */
export const NOT_IN_PLACE = -1;

/** True if the entry can be referenced in its file, instead of copying the result of `read`. */
export const isInPlace = (entry: TensorEntry): boolean => entry.offset !== NOT_IN_PLACE;

/** A tensor in a file. With `strided` it is gathered on reading, and its `offset` is NOT_IN_PLACE. */
export interface StoredTensor extends TensorEntry {
  readonly strided?: {
    /** File offset of the first element. */
    readonly start: number;
    /** Distance between neighbours along each dimension, in elements. */
    readonly strides: readonly number[];
  };
}

/** Weights that lie in one or several files; made by the readers of file formats. */
export class StoredWeights implements Weights {
  readonly names: readonly string[];
  readonly #tensors: ReadonlyMap<string, StoredTensor>;

  constructor(
    readonly source: string,
    readonly fingerprint: string,
    tensors: Iterable<StoredTensor>,
    /** The texts of a safetensors file's header; empty for other files. */
    readonly metadata: Readonly<Record<string, string>> = {},
  ) {
    this.#tensors = new Map(Array.from(tensors, (tensor) => [tensor.name, tensor]));
    this.names = [...this.#tensors.keys()];
  }

  get(name: string): StoredTensor | undefined {
    return this.#tensors.get(name);
  }

  read(name: string): Uint8Array {
    const tensor = this.#tensors.get(name);
    if (!tensor) {
      throw new CheckpointError("CHECKPOINT_TENSORS", `${this.source} has no tensor named "${name}".`);
    }
    // Opened for each tensor: that costs microseconds, keeps no file open, and notices a file deleted
    // meanwhile.
    return withFile(tensor.file, (file) => {
      const { strided } = tensor;
      if (!strided) return file.read(tensor.offset, tensor.bytes);
      const elementBytes = ELEMENT_BYTES[tensor.type];
      const span = spanOf(tensor.shape, strided.strides);
      return gather(
        file.read(strided.start, span * elementBytes),
        elementBytes,
        tensor.shape,
        strided.strides,
      );
    });
  }

  readFloat32(name: string): Float32Array {
    return toFloat32(this.read(name), this.get(name)!.type);
  }
}

/** Combines several files; maps each tensor name to the file that holds it. */
export function joinWeights(source: string, parts: ReadonlyMap<string, StoredWeights>): StoredWeights {
  const fingerprints = [...new Set(parts.values())].map((part) => part.fingerprint);
  const fingerprint = createHash("sha256").update(fingerprints.sort().join()).digest("hex");
  return new StoredWeights(
    source,
    fingerprint,
    Array.from(parts, ([name, part]) => part.get(name)!),
  );
}

/** Elements from the first to the last of a strided view, inclusive; 0 for an empty one. */
export function spanOf(shape: readonly number[], strides: readonly number[]): number {
  if (elementCount(shape) === 0) return 0;
  return shape.reduce((last, dimension, axis) => last + (dimension - 1) * strides[axis]!, 1);
}

/** Whether a view is row-major without gaps; the stride of a dimension of size 1 does not matter. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (elementCount(shape) === 0) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Copies a strided view into row-major order. */
function gather(
  bytes: Uint8Array,
  elementBytes: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const count = elementCount(shape);
  const result = new Uint8Array(count * elementBytes);
  const from = elementsOf(bytes.buffer, elementBytes);
  const to = elementsOf(result.buffer, elementBytes);
  const index = new Array<number>(shape.length).fill(0);
  let position = 0;
  for (let i = 0; i < count; i++) {
    to[i] = from[position]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      position -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** Copies bit patterns only, so that no NaN changes. */
function elementsOf(buffer: ArrayBufferLike, elementBytes: number): { [index: number]: number | bigint } {
  if (elementBytes === 8) return new BigUint64Array(buffer);
  if (elementBytes === 4) return new Uint32Array(buffer);
  return elementBytes === 2 ? new Uint16Array(buffer) : new Uint8Array(buffer);
}
