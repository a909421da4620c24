import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { CheckpointError } from "../../core/errors.js";
import { ELEMENT_BYTES, elementCount, isWeightType } from "./element-types.js";
import { corrupt, fileFingerprint, type OpenFile, shown, withFile } from "./file.js";
import { type StoredTensor, StoredWeights } from "./stored-weights.js";
import type { WeightType } from "./weights.js";

/*
 * The format (safetensors 0.x, stable): u64 little-endian length of the header, the header as JSON
 * { name: { dtype, shape, data_offsets: [begin, end] }, "__metadata__": { text: text } }, then the data without holes.
 */

/** 700 tensors need 80 kB. The reference implementation allows 100 MB, which would take seconds to parse. */
const MAX_HEADER_BYTES = 16 * 2 ** 20;
/** PyTorch's limit too. */
const MAX_RANK = 64;
const PREFIX_BYTES = 8;

/** True if a file's first bytes look like safetensors. */
export const looksLikeSafetensors = (start: Uint8Array): boolean => start[PREFIX_BYTES] === 0x7b;

/**
 * Opens one .safetensors file; only its header is read. Throws CheckpointError CHECKPOINT_MISSING,
 * CHECKPOINT_CORRUPT (a header that is invalid or does not fit the file) or CHECKPOINT_TENSORS (an
 * unsupported element type).
 */
export function openSafetensors(path: string): StoredWeights {
  return withFile(path, (file) => {
    const header = readHeader(file);
    const { tensors, metadata } = parseHeader(file, header);
    return new StoredWeights(path, fileFingerprint(file, header), tensors, metadata);
  });
}

/** The metadata texts of a file; empty if it is not a safetensors file. Throws like `openSafetensors`. */
export function readMetadata(path: string): Readonly<Record<string, string>> {
  return withFile(path, (file) => {
    if (file.bytes <= PREFIX_BYTES || !looksLikeSafetensors(file.read(0, PREFIX_BYTES + 1))) return {};
    let header: unknown;
    try {
      header = JSON.parse(new TextDecoder().decode(readHeader(file)));
    } catch (cause) {
      if (cause instanceof CheckpointError) throw cause;
      throw corrupt(file.path, "its header is not JSON", cause);
    }
    return isRecord(header) ? textsIn(header.__metadata__) : {};
  });
}

const textsIn = (metadata: unknown): Record<string, string> =>
  isRecord(metadata)
    ? Object.fromEntries(
        Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
      )
    : {};

/**
 * The tensors of a safetensors file whose beginning alone is there, such as one on a hub; null if its header ends
 * later. Throws like `openSafetensors`.
 * @param bytes length of the whole file
 */
export function openSafetensorsStart(path: string, start: Uint8Array, bytes: number): StoredWeights | null {
  const read = (offset: number, length: number) => start.slice(offset, offset + length);
  const file: OpenFile = { path, bytes, mtimeMs: 0, read };
  if (start.byteLength <= PREFIX_BYTES || !looksLikeSafetensors(start)) return null;
  const headerBytes = Number(new DataView(read(0, PREFIX_BYTES).buffer).getBigUint64(0, true));
  if (headerBytes <= MAX_HEADER_BYTES && PREFIX_BYTES + headerBytes > start.byteLength) return null;
  const header = readHeader(file);
  const { tensors, metadata } = parseHeader(file, header);
  return new StoredWeights(path, fileFingerprint(file, header), tensors, metadata);
}

/** How a header begins that `save_file` wrote with metadata. */
const METADATA_START = '{"__metadata__":{';

/**
 * A hash of all that decides a file's tensors, which files have in common that differ in metadata and numbers
 * alone, and the metadata; null if it is not a safetensors file, or not written as usual. It costs a quarter of
 * reading the header. Throws like `openSafetensors`, but passes over what is wrong in the tensors' part.
 */
