import sharp from "sharp";
import { replaceFile } from "../files/replace-file.js";
import { ownJson, type PairTexts, type PictureParameters, parametersText, withPair } from "./parameters.js";
import { isPng, readPngText, replacePngText, withPngText } from "./png-text.js";

export type { PictureParameters } from "./parameters.js";
export { readPngText } from "./png-text.js";

/**
 * Writes RGB pixels as a PNG that carries its parameters; whole or not at all.
 * @param pixels 3 * width * height bytes, row by row
 */
export async function writePng(
  path: string,
  pixels: Uint8Array,
  width: number,
  height: number,
  parameters: PictureParameters,
): Promise<void> {
  const png = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  await replaceFile(path, withPngText(png, pngTexts(parameters)));
}

/**
 * The text chunks of a picture. None is called `prompt` or `workflow`: ComfyUI takes these for a graph of its own.
 */
export const pngTexts = (parameters: PictureParameters) => ({
  parameters: parametersText(parameters),
  promptist: ownJson(parameters),
  Software: parameters.program,
});

/** A picture that was copied, which tells of which pair it is now; null: of none. One without our own text stays as it is. */
export function retellPair(png: Buffer, pair: PairTexts | null): Buffer {
  if (!isPng(png)) return png;
  const own = readPngText(png).promptist;
  const promptist = own === undefined ? null : withPair(own, pair);
  return promptist === null || promptist === own ? png : replacePngText(png, { promptist });
}
