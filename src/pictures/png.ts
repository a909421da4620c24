import sharp from "sharp";
import type { UsedEmbedding } from "../core/job.js";
import {
  type PictureSize,
  type PromptMode,
  promptModeOf,
  SCHEDULER_NAMES,
  type SchedulerName,
} from "../core/options.js";
import { replaceFile } from "../files/replace-file.js";
import { withPngText } from "./png-text.js";

export { readPngText } from "./png-text.js";

/** Everything needed to draw a picture again. */
export interface PictureParameters {
  readonly prompt: string;
  readonly negative: string;
  readonly seed: number;
  readonly steps: number;
  readonly guidance: number;
  readonly scheduler: SchedulerName;
  readonly prompts?: PromptMode;
  readonly size: PictureSize;
  /** Name of the checkpoint. */
  readonly checkpoint: string;
  /** Name and version of the program, such as "promptist 0.1.0". */
  readonly program: string;
  /** What stands for names in the prompts. */
  readonly embeddings?: readonly UsedEmbedding[];
}

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

/** The text chunks of a picture: one per parameter, and `parameters`, the chunk that other programs read. */
export function pngTexts(parameters: PictureParameters): Record<string, string> {
  const { prompt, negative, seed, steps, guidance, scheduler, size, checkpoint, program } = parameters;
  return {
    parameters: parametersText(parameters),
    prompt,
    negative,
    seed: String(seed),
    steps: String(steps),
    guidance: String(guidance),
    scheduler,
    prompts: promptModeOf(parameters),
    size: `${size.width}x${size.height}`,
    checkpoint,
    Software: program,
  };
}

/**
 * The format that Stable Diffusion user interfaces and sites read and write: the prompts, then all parameters
 * on one line.
 */
function parametersText(parameters: PictureParameters): string {
  const { prompt, negative, seed, steps, guidance, scheduler, size, checkpoint, program } = parameters;
  const { embeddings = [] } = parameters;
  const settings = {
    Steps: steps,
    Sampler: SCHEDULER_NAMES[scheduler].sampler,
    "CFG scale": guidance,
    Seed: seed,
    Size: `${size.width}x${size.height}`,
    ...(promptModeOf(parameters) === "diffusers" ? {} : { "Prompt mode": promptModeOf(parameters) }),
    Model: quoted(checkpoint),
    ...(embeddings.length === 0 ? {} : { "TI hashes": JSON.stringify(hashesOf(embeddings)) }),
    Version: quoted(program),
  };
  const line = Object.entries(settings)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");
  return [prompt, ...(negative === "" ? [] : [`Negative prompt: ${negative}`]), line].join("\n");
}

/** As other programs write them: names without the separators, and the first ten letters of each hash. */
const hashesOf = (embeddings: readonly UsedEmbedding[]): string =>
  embeddings.map(({ name, sha256 }) => `${name.replace(/[:,]/g, "")}: ${sha256.slice(0, 10)}`).join(", ");

/** Quotes values that contain the line's own separators. */
const quoted = (value: string): string => (/[,:\n"]/.test(value) ? JSON.stringify(value) : value);
