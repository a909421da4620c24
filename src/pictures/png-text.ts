/**
 * Text chunks of PNG files (PNG specification, third edition, 11.3.3). sharp writes none and reads Latin-1 wrongly;
 * exifreader, the one library that is kept, unpacks compressed texts of any size.
 */
import { inflateSync } from "node:zlib";
import { InputError } from "../core/errors.js";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Length, type and checksum around a chunk's data, 4 bytes each. */
const CHUNK_FRAME = 12;
const IHDR_END = SIGNATURE.length + CHUNK_FRAME + 13;
const MAX_KEYWORD = 79;
/** Limit on the unpacked text of one chunk; a longer plain text is skipped. */
const MAX_TEXT_BYTES = 1 << 20;
/** Limit on all texts of a file together. */
const MAX_TEXTS_BYTES = 8 * MAX_TEXT_BYTES;
/** Pictures have a few texts, and a chunk of pixels for each 8 KiB or more. */
const MAX_TEXTS = 1_000;
const MAX_CHUNKS = 100_000;

/** True if a file's first bytes are a PNG's. */
export const isPng = (bytes: Uint8Array): boolean => SIGNATURE.every((byte, i) => bytes[i] === byte);

/** Adds one text chunk per entry right after the PNG's header; texts already in it stay. */
export function withPngText(png: Uint8Array, texts: Readonly<Record<string, string>>): Buffer {
  requirePng(png);
  const chunks = Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text));
  return Buffer.concat([png.subarray(0, IHDR_END), ...chunks, png.subarray(IHDR_END)]);
}

/** Like `withPngText`, without the texts that the PNG already has under these keywords. Throws like `readPngText`. */
export function replacePngText(png: Uint8Array, texts: Readonly<Record<string, string>>): Buffer {
  const kept: Uint8Array[] = [];
  let from = 0;
  for (const { type, start, end, data } of chunksOf(png)) {
    if (!TEXT_TYPES.has(type) || !Object.hasOwn(texts, keywordOf(data)?.keyword ?? "")) continue;
    kept.push(png.subarray(from, start));
    from = end;
  }
  return withPngText(Buffer.concat([...kept, png.subarray(from)]), texts);
}

/**
 * Reads the texts of a PNG by keyword, from tEXt, zTXt and iTXt chunks; the last one of a keyword wins. Only the
 * texts' own checksums are looked at.
 * @throws InputError PICTURE_TYPE if it is not a PNG, PICTURE_SHAPE if it is cut off, a text is damaged, or there is
 * more text than any picture has
 */
export function readPngText(png: Uint8Array): Record<string, string> {
  const texts = new Map<string, string>();
  let count = 0;
  let bytes = 0;
  for (const { type, start, end, data } of chunksOf(png)) {
    if (!TEXT_TYPES.has(type)) continue;
    if (data.length > MAX_TEXT_BYTES) continue;
    checkSum(png, start, end, type);
    const entry = parseText(type, data);
    if (entry === null) continue;
    count += 1;
    bytes += entry.text.length;
    if (count > MAX_TEXTS || bytes > MAX_TEXTS_BYTES)
      throw new InputError("PICTURE_SHAPE", "The PNG file holds more text than a picture does.");
    texts.set(entry.keyword, entry.text);
  }
  return Object.fromEntries(texts);
}

/** The data of a PNG's first chunk of a type, such as `eXIf`; null without one. Throws like `readPngText`. */
export function pngChunk(png: Uint8Array, wanted: string): Buffer | null {
  for (const { type, data } of chunksOf(png)) if (type === wanted) return data;
  return null;
}

