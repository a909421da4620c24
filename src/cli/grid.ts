import { basename, join, resolve } from "node:path";
import { cellItems, sharedImage } from "../bot/commands/grid.js";
import { readRewriting, withoutModel } from "../bot/requests/request.js";
import { cellLabel } from "../bot/words/english/grid.js";
import { readWords } from "../core/emphasis.js";
import { InputError } from "../core/errors.js";
import { variesRewriters } from "../core/grid.js";
import { cellsOf, readAxis } from "../core/grid-axes.js";
import { imageOf, lacksRewrite, textOfSide, textOptionsOf } from "../core/job.js";
import { loraList, offeredName } from "../core/known-models.js";
import { LIMIT_RANGES, promptModeOf, randomSeed } from "../core/options.js";
import { NO_REWRITER, REWRITER_NAMES, rewriterNameOf } from "../core/rewriters.js";
import { isDecided, ownAtSpeed } from "../core/speeds.js";
import type { Drawn, Rewrite } from "../inference/worker/protocol.js";
import type { GridCell } from "../pictures/grid-picture.js";
import { captionOf } from "../pictures/pair-card.js";
import type { Models } from "./parts/models.js";
import { type ImageFlags, imageOptions, type TextFlags, textOptions } from "./parts/options.js";
import { makeOutFolder } from "./parts/out-folder.js";
import type { Output } from "./parts/output.js";
import { type PromptToRewrite, rewriteAll, sidesContext } from "./parts/pairs.js";
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
  typed: string,
  flags: GridFlags,
  isGiven: (option: string) => boolean,
): Promise<void> {
  const { prompt, image: own } = typedPrompt(typed, output, isDecided(isGiven));
  const seed = flags.seed ?? own.seed ?? randomSeed();
  const lora = await models.turboLora();
  const { image: asked, speeds } = imageOptions(flags, seed, models.choice.diffusion, lora, own, isGiven);
  const { given: said, ...sides } = sidesContext(flags, seed, isGiven);
  const styles = stylesOf(flags.styles);
  const offered = { ...(await models.sets.known()), adult: [] };
  const limits = {
    rewriters: {
      names: REWRITER_NAMES,
      textOf: (rewriter: string) => readRewriting({ ...said, rewriter }, sides, seed),
    },
    speeds,
    offered,
    styles,
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
  const text = textOptions(flags, seed, isGiven);
  if (isRewritten && !variesRewriters(grid) && flags.rewriter === NO_REWRITER)
    throw new InputError(
      "INPUT_REWRITER",
      `--text rewrite needs a rewriter, and --rewriter is ${NO_REWRITER}.`,
      { rewriter: NO_REWRITER },
    );
  const named = variesStrength(flags)
    ? flags.lora.map(({ file, weight }) => ({ name: offeredName(file, "LoRA", offered), strength: weight }))
    : [];
  const loras = loraList([...(asked.loras ?? []), ...named]);
  const image = sharedImage({ ...asked, ...(loras.length === 0 ? {} : { loras }) }, grid);
  const items = cellItems(prompt, image, cells, isRewritten ? "optimized" : "baseline").map((item) =>
    withoutModel(item, item.text ?? text, styles),
  );
  const options = items.map((item) => {
    const own = ownAtSpeed(image, item.image ?? {}, speeds);
    return imageOf({ image }, { image: own, seed: item.seed ?? seed });
  });
  await models.checkSizes(options.map(({ size }) => size));
  for (const line of markNotes([{ texts: [prompt, image.negative], mode: promptModeOf(image) }]))
    output.say(line);
  const started = performance.now();

  const ways = items.map((item, i) => ({
    prompt,
    mode: promptModeOf(options[i]!),
    text: textOptionsOf({ text }, item),
  }));
  const lacking = ways.filter((_, i) => lacksRewrite(items[i]!));
  const { miniature, note } = models.noteMiniature(lacking.length > 0 ? ["text", "image"] : ["image"]);
  const written = await rewriteDistinct(models, output, lacking);
  const texts = items.map(
    (item, i) =>
      textOfSide(item, item.only ?? "baseline") ?? written.get(JSON.stringify(ways[i]))?.rewrite ?? prompt,
  );
  const title = variesRewriters(grid) ? prompt : texts[0]!;
  const isRewrite = items.some(({ only }) => only === "optimized");
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
          prompt: texts[i]!,
          plainPrompt: readWords(prompt, promptModeOf(own)),
          options: own,
          file: path,
          checkpoint: drawing.checkpoint,
          pair:
            items[i]!.only === "optimized"
              ? {
                  side: "optimized",
                  original: prompt,
                  rewrite: texts[i]!,
                  rewriter: rewriterNameOf(ways[i]!.text),
                  ...(written.get(JSON.stringify(ways[i]))?.kept === true ? { kept: true } : {}),
                }
              : null,
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
        title,
        caption: captionOf(options[0]!, checkpoint, [grid.x.name, grid.y?.name ?? ""]),
        file,
      });
    return { device: host.info.device, precision: host.info.precision };
  });
  output.result(
    {
      prompt,
      optimized: isRewrite && !variesRewriters(grid) ? title : null,
      rewriter: isRewritten ? flags.rewriter : null,
      grid,
      file,
      cells: pictures.map(({ file, judgement, embeddings = [] }, i) => ({
        file,
        ...(variesRewriters(grid) ? { rewriter: rewriterNameOf(ways[i]!.text), text: texts[i] } : {}),
        settings: options[i],
        judgement,
        embeddings,
      })),
      checkpoints: {
        promptist: isRewritten && !variesRewriters(grid) ? models.choice.promptist.name : null,
        diffusion: checkpoint,
      },
      miniature,
      note,
      precision: precision,
      device: device,
      seconds: (performance.now() - started) / 1000,
    },
    [
      ...(isRewrite ? [...new Set(texts), ""] : []),
      ...pictures.map(({ file }, i) => `${cellLabel(grid, { index: i })}: ${file}`),
      file,
    ].join("\n"),
  );
}

/** Whether the grid varies the strength of the LoRAs of `--lora`, which the cells have then, and not the model. */
export const variesStrength = ({ x, y = "" }: Pick<GridFlags, "x" | "y">): boolean =>
  [x, y].some((axis) => /^\s*(?:lora[ -])?strength\s*[=:]/i.test(axis));

/** What rewriters make of a prompt, each way of asking once, by that way. */
async function rewriteDistinct(
  models: Models,
  output: Output,
  lacking: readonly PromptToRewrite[],
): Promise<ReadonlyMap<string, Rewrite>> {
  const keys = [...new Set(lacking.map((way) => JSON.stringify(way)))];
  const { rewrites } = await rewriteAll(
    models,
    output,
    keys.map((key) => lacking.find((way) => JSON.stringify(way) === key)!),
  );
  for (const line of unreadLines(rewrites)) output.say(line);
  return new Map(keys.map((key, i) => [key, rewrites[i]!]));
}
