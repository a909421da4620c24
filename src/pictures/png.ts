import { readFile } from "node:fs/promises";
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

/**
 * Tells a picture that was copied of which pair it is now; null: of none. One without our own text stays as it
 * is. Throws system errors.
 */
export async function retellPair(path: string, pair: PairTexts | null): Promise<void> {
  const png = await readFile(path);
  if (!isPng(png)) return;
  const own = readPngText(png).promptist;
  const promptist = own === undefined ? null : withPair(own, pair);
  if (promptist !== null && promptist !== own) await replaceFile(path, replacePngText(png, { promptist }));
}