/** tEXt if the text fits Latin-1, because every program reads it; else iTXt in UTF-8. */
function textChunk(keyword: string, text: string): Buffer {
  if (keyword.length === 0 || keyword.length > MAX_KEYWORD || !/^[\x20-\x7e]+$/.test(keyword)) {
    throw new RangeError(
      `A PNG keyword has 1 to ${MAX_KEYWORD} ASCII characters, got ${JSON.stringify(keyword)}`,
    );
  }
  // A zero byte ends a field, and readers expect none inside a text.
  const clean = text.replaceAll("\0", "");
  const isLatin1 = /^[\n\x20-\x7e\xa0-\xff]*$/.test(clean);
  const name = Buffer.from(`${keyword}\0`, "latin1");
  return isLatin1
    ? frame("tEXt", Buffer.concat([name, Buffer.from(clean, "latin1")]))
    : // Not compressed; no language tag; no translated keyword.
      frame("iTXt", Buffer.concat([name, Buffer.from([0, 0, 0, 0]), Buffer.from(clean, "utf8")]));
}

function frame(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(CHUNK_FRAME + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, "latin1");
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

interface Chunk {
  readonly type: string;
  /** Where the chunk with its frame begins and ends in the file. */
  readonly start: number;
  readonly end: number;
  readonly data: Buffer;
}

/** The chunks up to IEND; what follows is another file's. */
function* chunksOf(png: Uint8Array): Generator<Chunk> {
  requirePng(png);
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  let start = SIGNATURE.length;
  for (let count = 0; count < MAX_CHUNKS; count++) {
    const end =
      start + CHUNK_FRAME > bytes.length ? Infinity : start + CHUNK_FRAME + bytes.readUInt32BE(start);
    if (end > bytes.length) throw new InputError("PICTURE_SHAPE", "The PNG file is cut off. Fetch it again.");
    const type = bytes.toString("latin1", start + 4, start + 8);
    if (type === "IEND") return;
    yield { type, start, end, data: bytes.subarray(start + 8, end - 4) };
    start = end;
  }
  throw new InputError("PICTURE_SHAPE", "The PNG file has more parts than a picture does.");
}

function checkSum(png: Uint8Array, start: number, end: number, type: string): void {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  if (crc32(bytes.subarray(start + 4, end - 4)) !== bytes.readUInt32BE(end - 4))
    throw new InputError("PICTURE_SHAPE", `The PNG file is damaged: wrong checksum of its ${type} chunk.`);
}

const TEXT_TYPES: ReadonlySet<string> = new Set(["tEXt", "zTXt", "iTXt"]);

/** The keyword that every text begins with, and where the rest is; null where there is none. */
function keywordOf(data: Buffer): { keyword: string; rest: Buffer } | null {
  // A longer one would be no keyword, and each chunk could be one long search.
  const end = data.subarray(0, MAX_KEYWORD + 1).indexOf(0);
  return end < 0 ? null : { keyword: data.toString("latin1", 0, end), rest: data.subarray(end + 1) };
}

function parseText(type: string, data: Buffer): { keyword: string; text: string } | null {
  const head = keywordOf(data);
  if (head === null) return null;
  const { keyword, rest } = head;
  switch (type) {
    case "tEXt":
      return { keyword, text: rest.toString("latin1") };
    case "zTXt":
      return { keyword, text: inflate(rest.subarray(1)).toString("latin1") };
    case "iTXt": {
      const languageEnd = rest.indexOf(0, 2);
      const translationEnd = languageEnd < 0 ? -1 : rest.indexOf(0, languageEnd + 1);
      if (translationEnd < 0) return null;
      const body = rest.subarray(translationEnd + 1);
      return { keyword, text: (rest[0] === 1 ? inflate(body) : body).toString("utf8") };
    }
    default:
      return null;
  }
}

function inflate(data: Uint8Array): Buffer {
  try {
    return inflateSync(data, { maxOutputLength: MAX_TEXT_BYTES });
  } catch (error) {
    throw new InputError(
      "PICTURE_SHAPE",
      "The PNG file holds a text that cannot be unpacked.",
      {},
      { cause: error },
    );
  }
}

function requirePng(png: Uint8Array): void {
  if (png.length < IHDR_END || !isPng(png)) throw new InputError("PICTURE_TYPE", "This is not a PNG file.");
}

/** CRC-32 of ISO 3309, reflected polynomial; node:zlib has it only from Node 22 on. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
