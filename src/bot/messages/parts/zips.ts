import { Readable } from "node:stream";
import { ZipFile } from "yazl";
import type { PictureStore } from "../../../pictures/store.js";
import type { NamedPicture } from "./stored-picture.js";

/** A file that is made for the zip, not read from the disk. */
export interface ZipText {
  readonly name: string;
  readonly data: Buffer;
}

/** What goes into one zip. */
export interface ZipPart {
  readonly texts: readonly ZipText[];
  readonly pictures: readonly NamedPicture[];
  /** No zip of this part is larger. */
  readonly bytes: number;
}

export interface ZipPlan {
  readonly parts: readonly ZipPart[];
  /** How many pictures are larger than a zip may be. */
  readonly tooLarge: number;
  /** How many pictures are gone from the disk. */
  readonly missing: number;
}

/**
 * Both headers of an entry, its descriptor and time stamps, without its name, which is in both (APPNOTE 4.3).
 */
const ENTRY_BYTES = 200;
const END_BYTES = 100;
const overhead = (name: string): number => ENTRY_BYTES + 2 * Buffer.byteLength(name);

/**
 * Packs pictures in order into as few zips as possible, none above `maxBytes`; the texts go into the first
 * one. PNG is already compressed and stored as it is, so sizes are known before anything is written.
 */
export async function planZips(
  texts: readonly ZipText[],
  pictures: readonly NamedPicture[],
  maxBytes: number,
  store: PictureStore,
): Promise<ZipPlan> {
  const first = END_BYTES + texts.reduce((sum, { name, data }) => sum + overhead(name) + data.length, 0);
  const parts: { texts: readonly ZipText[]; pictures: NamedPicture[]; bytes: number }[] = [
    { texts, pictures: [], bytes: first },
  ];
  let tooLarge = 0;
  let missing = 0;
  for (const picture of pictures) {
    const size = await store.size(picture.key);
    if (size === null) {
      missing++;
      continue;
    }
    const bytes = size + overhead(picture.name);
    if (END_BYTES + bytes > maxBytes) {
      tooLarge++;
      continue;
    }
    let part = parts.at(-1)!;
    if (part.bytes + bytes > maxBytes) {
      part = { texts: [], pictures: [], bytes: END_BYTES };
      parts.push(part);
    }
    part.pictures.push(picture);
    part.bytes += bytes;
  }
  return { parts: parts.filter((part) => part.pictures.length > 0), tooLarge, missing };
}

/**
 * Writes one zip, reading one picture after the other. Throws where a picture is gone by now, and system
 * errors.
 */
export async function writeZip({ texts, pictures }: ZipPart, store: PictureStore): Promise<Buffer> {
  const zip = new ZipFile();
  const failed = new Promise<never>((_, reject) => zip.once("error", reject));
  for (const { name, data } of texts) zip.addBuffer(data, name);
  for (const { key, name } of pictures) {
    zip.addReadStreamLazy(`pictures/${name}`, { compress: false }, (ready) => {
      store.read(key).then(
        (data) => {
          if (data === null) ready(new Error(`${key.file} of job ${key.jobId} is gone`), Readable.from([]));
          else ready(null, Readable.from([data]));
        },
        (error) => ready(error, Readable.from([])),
      );
    });
  }
  zip.end();
  const chunks: Buffer[] = [];
  const read = async () => {
    for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };
  return Promise.race([read(), failed]);
}
