/** Element types of published weights, in safetensors' own spelling. */
export type WeightType =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "F8_E4M3"
  | "F8_E5M2"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U64"
  | "U32"
  | "U16"
  | "U8"
  | "BOOL";

/** Location of one tensor: contiguous, row-major, little-endian, at `offset` of `file` for `bytes` bytes. */
export interface TensorEntry {
  readonly name: string;
  readonly type: WeightType;
  readonly shape: readonly number[];
  /** Absolute path. */
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** The tensors of one published model, by the names that its graph uses. Reads nothing in advance. */
export interface Weights {
  /** For messages: the folder or file as the user wrote it. */
  readonly source: string;
  readonly names: readonly string[];
  /**
   * Changes when any weight file changes (name, size, modification time, header); part of a compiled graph's
   * cache key.
   */
  readonly fingerprint: string;
  get(name: string): TensorEntry | undefined;
  /** The tensor's raw bytes, as stored. Throws CheckpointError CHECKPOINT_MISSING or CHECKPOINT_CORRUPT. */
  read(name: string): Uint8Array;
  /** The tensor's values converted to float32, in storage order. */
  readFloat32(name: string): Float32Array;
}
