import { isUtf8 } from "node:buffer";
import { analyse } from "chardet";
import { InputError } from "../core/errors.js";

/** A file's text, and the encoding where it had to be guessed. */
export interface Decoded {
  readonly text: string;
  /** A label of the WHATWG Encoding standard; null for UTF-8 and for a file with a byte order mark. */
  readonly guessed: string | null;
}

/** First bytes of formats that people attach by mistake. */
const SIGNATURES: readonly { readonly kind: string; readonly bytes: readonly number[] }[] = [
  { kind: "PNG picture", bytes: [0x89, 0x50, 0x4e, 0x47] },
  { kind: "JPEG picture", bytes: [0xff, 0xd8, 0xff] },
  { kind: "GIF picture", bytes: [0x47, 0x49, 0x46, 0x38] },
  { kind: "PDF document", bytes: [0x25, 0x50, 0x44, 0x46, 0x2d] },
  { kind: "zip archive or office document", bytes: [0x50, 0x4b, 0x03, 0x04] },
  { kind: "gzip archive", bytes: [0x1f, 0x8b, 0x08] },
  { kind: "old office document", bytes: [0xd0, 0xcf, 0x11, 0xe0] },
  { kind: "rich text document", bytes: [0x7b, 0x5c, 0x72, 0x74, 0x66] },
];

/**
 * Bytes as text: UTF-8, UTF-16 with or without a byte order mark, or an older encoding where the guess is
 * safe. Throws InputError FILE_BINARY if it is not text, and FILE_ENCODING for text that can't be read.
 */
export function decode(bytes: Uint8Array): Decoded {
  const starts = (...head: number[]) => head.every((byte, i) => bytes[i] === byte);
  if (starts(0xff, 0xfe, 0, 0) || starts(0, 0, 0xfe, 0xff))
    throw encodingError("The file is UTF-32.", { problem: "utf-32" });
  if (starts(0xff, 0xfe)) return { text: decodeUtf16(bytes, "utf-16le"), guessed: null };
  if (starts(0xfe, 0xff)) return { text: decodeUtf16(bytes, "utf-16be"), guessed: null };

  const signature = SIGNATURES.find(({ bytes: head }) => starts(...head));
  if (signature !== undefined) throw binaryError(signature.kind);
  const utf16 = unmarkedUtf16(bytes);
  if (utf16 !== null) return { text: decodeUtf16(bytes, utf16), guessed: utf16 };
  if (bytes.includes(0)) throw binaryError("binary file");
  if (isUtf8(bytes)) return { text: new TextDecoder("utf-8").decode(bytes), guessed: null };
  const guess = guessed(bytes);
  if (guess !== null) return guess;
  const number = firstBadLine(bytes);
  throw encodingError(`Line ${number} is not UTF-8.`, { problem: "utf-8", unit: "line", number });
}

function decodeUtf16(bytes: Uint8Array, encoding: Utf16): string {
  const text = strictly(bytes, encoding);
  if (text === null)
    throw encodingError("The file starts as UTF-16 and goes on as something else.", { problem: "utf-16" });
  if (text.includes("\0")) throw binaryError("binary file");
  return text;
}

type Utf16 = "utf-16le" | "utf-16be";
const HEAD_BYTES = 1024;
/** At least half of the letters must be Latin: other scripts look like a binary file. */
const ZEROS_AT_LEAST = 0.5;

/** In UTF-16, zeros are at every other place of spaces and Latin letters; binary files have them anywhere. */
function unmarkedUtf16(bytes: Uint8Array): Utf16 | null {
  if (bytes.length < 4 || bytes.length % 2 === 1) return null;
  const head = bytes.subarray(0, HEAD_BYTES);
  const zeros = [0, 0];
  for (const [i, byte] of head.entries()) if (byte === 0) zeros[i % 2]! += 1;
  const [even = 0, odd = 0] = zeros;
  if (Math.min(even, odd) > 0 || Math.max(even, odd) < (ZEROS_AT_LEAST * head.length) / 2) return null;
  const encoding = even === 0 ? "utf-16le" : "utf-16be";
  const text = strictly(head, encoding);
  return text === null || UNPRINTABLE.test(text) ? null : encoding;
}

/** Characters that no person types. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNPRINTABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufffe\p{Co}\p{Cn}]/u;

/** What windows-1252 has at 0x80 to 0x9F; a space where it has nothing. */
const WESTERN_SIGNS = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/** The text, or null where the bytes are not of this encoding. */
function strictly(bytes: Uint8Array, encoding: string): string | null {
  // Node's own decoder of windows-1252 reads these bytes as control characters (nodejs/node issue 56542).
  if (encoding === WESTERN)
    return Buffer.from(bytes)
      .toString("latin1")
      .replace(/[\x80-\x9f]/g, (sign) => {
        const own = WESTERN_SIGNS[sign.charCodeAt(0) - 0x80]!;
        return own === " " ? sign : own;
      });
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return null;
    throw error;
  }
}

