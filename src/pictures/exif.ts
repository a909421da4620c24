/**
 * The one field of EXIF that carries a prompt: UserComment, as A1111 writes it into JPEG and WebP (EXIF 2.32, 4.6.5).
 */

const EXIF_IFD = 0x8769;
const USER_COMMENT = 0x9286;
const ENTRY_BYTES = 12;
/** Bytes of the code that names the comment's encoding. */
const CODE_BYTES = 8;
/** No prompt is longer. */
const MAX_COMMENT_BYTES = 1 << 20;
/** JPEG and WebP put this before the TIFF data, PNG does not. */
const PREFIX = Buffer.from("Exif\0\0", "latin1");

/** The text of an EXIF block's UserComment; null where there is none, or the block is damaged. */
export function userCommentOf(block: Uint8Array): string | null {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const tiff = bytes.subarray(0, PREFIX.length).equals(PREFIX) ? bytes.subarray(PREFIX.length) : bytes;
  const order = tiff.toString("latin1", 0, 2);
  if ((order !== "II" && order !== "MM") || tiff.length < 8) return null;
  const isLittle = order === "II";
  const long = (at: number) => (isLittle ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const short = (at: number) => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  /** Where a directory's entry of this tag is. */
  const entryOf = (directory: number, tag: number): number | null => {
    if (directory + 2 > tiff.length) return null;
    const end = Math.min(directory + 2 + ENTRY_BYTES * short(directory), tiff.length - ENTRY_BYTES + 1);
    for (let at = directory + 2; at < end; at += ENTRY_BYTES) if (short(at) === tag) return at;
    return null;
  };
  const pointer = entryOf(long(4), EXIF_IFD);
  const entry = pointer === null ? null : entryOf(long(pointer + 8), USER_COMMENT);
  if (entry === null) return null;
  const length = long(entry + 4);
  const at = long(entry + 8);
  if (length <= CODE_BYTES || length > MAX_COMMENT_BYTES || at + length > tiff.length) return null;
  const code = tiff.toString("latin1", at, at + CODE_BYTES).replace(/\0+$/, "");
  return decode(tiff.subarray(at + CODE_BYTES, at + length), code);
}

/** A text without the zeros that fill it up. */
function decode(text: Buffer, code: string): string {
  if (code !== "UNICODE") return text.toString("utf8").replace(/\0+$/, "");
  // The standard leaves the byte order open: A1111 writes the high byte first, others write the low one, or UTF-8.
  const even = text.subarray(0, text.length & ~1);
  const zeros = [0, 0];
  for (const [i, byte] of even.entries()) if (byte === 0) zeros[i & 1]! += 1;
  const [high, low] = zeros as [number, number];
  if (high === 0 && low === 0 && isUtf8(text)) return text.toString("utf8");
  const ordered = high < low ? even : Buffer.from(even).swap16();
  return ordered.toString("utf16le").replace(/\0+$/, "");
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
