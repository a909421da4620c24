import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import type { Rgb } from "../../../src/pictures/rgb.js";

/** Small random judges, and their results in transformers and diffusers: test/golden/{clip,safety}.py. */
export const CLIP = fileURLToPath(new URL("../../golden/clip", import.meta.url));
export const SAFETY = fileURLToPath(new URL("../../golden/safety", import.meta.url));

export interface ClipNumbers {
  readonly prompts: readonly string[];
  readonly cases: Readonly<
    Record<
      string,
      {
        readonly cosines: Readonly<Record<string, readonly number[]>>;
        readonly beauty: Readonly<Record<string, number>>;
        readonly picture: Readonly<Record<string, readonly number[]>>;
        readonly text: readonly (readonly number[])[];
      }
    >
  >;
}
export interface SafetyNumbers {
  readonly flagged: boolean;
  readonly specialCare: readonly number[];
  readonly scores: readonly number[];
  readonly concepts: readonly number[];
}

const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));
export const clipNumbers: ClipNumbers = json(join(CLIP, "expected.json"));
export const safetyNumbers: Readonly<Record<string, Readonly<Record<string, SafetyNumbers>>>> = json(
  join(SAFETY, "expected.json"),
);

export async function readRgb(file: string): Promise<Rgb> {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { pixels: data, width: info.width, height: info.height };
}

export const goldenPicture = (name: string): Promise<Rgb> => readRgb(join(CLIP, "pictures", `${name}.png`));

/** Pillow 13 resizes columns of these before rows, so some bytes differ by 1 or 2 from older versions. */
export const isTallAndShrinks = (clip: string, picture: string): boolean =>
  clip === "one" && picture === "noise-31x70";