export function structureOf(
  path: string,
): { readonly key: string; readonly metadata: Readonly<Record<string, string>> } | null {
  return withFile(path, (file) => {
    if (file.bytes <= PREFIX_BYTES || !looksLikeSafetensors(file.read(0, PREFIX_BYTES + 1))) return null;
    const header = readHeader(file);
    const text = Buffer.from(header.buffer, header.byteOffset, header.byteLength).toString("utf8");
    const end = text.startsWith(METADATA_START) ? endOfObject(text, METADATA_START.length - 1) : 0;
    if (end === -1) return null;
    let metadata: unknown = {};
    try {
      if (end > 0) metadata = JSON.parse(text.slice(METADATA_START.length - 1, end));
    } catch {
      return null;
    }
    const key = createHash("sha1")
      .update(String(file.bytes - header.byteLength))
      .update(text.slice(end));
    return { key: key.digest("base64"), metadata: textsIn(metadata) };
  });
}

/** Position behind the object that begins at `start`; -1 if it has no end. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) {
      i = endOfString(text, i);
      if (i === -1) return -1;
    } else if (char === OPENING) depth++;
    else if (char === CLOSING && --depth === 0) return i + 1;
  }
  return -1;
}

/** Where a file's data begins, after its header; null if it is not a safetensors file. Throws like `openSafetensors`. */
export function dataStart(path: string): number | null {
  return withFile(path, (file) => {
    if (file.bytes <= PREFIX_BYTES || !looksLikeSafetensors(file.read(0, PREFIX_BYTES + 1))) return null;
    return PREFIX_BYTES + readHeader(file).byteLength;
  });
}

function readHeader(file: OpenFile): Uint8Array {
  if (file.bytes < PREFIX_BYTES + 2) {
    throw corrupt(file.path, `it has ${file.bytes} bytes, too few for a safetensors file`);
  }
  const prefix = file.read(0, PREFIX_BYTES);
  const headerBytes = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES) {
    throw corrupt(file.path, `its header claims ${headerBytes} bytes`);
  }
  if (PREFIX_BYTES + headerBytes > file.bytes) {
    throw corrupt(file.path, `it is cut off within its header (${file.bytes} bytes are there)`);
  }
  return file.read(PREFIX_BYTES, headerBytes);
}

interface Header {
  readonly tensors: StoredTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

function parseHeader(file: OpenFile, header: Uint8Array): Header {
  let parsed: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(header);
    parsed = JSON.parse(text);
  } catch (cause) {
    throw corrupt(file.path, "its header is not JSON", cause);
  }
  if (!isRecord(parsed)) throw corrupt(file.path, "its header is not an object");
  const entries = Object.entries(parsed);
  const keys = entries.reduce(
    (sum, [, v]) => sum + (isRecord(v) ? Object.keys(v).length : 0),
    entries.length,
  );
  if (countKeys(text) !== keys) throw corrupt(file.path, "its header names something twice");

  const dataStart = PREFIX_BYTES + header.byteLength;
  const tensors = entries
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => parseTensor(file, name, value, dataStart))
    .sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.offset !== end) {
      const what = tensor.offset < end ? "overlaps the tensor before it" : "leaves a hole before it";
      throw corrupt(file.path, `tensor "${tensor.name}" ${what}`);
    }
    end += tensor.bytes;
  }
  if (end > file.bytes) throw corrupt(file.path, `it is cut off: ${end - file.bytes} bytes are missing`);
  if (end < file.bytes) {
    throw corrupt(file.path, `it has ${file.bytes - end} bytes more than its header tells`);
  }
  return { tensors, metadata: textsIn(parsed.__metadata__) };
}

