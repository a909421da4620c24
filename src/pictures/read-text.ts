import { InputError } from "../core/errors.js";
import { userCommentOf } from "./exif.js";
import { isPng, pngChunk, readPngText } from "./png-text.js";

/** Largest picture file that is read for its texts. */
export const PICTURE_MAX_BYTES = 32 * 2 ** 20;

/**
 * The texts of a picture file by keyword: those of a PNG, and under `parameters` the comment of a JPEG or WebP, where
 * A1111 puts what a PNG has under that keyword. The pixels are not looked at.
 * @throws InputError PICTURE_TYPE (neither PNG, JPEG nor WebP), PICTURE_SHAPE (damaged), PICTURE_TOO_BIG
 */
export function readPictureText(bytes: Uint8Array): Record<string, string> {
  if (bytes.length > PICTURE_MAX_BYTES)
    throw new InputError("PICTURE_TOO_BIG", `The picture is larger than ${PICTURE_MAX_BYTES} bytes.`, {
      limit: PICTURE_MAX_BYTES,
    });
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isPng(file)) {
    const texts = readPngText(file);
    return Object.hasOwn(texts, "parameters") ? texts : { ...commentIn(pngChunk(file, "eXIf")), ...texts };
  }
  if (isJpeg(file)) return commentIn(exifOfJpeg(file));
  if (isWebp(file)) return commentIn(exifOfWebp(file));
  throw new InputError("PICTURE_TYPE", "This is neither a PNG, a JPEG nor a WebP file.");
}

function commentIn(exif: Uint8Array | null): Record<string, string> {
  const comment = exif === null ? null : userCommentOf(exif);
  return comment === null || comment.trim() === "" ? {} : { parameters: comment };
}

const isJpeg = (file: Buffer): boolean => file.length > 3 && file.readUIntBE(0, 3) === 0xffd8ff;
const isWebp = (file: Buffer): boolean =>
  file.toString("latin1", 0, 4) === "RIFF" && file.toString("latin1", 8, 12) === "WEBP";

/** Segments before the pixels of a JPEG, and chunks of a WebP: pictures have a few, animations some hundreds. */
const MAX_PARTS = 10_000;
const APP1 = 0xe1;
const START_OF_SCAN = 0xda;

/** JPEG: segments of marker (0xff, type) and length, which counts itself, up to the first scan. */
function exifOfJpeg(file: Buffer): Buffer | null {
  let at = 2;
  for (let count = 0; count < MAX_PARTS && at + 4 <= file.length; count++) {
    if (file[at] !== 0xff) return null;
    const type = file[at + 1]!;
    if (type === START_OF_SCAN) return null;
    // A marker may be preceded by any number of 0xff.
    if (type === 0xff) {
      at += 1;
      continue;
    }
    const length = file.readUInt16BE(at + 2);
    const data = file.subarray(at + 4, at + 2 + length);
    if (type === APP1 && data.toString("latin1", 0, 4) === "Exif") return data;
    at += 2 + Math.max(2, length);
  }
  return null;
}

/** WebP: chunks of name and length, padded to an even one. */
function exifOfWebp(file: Buffer): Buffer | null {
  let at = 12;
  for (let count = 0; count < MAX_PARTS && at + 8 <= file.length; count++) {
    const length = file.readUInt32LE(at + 4);
    if (file.toString("latin1", at, at + 4) === "EXIF") return file.subarray(at + 8, at + 8 + length);
    at += 8 + length + (length & 1);
  }
  return null;
}
