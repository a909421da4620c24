import { basename, join, resolve } from "node:path";
import { cellItems, sharedImage } from "../bot/commands/grid.js";
import { cellLabel } from "../bot/words/english/grid.js";
import { readWords } from "../core/emphasis.js";
import { InputError } from "../core/errors.js";
import { type CellOptions, cellsOf, readAxis } from "../core/grid-axes.js";
import { imageOf } from "../core/job.js";
import { LIMIT_RANGES, promptModeOf, randomSeed } from "../core/options.js";
import { NO_REWRITER } from "../core/rewriters.js";
import { isDecided, ownAtSpeed } from "../core/speeds.js";
import type { Drawn, Rewrite } from "../inference/worker/protocol.js";
import type { GridCell } from "../pictures/grid-picture.js";
import { captionOf } from "../pictures/pair-card.js";
import type { Models } from "./parts/models.js";
import { type ImageFlags, imageOptions, type TextFlags, textOptions } from "./parts/options.js";
import { makeOutFolder } from "./parts/out-folder.js";
import type { Output } from "./parts/output.js";
import { rewriteAll } from "./parts/pairs.js";
import { PICTURE_NOTES } from "./parts/picture-notes.js";
import { cutLines, markNotes, typedPrompt, unreadLines } from "./parts/prompt.js";
import { stylesOf } from "./parts/styles.js";

export interface GridFlags extends TextFlags, ImageFlags {
  readonly x: string;
  readonly y?: string;
  readonly text: "prompt" | "rewrite";
  readonly out: string;
}

/**
 * `promptist grid TEXT --x AXIS [--y AXIS] --out DIR`: draws the text with each value of one or two options, and
 * composes the pictures as one.
 */
export async function grid(
  models: Models,
  output: Output,
  text: string,
  flags: GridFlags,
  isGiven: (option: string) => boolean,
): Promise<void> {
  const { prompt, image: own } = typedPrompt(text, output, isDecided(isGiven));
  const seed = flags.seed ?? own.seed ?? randomSeed();
  const lora = await models.turboLora();
  const { image: asked, speeds } = imageOptions(flags, seed, models.choice.diffusion, lora, own, isGiven);
  const limits = {
    speeds,
    offered: { ...(await models.sets.known()), adult: [] },
    styles: stylesOf(flags.styles),
    maxSteps: LIMIT_RANGES.steps.max,
    maxPromptLength: LIMIT_RANGES.promptLength.max,
    maxCells: LIMIT_RANGES.cells.max,
  };
  const { grid, cells } = cellsOf(
    readAxis("x", flags.x, limits),
    flags.y === undefined ? null : readAxis("y", flags.y, limits),
    limits,
  );
  const folder = resolve(flags.out);
  await makeOutFolder(folder);
  const isRewritten = flags.text === "rewrite";
  const { miniature, note } = models.noteMiniature(isRewritten ? ["text", "image"] : ["image"]);
  const image = sharedImage(asked, grid);
  const items = cellItems(prompt, seed, cells, isRewritten ? "optimized" : "baseline");
  const options = items.map((item) => {
    const own = ownAtSpeed(image, item.image ?? {}, speeds);
    return imageOf({ image }, { image: own, seed: item.seed ?? seed });
  });
  await models.checkSizes(options.map(({ size }) => size));
  for (const line of markNotes([{ texts: [prompt, image.negative], mode: promptModeOf(image) }]))
    output.say(line);
  const started = performance.now();

  const rewrite = isRewritten ? await rewriteOnce(models, output, prompt, flags, cells, seed, isGiven) : null;
  const drawn = rewrite?.rewrite ?? prompt;
  const file = join(folder, "grid.png");
  const advance = output.progress("drawing");
  const pictures: Drawn[] = [];
  const { checkpoint } = await models.drawing(options[0]!);
  const { device, precision } = await models.withModelsOf(options, async (host, drawing) => {
    const { indexes, isLast } = drawing;
    for (const i of indexes) {
      const own = options[i]!;
      const path = join(folder, `cell-${String(i + 1).padStart(2, "0")}.png`);
      const picture = await host.call(
        "draw",
        {
          prompt: drawn,
          plainPrompt: readWords(prompt, promptModeOf(own)),
          options: own,
          file: path,
          checkpoint: drawing.checkpoint,
          pair:
            rewrite === null
              ? null
              : {
                  side: "optimized",
                  original: prompt,
                  rewrite: drawn,
                  rewriter: flags.rewriter,
                  ...(rewrite.kept === true ? { kept: true } : {}),
                },
        },
        {
          signal: models.signal,
          onProgress: (done, of) =>
            advance(i * of + done, options.length * of, `drawing ${i + 1} of ${options.length}`),
        },
      );
      for (const line of cutLines(picture, promptModeOf(own))) output.say(`${basename(path)}: ${line}`);
      for (const note of picture.notes) output.say(`${basename(path)}: ${PICTURE_NOTES[note]}`);
      pictures[i] = picture;
    }
    if (isLast)
      await host.call("grid", {
        grid,
        cells: pictures.map(({ file }): GridCell => ({ file, blank: null })),
        title: drawn,
        caption: captionOf(options[0]!, checkpoint, [grid.x.name, grid.y?.name ?? ""]),
        file,
      });
    return { device: host.info.device, precision: host.info.precision };
  });
  output.result(
    {
      prompt,
      optimized: rewrite === null ? null : drawn,
      rewriter: rewrite === null ? null : flags.rewriter,
      grid,
      file,
      cells: pictures.map(({ file, judgement, embeddings = [] }, i) => ({
        file,
        settings: options[i],
        judgement,
        embeddings,
      })),
      checkpoints: { promptist: isRewritten ? models.choice.promptist.name : null, diffusion: checkpoint },
      miniature,
      note,
      precision: precision,
      device: device,
      seconds: (performance.now() - started) / 1000,
    },
    [
      ...(rewrite === null ? [] : [drawn, ""]),
      ...pictures.map(({ file }, i) => `${cellLabel(grid, { index: i })}: ${file}`),
      file,
    ].join("\n"),
  );
}

/** The rewrite that all cells show. Throws InputError where they would not all have the same. */
async function rewriteOnce(
  models: Models,
  output: Output,
  prompt: string,
  flags: GridFlags,
  cells: readonly CellOptions[],
  seed: number,
  isGiven: (option: string) => boolean,
): Promise<Rewrite> {
  if (flags.rewriter === NO_REWRITER)
    throw new InputError(
      "INPUT_REWRITER",
      `--text rewrite needs a rewriter, and --rewriter is ${NO_REWRITER}.`,
      {
        rewriter: NO_REWRITER,
      },
    );
  if (cells.some(({ image }) => image?.prompts !== undefined))
    throw new InputError(
      "INPUT_OPTION",
      "With --text rewrite an axis can't be prompts: each way of reading the prompt has another rewrite.",
    );
  const text = textOptions(flags, seed, isGiven);
  const { rewrites } = await rewriteAll(models, output, [{ prompt, mode: flags.prompts, text }]);
  for (const line of unreadLines([rewrites[0]!])) output.say(line);
  return rewrites[0]!;
}
