import { dirname, extname, resolve } from "node:path";
import { readWords } from "../core/emphasis.js";
import { InputError } from "../core/errors.js";
import { promptModeOf, randomSeed } from "../core/options.js";
import type { Models } from "./parts/models.js";
import { type ImageFlags, imageOptions, type SourceFlags, sourceOf } from "./parts/options.js";
import { makeOutFolder } from "./parts/out-folder.js";
import type { Output } from "./parts/output.js";
import { PICTURE_NOTES } from "./parts/picture-notes.js";
import { cutLines, markNotes, typedPrompt } from "./parts/prompt.js";

export interface GenerateFlags extends ImageFlags, SourceFlags {
  readonly out: string;
}

/** `promptist generate TEXT --out FILE.png`: draws one prompt as written, on request from another picture. */
export async function generate(
  models: Models,
  output: Output,
  text: string,
  flags: GenerateFlags,
  isGiven: (option: string) => boolean,
): Promise<void> {
  const { prompt, image: own } = typedPrompt(text, output, isGiven);
  const file = resolve(flags.out);
  if (extname(file).toLowerCase() !== ".png")
    throw new InputError("INPUT_OPTION", `--out must name a .png file, not ${flags.out}`);
  const from = sourceOf(flags);
  await makeOutFolder(dirname(file));
  const { miniature, note } = models.noteMiniature(["image"]);
  const options = { ...imageOptions(flags, flags.seed ?? randomSeed(), models.choice.diffusion), ...own };
  await models.checkSizes([options.size]);
  const mode = promptModeOf(options);
  for (const line of markNotes([{ texts: [prompt, options.negative], mode }])) output.say(line);
  const { drawn, info } = await models.withModel("image", async (host) => ({
    drawn: await host.call(
      "draw",
      {
        prompt,
        plainPrompt: readWords(prompt, mode),
        options,
        from,
        file,
        checkpoint: models.choice.diffusion.name,
        pair: null,
      },
      { signal: models.signal, onProgress: output.progress("drawing") },
    ),
    info: host.info,
  }));
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
      checkpoint: models.choice.diffusion.name,
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
