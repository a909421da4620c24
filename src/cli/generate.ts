import { dirname, extname, resolve } from "node:path";
import type { Config } from "../config.js";
import { readWords } from "../core/emphasis.js";
import { InputError } from "../core/errors.js";
import { ENLARGE_STRENGTH, promptModeOf, randomSeed } from "../core/options.js";
import { isDecided } from "../core/speeds.js";
import type { FromFile } from "../inference/worker/protocol.js";
import type { Models } from "./parts/models.js";
import { type ImageFlags, imageOptions, type SourceFlags, sourceOf } from "./parts/options.js";
import { makeOutFolder } from "./parts/out-folder.js";
import type { Output } from "./parts/output.js";
import { PICTURE_NOTES } from "./parts/picture-notes.js";
import { cutLines, markNotes, typedPrompt } from "./parts/prompt.js";
import { findUpscaler } from "./upscale.js";

export interface GenerateFlags extends ImageFlags, SourceFlags {
  readonly out: string;
  readonly enlarge?: number;
  readonly upscaler?: string;
}

/**
 * `promptist generate TEXT --out FILE.png`: draws one prompt as written, on request from another picture. With
 * `--enlarge` it draws over that picture, or over the one that it has just drawn, made larger.
 */
export async function generate(
  models: Models,
  output: Output,
  config: Config,
  text: string,
  flags: GenerateFlags,
  isGiven: (option: string) => boolean,
): Promise<void> {
  const { prompt, image: own } = typedPrompt(text, output, isDecided(isGiven));
  const file = resolve(flags.out);
  if (extname(file).toLowerCase() !== ".png")
    throw new InputError("INPUT_OPTION", `--out must name a .png file, not ${flags.out}`);
  const { enlarge } = flags;
  if (enlarge === undefined && flags.upscaler !== undefined)
    throw new InputError("INPUT_OPTION", "--upscaler needs --enlarge, how many times as large to draw.");
  const upscaler = flags.upscaler === undefined ? null : await findUpscaler(config, flags.upscaler);
  const over = enlarge === undefined ? {} : { enlarge, upscaler };
  const strength = flags.strength ?? ENLARGE_STRENGTH;
  const source = enlarge === undefined || flags.image !== undefined ? sourceOf(flags) : null;
  const from = source && (enlarge === undefined ? source : { ...source, strength, ...over });
  await makeOutFolder(dirname(file));
  const { miniature, note } = models.noteMiniature(["image"]);
  const seed = flags.seed ?? randomSeed();
  const lora = await models.turboLora();
  const { image: options } = imageOptions(flags, seed, models.choice.diffusion, lora, own, isGiven);
  await models.checkSizes([options.size]);
  const mode = promptModeOf(options);
  for (const line of markNotes([{ texts: [prompt, options.negative], mode }])) output.say(line);
  const { drawn, info, checkpoint } = await models.withModelsOf([options], async (host, { checkpoint }) => {
    const draw = (from: FromFile | null, what: string) =>
      host.call(
        "draw",
        {
          prompt,
          plainPrompt: readWords(prompt, mode),
          options,
          from,
          file,
          checkpoint,
          pair: null,
        },
        { signal: models.signal, onProgress: output.progress(what) },
      );
    const first = await draw(from, "drawing");
    // The first picture stays where the second pass fails.
    const drawn =
      enlarge === undefined || from !== null ? first : await draw({ file, strength, ...over }, "enlarging");
    return { drawn, info: host.info, checkpoint };
  });
  for (const line of cutLines(drawn, mode)) output.say(line);
  for (const note of drawn.notes) output.say(PICTURE_NOTES[note]);
  output.result(
    {
      prompt,
      file,
      settings: options,
      ...(from === null ? {} : { from }),
      width: drawn.width,
      height: drawn.height,
      calls: drawn.calls,
      truncated: drawn.truncated,
      truncatedNegative: drawn.truncatedNegative ?? null,
      notes: drawn.notes,
      checkpoint,
      embeddings: drawn.embeddings ?? [],
      miniature,
      note,
      precision: info.precision,
      device: info.device,
      seconds: drawn.seconds,
    },
    `${file}  (${drawn.width}x${drawn.height}, seed ${options.seed}, ${drawn.seconds.toFixed(1)} s)`,
  );
}
