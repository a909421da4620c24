/** A TIFF block whose EXIF directory has this UserComment: an 8-byte code and the text. */
export function exifWith(comment: Uint8Array, order: "II" | "MM" = "MM"): Buffer {
  const head = Buffer.alloc(8 + 18 + 18);
  const short = (value: number, at: number) =>
    order === "II" ? head.writeUInt16LE(value, at) : head.writeUInt16BE(value, at);
  const long = (value: number, at: number) =>
    order === "II" ? head.writeUInt32LE(value, at) : head.writeUInt32BE(value, at);
  const directory = (at: number, tag: number, type: number, count: number, value: number) => {
    short(1, at);
    short(tag, at + 2);
    short(type, at + 4);
    long(count, at + 6);
    long(value, at + 10);
  };
  head.write(order, 0, "latin1");
  short(42, 2);
  long(8, 4);
  directory(8, 0x8769, 4, 1, 26);
  directory(26, 0x9286, 7, comment.length, head.length);
  return Buffer.concat([head, comment]);
}

/** A JPEG with an EXIF segment behind its first marker. */
export function jpegWith(jpeg: Buffer, exif: Uint8Array): Buffer {
  const data = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), exif]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, data, jpeg.subarray(2)]);
}

/** A WebP with an EXIF chunk at its end. */
export function webpWith(webp: Buffer, exif: Uint8Array): Buffer {
  const padded = exif.length % 2 === 0 ? exif : Buffer.concat([exif, Buffer.alloc(1)]);
  const head = Buffer.from("EXIF\0\0\0\0", "latin1");
  head.writeUInt32LE(exif.length, 4);
  const file = Buffer.concat([webp, head, padded]);
  file.writeUInt32LE(file.length - 8, 4);
  return file;
}
