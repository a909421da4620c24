/**
 * Text chunks of PNG files (PNG specification, third edition, 11.3.3), which sharp neither writes nor reads.
 */
import { inflateSync } from "node:zlib";
import { InputError } from "../core/errors.js";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Length, type and checksum around a chunk's data, 4 bytes each. */
const CHUNK_FRAME = 12;
const IHDR_END = SIGNATURE.length + CHUNK_FRAME + 13;
const MAX_KEYWORD = 79;
/** Limit on the unpacked text of one chunk. */
const MAX_TEXT_BYTES = 1 << 20;

/** Adds one text chunk per entry right after the PNG's header; texts already in it stay. */
export function withPngText(png: Uint8Array, texts: Readonly<Record<string, string>>): Buffer {
  requireSignature(png);
  const chunks = Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text));
  return Buffer.concat([png.subarray(0, IHDR_END), ...chunks, png.subarray(IHDR_END)]);
}

/**
 * Reads the texts of a PNG by keyword, from tEXt, zTXt and iTXt chunks; the last one of a keyword wins.
 * @throws InputError FILE_TYPE if it is not a PNG, FILE_SHAPE if it is cut off or a chunk's checksum is wrong
 */
export function readPngText(png: Uint8Array): Record<string, string> {
  requireSignature(png);
  const texts: Record<string, string> = {};
  for (let offset = SIGNATURE.length; ; ) {
    const chunk = readChunk(png, offset);
    if (chunk.type === "IEND") return texts;
    const entry = parseText(chunk.type, chunk.data);
    if (entry !== null) texts[entry.keyword] = entry.text;
    offset += CHUNK_FRAME + chunk.data.length;
  }
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

function readChunk(png: Uint8Array, offset: number): { type: string; data: Buffer } {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  const truncated = () => new InputError("FILE_SHAPE", "The PNG file is cut off. Fetch it again.");
  if (offset + CHUNK_FRAME > bytes.length) throw truncated();
  const length = bytes.readUInt32BE(offset);
  const end = offset + 8 + length;
  if (end + 4 > bytes.length) throw truncated();
  const type = bytes.toString("latin1", offset + 4, offset + 8);
  if (crc32(bytes.subarray(offset + 4, end)) !== bytes.readUInt32BE(end)) {
    throw new InputError("FILE_SHAPE", `The PNG file is damaged: wrong checksum of its ${type} chunk.`);
  }
  return { type, data: bytes.subarray(offset + 8, end) };
}

function parseText(type: string, data: Buffer): { keyword: string; text: string } | null {
  const nameEnd = data.indexOf(0);
  if (nameEnd < 0) return null;
  const keyword = data.toString("latin1", 0, nameEnd);
  const rest = data.subarray(nameEnd + 1);
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
      "FILE_SHAPE",
      "The PNG file holds a text that cannot be unpacked.",
      {},
      { cause: error },
    );
  }
}

function requireSignature(png: Uint8Array): void {
  if (png.length < IHDR_END || SIGNATURE.some((byte, i) => png[i] !== byte)) {
    throw new InputError("FILE_TYPE", "This is not a PNG file.");
  }
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
