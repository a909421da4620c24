import { CheckpointError } from "../../core/errors.js";
import { corrupt, type OpenFile, shown } from "./file.js";

/*
 * The part of the ZIP format that torch.save writes (PKWARE APPNOTE 6.3: 4.3.16 end of central directory,
 * 4.3.14-15 its 64-bit form, 4.3.12 central header, 4.3.7 local header, 4.5.3 64-bit extra field): entries
 * are stored, not compressed, so that a tensor can be read where it lies in the file. yauzl gives
 * that position only asynchronously, and weights are read synchronously.
 */

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const END64_LOCATOR_SIGNATURE = 0x07064b50;
const END64_LOCATOR_BYTES = 20;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const EXTRA_64 = 0x0001;

/** A full Stable Diffusion archive has about 1,200 entries and 100 kB of directory. */
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;

export interface ZipEntry {
  readonly name: string;
  readonly bytes: number;
  /** How the entry differs from plain stored bytes, as torch.save writes them. */
  readonly packed: "encrypted" | "compressed" | null;
  /** File offset of the local header. */
  readonly headerOffset: number;
}

export interface ZipDirectory {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** The raw central directory (names, sizes and CRCs), which shows a change of any entry. */
  readonly raw: Uint8Array;
}

export const looksLikeZip = (start: Uint8Array): boolean =>
  start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;

/** Reads the central directory. Throws CHECKPOINT_CORRUPT if it is damaged or repeats a name. */
export function readZipDirectory(file: OpenFile): ZipDirectory {
  const { offset, bytes, count } = findDirectory(file);
  if (bytes > MAX_DIRECTORY_BYTES || offset + bytes > file.bytes) {
    throw corrupt(file.path, "its table of contents does not lie in the file");
  }
  const raw = file.read(offset, bytes);
  const entries = new Map<string, ZipEntry>();
  let position = 0;
  for (let i = 0; i < count; i++) {
    const { entry, next } = readCentralHeader(file, raw, position);
    if (entries.has(entry.name)) throw corrupt(file.path, `its entry "${entry.name}" is there twice`);
    entries.set(entry.name, entry);
    position = next;
  }
  return { entries, raw };
}

/**
 * File offset of an entry's bytes. Throws CHECKPOINT_CORRUPT if they are compressed or lie outside the file.
 */
export function dataOffset(file: OpenFile, entry: ZipEntry): number {
  if (entry.packed) {
    throw new CheckpointError(
      "CHECKPOINT_CORRUPT",
      `${file.path}: its entry "${shown(entry.name)}" is ${entry.packed}; torch.save stores tensors as they are. Take the published file, not one that was packed again.`,
    );
  }
  const bad = () =>
    corrupt(file.path, `its entry "${entry.name}" does not lie where its table of contents says`);
  if (entry.headerOffset + LOCAL_BYTES > file.bytes) throw bad();
  const header = view(file.read(entry.headerOffset, LOCAL_BYTES));
  const offset = entry.headerOffset + LOCAL_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  if (header.getUint32(0, true) !== LOCAL_SIGNATURE || offset + entry.bytes > file.bytes) throw bad();
  return offset;
}

function findDirectory(file: OpenFile): { offset: number; bytes: number; count: number } {
  const tailBytes = Math.min(file.bytes, END_BYTES + MAX_COMMENT_BYTES + END64_LOCATOR_BYTES);
  const tailStart = file.bytes - tailBytes;
  const tail = view(file.read(tailStart, tailBytes));
  for (let at = tailBytes - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END_SIGNATURE) continue;
    if (at + END_BYTES + tail.getUint16(at + 20, true) !== tailBytes) continue;
    const locator = at - END64_LOCATOR_BYTES;
    if (locator >= 0 && tail.getUint32(locator, true) === END64_LOCATOR_SIGNATURE) {
      return readEnd64(file, Number(tail.getBigUint64(locator + 8, true)));
    }
    return {
      count: tail.getUint16(at + 10, true),
      bytes: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
    };
  }
  throw corrupt(file.path, "it is cut off: the table of contents at its end is missing");
}

function readEnd64(file: OpenFile, at: number): { offset: number; bytes: number; count: number } {
  if (at + END64_BYTES > file.bytes)
    throw corrupt(file.path, "its 64-bit end record does not lie in the file");
  const end = view(file.read(at, END64_BYTES));
  if (end.getUint32(0, true) !== END64_SIGNATURE)
    throw corrupt(file.path, "its 64-bit end record is missing");
  return {
    count: Number(end.getBigUint64(32, true)),
    bytes: Number(end.getBigUint64(40, true)),
    offset: Number(end.getBigUint64(48, true)),
  };
}

function readCentralHeader(file: OpenFile, raw: Uint8Array, at: number): { entry: ZipEntry; next: number } {
  const bad = (what: string) => corrupt(file.path, `its table of contents ${what}`);
  if (at + CENTRAL_BYTES > raw.byteLength) throw bad("ends too early");
  const header = view(raw, at);
  if (header.getUint32(0, true) !== CENTRAL_SIGNATURE) throw bad("is broken");
  const nameBytes = header.getUint16(28, true);
  const extraBytes = header.getUint16(30, true);
  const extraStart = at + CENTRAL_BYTES + nameBytes;
  const next = extraStart + extraBytes + header.getUint16(32, true);
  if (next > raw.byteLength) throw bad("ends too early");
  const name = Buffer.from(raw.buffer, raw.byteOffset + at + CENTRAL_BYTES, nameBytes).toString("utf8");

  // In this order; each is present only if its 32-bit field is full.
  const wide = new WideFields(raw.subarray(extraStart, extraStart + extraBytes));
  const bytes = wide.or(header.getUint32(24, true));
  wide.or(header.getUint32(20, true)); // packed size: that of the bytes where nothing is packed
  const headerOffset = wide.or(header.getUint32(42, true));
  if (!Number.isSafeInteger(headerOffset + bytes)) throw bad("is broken");
  const isEncrypted = (header.getUint16(8, true) & 1) !== 0;
  const packed = isEncrypted ? "encrypted" : header.getUint16(10, true) !== 0 ? "compressed" : null;
  return { entry: { name, bytes, packed, headerOffset }, next };
}

/** Reads the 64-bit values of an entry's extra field in order. */
class WideFields {
  readonly #values: DataView | undefined;
  #next = 0;

  constructor(extra: Uint8Array) {
    for (let at = 0; at + 4 <= extra.byteLength; ) {
      const field = view(extra, at);
      const bytes = field.getUint16(2, true);
      if (field.getUint16(0, true) === EXTRA_64 && at + 4 + bytes <= extra.byteLength) {
        this.#values = view(extra.subarray(at + 4, at + 4 + bytes));
        return;
      }
      at += 4 + bytes;
    }
  }

  or(narrow: number): number {
    if (narrow !== 0xffffffff) return narrow;
    const at = this.#next;
    if (!this.#values || at + 8 > this.#values.byteLength) return narrow;
    this.#next += 8;
    return Number(this.#values.getBigUint64(at, true));
  }
}

const view = (bytes: Uint8Array, at = 0): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset + at, bytes.byteLength - at);