/** Bytes that the guess is made from: lines with letters beyond ASCII say most. */
const SAMPLE_BYTES = 4096;
/** chardet's confidence, of 100. */
const SURE = 60;
const LIKELY = 20;
/** One guess is safe where the next one of another kind is this much less likely. */
const AHEAD = 1.25;
const WESTERN = "windows-1252";
/** ISO 8859-1 is read as windows-1252, as browsers do. */
const WESTERN_NAMES: ReadonlySet<string> = new Set(["ISO-8859-1", WESTERN]);
/** Encodings of several bytes a letter: strict enough that text of another one seldom passes. */
const WIDE: ReadonlySet<string> = new Set(["Shift_JIS", "EUC-JP", "GB18030", "EUC-KR", "Big5"]);
/** A tenth of a Japanese text's letters, at the least, are kana. */
const KANA = /[\u3041-\u30ff]/gu;
const KANA_AT_LEAST = 0.1;
/** Signs inside words, as Western letters for other ones give them. */
const ODD_INSIDE_WORDS =
  /\p{L}[\u00a1-\u00b1\u00b3\u00b6\u00b8\u00b9\u00bb-\u00bf]\p{Ll}|[\u00b3\u00b9]\p{Ll}/u;
/** Of a text in a Latin script, few letters are beyond ASCII. */
const LATIN_AT_LEAST = 0.5;

/** The text in the encoding that it is most likely in; null where no guess is safe. */
function guessed(bytes: Uint8Array): Decoded | null {
  const read = (encoding: string): Decoded | null => {
    const text = strictly(bytes, encoding);
    return text === null || UNPRINTABLE.test(text) ? null : { text, guessed: encoding.toLowerCase() };
  };
  for (const name of ["Shift_JIS", "EUC-JP"]) {
    const found = read(name);
    if (found !== null && share(found.text, KANA) >= KANA_AT_LEAST) return found;
  }
  const ranked = analyse(sampleOf(bytes)).filter(
    ({ name, confidence }) => confidence >= (WIDE.has(name) ? SURE : LIKELY),
  );
  const isWestern = ({ name }: { readonly name: string }) => WESTERN_NAMES.has(name);
  const [first] = ranked;
  const western = read(WESTERN);
  const isLatin =
    western !== null && share(western.text, /\p{ASCII}/gu, /[\p{L}\p{ASCII}]/gu) >= LATIN_AT_LEAST;
  const fits = isLatin && !ODD_INSIDE_WORDS.test(western.text);
  // Encodings of Central Europe and Turkey differ from the Western one in few letters, so they tie often.
  if (
    fits &&
    (first === undefined || ranked.some((it) => isWestern(it) && it.confidence * AHEAD >= first.confidence))
  )
    return western;
  const others = ranked
    .filter((it) => !isWestern(it))
    .flatMap((it) => {
      const found = read(it.name);
      return found === null ? [] : [{ ...found, confidence: it.confidence }];
    });
  const [best, next] = others;
  if (best === undefined) return null;
  const isSafe =
    WIDE.has(first?.name ?? "") || next === undefined || best.confidence >= AHEAD * next.confidence;
  return isSafe ? { text: best.text, guessed: best.guessed } : null;
}

/** Which part of a text's signs beyond ASCII, or of those that `of` finds, `signs` finds. */
function share(text: string, signs: RegExp, of = /\P{ASCII}/gu): number {
  const all = text.match(of)?.length ?? 0;
  return all === 0 ? 0 : (text.match(signs)?.length ?? 0) / all;
}

/** The lines with bytes beyond ASCII, as far as they fit. */
function sampleOf(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let room = SAMPLE_BYTES;
  for (let start = 0; start < bytes.length && room > 0; ) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    const line = bytes.subarray(start, Math.min(end, start + room));
    if (line.some((byte) => byte > 0x7f)) {
      parts.push(line);
      room -= line.length;
    }
    start = end;
  }
  return Buffer.concat(parts);
}

/** Splits into lines before decoding: 0x0A is never part of a longer UTF-8 character. */
function firstBadLine(bytes: Uint8Array): number {
  let number = 1;
  for (let start = 0; start < bytes.length; number++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    if (!isUtf8(bytes.subarray(start, end))) return number;
    start = end + 1;
  }
  return number;
}

const binaryError = (kind: string): InputError =>
  new InputError(
    "FILE_BINARY",
    `The file is a ${kind}, not text; attach a .txt, .json, .jsonl, .csv or .tsv file.`,
    { kind },
  );

const encodingError = (problem: string, context: Readonly<Record<string, string | number>>): InputError =>
  new InputError("FILE_ENCODING", `${problem} Save the file as UTF-8.`, context);