function parseTensor(file: OpenFile, name: string, value: unknown, dataStart: number): StoredTensor {
  const bad = (what: string) => corrupt(file.path, `tensor "${name}" ${what}`);
  if (!isRecord(value)) throw bad("has no description");
  const { dtype, shape, data_offsets: range } = value;
  if (typeof dtype !== "string") throw bad("has no element type");
  if (!isWeightType(dtype)) {
    throw new CheckpointError(
      "CHECKPOINT_TENSORS",
      `${file.path}: tensor "${shown(name)}" has element type ${shown(dtype)}, which is not read here. Use the fp16 or fp32 files of this model.`,
    );
  }
  if (!isCountArray(shape) || shape.length > MAX_RANK) throw bad("has a shape that is no list of sizes");
  if (!isCountArray(range) || range.length !== 2) throw bad("has no pair of data offsets");
  const [begin, end] = range as [number, number];
  const bytes = elementCount(shape) * ELEMENT_BYTES[dtype];
  if (end - begin !== bytes) {
    throw bad(`claims ${end - begin} bytes, but ${dtype} [${shape}] needs ${bytes}`);
  }
  return { name, type: dtype, shape, file: file.path, offset: dataStart + begin, bytes };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isCountArray = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);

/** Keys of the outer two levels of a valid JSON text; if JSON.parse kept fewer, a key was repeated. */
function countKeys(json: string): number {
  let depth = 0;
  let keys = 0;
  for (let i = 0; i < json.length; i++) {
    const char = json.charCodeAt(i);
    if (char === QUOTE) i = endOfString(json, i);
    else if (char === OPENING || char === 0x5b /* [ */) depth++;
    else if (char === CLOSING || char === 0x5d /* ] */) depth--;
    else if (char === 0x3a /* : */ && depth <= 2) keys++;
  }
  return keys;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Position of the quote that ends the string which begins at `start`; -1 if there is none. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let before = end - 1;
    while (json.charCodeAt(before) === BACKSLASH) before--;
    // An even number of backslashes escapes each other, not the quote.
    if ((end - before) % 2 === 1) return end;
  }
  return -1;
}

export interface NewTensor {
  readonly name: string;
  readonly type: WeightType;
  readonly shape: readonly number[];
  /**
   * Row-major, little-endian. A function is called only when needed, so that a big file is never whole in
   * memory.
   */
  readonly data: Uint8Array | (() => Uint8Array);
}

/**
 * Writes a .safetensors file, tensors in the given order. The header is padded with spaces to 8 bytes, which
 * aligns each tensor of a checkpoint with a single type. Returns the file's SHA-256.
 */
export function writeSafetensors(
  path: string,
  tensors: readonly NewTensor[],
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): string {
  let end = 0;
  const described = tensors.map(({ name, type, shape }) => {
    const begin = end;
    end += elementCount(shape) * ELEMENT_BYTES[type];
    return [name, { dtype: type, shape, data_offsets: [begin, end] }] as const;
  });
  if (new Set(tensors.map((tensor) => tensor.name)).size !== tensors.length || !Number.isSafeInteger(end)) {
    throw new RangeError("Tensor names must differ and shapes must be lists of sizes.");
  }
  const json = JSON.stringify(Object.fromEntries([["__metadata__", metadata], ...described]));
  const text = Buffer.from(json, "utf8");
  const header = Buffer.alloc(PREFIX_BYTES + Math.ceil(text.length / 8) * 8, " ");
  header.writeBigUInt64LE(BigInt(header.length - PREFIX_BYTES));
  text.copy(header, PREFIX_BYTES);

  const hash = createHash("sha256");
  const descriptor = openSync(path, "w");
  const write = (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.byteLength; ) done += writeSync(descriptor, bytes, done);
    hash.update(bytes);
  };
  try {
    write(header);
    for (const { name, type, shape, data } of tensors) {
      const bytes = typeof data === "function" ? data() : data;
      if (bytes.byteLength !== elementCount(shape) * ELEMENT_BYTES[type]) {
        throw new RangeError(`Tensor "${name}": ${bytes.byteLength} bytes for ${type} [${shape}].`);
      }
      write(bytes);
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest("hex");
}
