/** A file's type from its bytes: like Discord, never trusts a declared content type. */
export interface MediaInfo {
  readonly contentType: string | null;
  /** Pixels, for pictures with a readable header. */
  readonly width: number | null;
  readonly height: number | null;
}

const TEXT_BY_EXTENSION: Readonly<Record<string, string>> = {
  txt: "text/plain; charset=utf-8",
  md: "text/markdown; charset=utf-8",
  csv: "text/csv; charset=utf-8",
  json: "application/json; charset=utf-8",
};

/** Reads type and size of a file from its first bytes; text types are told apart by the extension. */
export function inspect(data: Buffer, filename: string): MediaInfo {
  if (data.length >= 24 && data.readUInt32BE(0) === 0x89504e47) {
    return { contentType: "image/png", width: data.readUInt32BE(16), height: data.readUInt32BE(20) };
  }
  if (data.length >= 4 && data[0] === 0xff && data[1] === 0xd8 && data[2] === 0xff) {
    return { contentType: "image/jpeg", ...jpegSize(data) };
  }
  const head = data.toString("latin1", 0, 16);
  if (head.startsWith("GIF8") && data.length >= 10) {
    return { contentType: "image/gif", width: data.readUInt16LE(6), height: data.readUInt16LE(8) };
  }
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") {
    return { contentType: "image/webp", ...webpSize(data) };
  }
  const nothing = { width: null, height: null };
  if (head.startsWith("PK\u0003\u0004")) return { contentType: "application/zip", ...nothing };
  if (head.startsWith("%PDF-")) return { contentType: "application/pdf", ...nothing };
  if (!isText(data)) return { contentType: null, ...nothing };
  const extension = /\.([a-z0-9]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? "";
  return { contentType: TEXT_BY_EXTENSION[extension] ?? null, ...nothing };
}

function isText(data: Buffer): boolean {
  const sample = data.subarray(0, 4096);
  return !sample.includes(0);
}

/** Width and height from the first start-of-frame segment (ITU T.81, B.2.2). */
function jpegSize(data: Buffer): { width: number | null; height: number | null } {
  let at = 2;
  while (at + 9 <= data.length) {
    if (data[at] !== 0xff) break;
    const marker = data[at + 1]!;
    // C4, C8 and CC in the range of frame markers are tables, not frames.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { height: data.readUInt16BE(at + 5), width: data.readUInt16BE(at + 7) };
    }
    at += 2 + data.readUInt16BE(at + 2);
  }
  return { width: null, height: null };
}

/** Width and height from the first chunk: VP8 (lossy), VP8L (lossless) or VP8X (extended). */
function webpSize(data: Buffer): { width: number | null; height: number | null } {
  const chunk = data.toString("latin1", 12, 16);
  if (chunk === "VP8X" && data.length >= 30) {
    return { width: data.readUIntLE(24, 3) + 1, height: data.readUIntLE(27, 3) + 1 };
  }
  if (chunk === "VP8L" && data.length >= 25) {
    const bits = data.readUInt32LE(21);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (chunk === "VP8 " && data.length >= 30) {
    return { width: data.readUInt16LE(26) & 0x3fff, height: data.readUInt16LE(28) & 0x3fff };
  }
  return { width: null, height: null };
}
