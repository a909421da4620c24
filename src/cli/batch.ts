import { readFile, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { optionsOfFile } from "../bot/commands/batch.js";
import type { Config } from "../config.js";
import { InputError } from "../core/errors.js";
import { type PictureJudgement, pairScores } from "../core/judgement.js";
import { type ImageOptions, randomSeed, type TextOptions } from "../core/options.js";
import type { PerSide } from "../core/side.js";
import type { Rewrite } from "../inference/worker/protocol.js";
import { PAIRS_PER_SHEET } from "../pictures/contact-sheet.js";
import { captionOf, type PairFiles } from "../pictures/pair-card.js";
import { parsePromptFile } from "../prompt-files/prompt-file.js";
import type { Models } from "./models.js";
import { type ImageFlags, imageOptions, type TextFlags, textOptions } from "./options.js";
import { makeOutFolder } from "./out-folder.js";
import type { Output } from "./output.js";
import { unreadLines } from "./prompt.js";
import { scoreLine } from "./score.js";

export interface PairToDraw {
  readonly prompt: string;
  readonly optimized: string;
  readonly seed: number;
  readonly baseline: string;
  readonly drawn: string;
  /** Path of the side-by-side picture, if wanted. */
  readonly comparison?: string;
}

/**
 * `promptist batch FILE --out DIR`: rewrites the prompts of a file and draws every pair. Items that already
 * are pairs keep their rewrite; if all are, Promptist is never loaded. The rows of a batch's report keep
 * their own seeds and options unless the command line sets them (`isGiven`).
 */
export async function batch(
  models: Models,
  output: Output,
  config: Config,
  file: string,
  flags: TextFlags & ImageFlags & { out: string },
  isGiven: (option: keyof ImageOptions) => boolean,
): Promise<void> {
  const bytes = await readFile(file).catch((cause) => {
    throw new InputError(
      "FILE_UNREACHABLE",
      `${file} cannot be read: ${(cause as Error).message}`,
      {},
      { cause },
    );
  });
  const entries = parsePromptFile(bytes, basename(file), {
    maxBytes: config.MAX_FILE_BYTES,
    maxPrompts: config.MAX_BATCH_PROMPTS,
    maxPromptLength: config.MAX_PROMPT_LENGTH,
  });
  const found = optionsOfFile(entries, config.MAX_STEPS, isGiven);
  const folder = resolve(flags.out);
  await makeOutFolder(folder);
  const plain = entries.filter((entry) => entry.optimized === null).map((entry) => entry.prompt);
  const { miniature, note } = models.noteMiniature(plain.length > 0 ? ["text", "image"] : ["image"]);
  const started = performance.now();
  const seed = flags.seed ?? randomSeed();
  const image = { ...imageOptions(flags, seed, models.choice.diffusion), ...found };
  models.noteSize(image.size);
  const made = await rewriteAll(models, output, plain, textOptions(flags, seed));
  const numbers = entries.flatMap(({ optimized }, i) => (optimized === null ? [i + 1] : []));
  for (const line of unreadLines(made, numbers)) output.say(line);
  const rewrites = made[Symbol.iterator]();

  const pairs = entries.map(
    ({ prompt, optimized, seed: own }, i): PairToDraw => ({
      prompt,
      optimized: optimized ?? (rewrites.next().value as Rewrite).rewrite,
      seed: own === undefined || isGiven("seed") ? seed + i : own,
      baseline: join(folder, `prompt${i + 1}_original.png`),
      drawn: join(folder, `prompt${i + 1}_optimized.png`),
    }),
  );
  const promptsFile = join(folder, "prompts.json");
  const record = pairs.map(({ prompt, optimized }) => ({ original: prompt, optimized }));
  await writeFile(promptsFile, `${JSON.stringify(record, null, 2)}\n`);

  const info = await drawPairs(models, output, folder, pairs, image, true);
  output.result(
    {
      pairs: pairs.map(({ prompt, optimized, seed, baseline, drawn }, i) => ({
        original: prompt,
        optimized,
        seed,
        files: { baseline, optimized: drawn },
        judgements: info.judgements[i],
        scores: info.scores[i],
      })),
      promptsFile,
      contactSheets: info.sheets,
      promptistLoaded: plain.length > 0,
      checkpoints: {
        promptist: plain.length > 0 ? models.choice.promptist.name : null,
        diffusion: models.choice.diffusion.name,
      },
      miniature,
      note,
      device: info.device,
      precision: info.precision,
      seconds: (performance.now() - started) / 1000,
    },
    [
      ...info.scores.flatMap((scores, i) =>
        scores.reward === null ? [] : [`Pair ${i + 1}: ${scoreLine(scores)}`],
      ),
      `${pairs.length} pairs in ${folder}`,
      promptsFile,
      ...info.sheets,
    ].join("\n"),
  );
}

/** Rewrites all prompts with Promptist loaded once; loads nothing if there are none. */
export async function rewriteAll(
  models: Models,
  output: Output,
  prompts: readonly string[],
  options: TextOptions,
): Promise<readonly Rewrite[]> {
  if (prompts.length === 0) return [];
  return models.withModel("text", (host) =>
    host.call(
      "optimize",
      { prompts, options },
      { signal: models.signal, onProgress: output.progress("rewriting") },
    ),
  );
}

/** Draws all pairs, their comparisons and contact sheets with Stable Diffusion loaded once. */
export async function drawPairs(
  models: Models,
  output: Output,
  folder: string,
  pairs: readonly PairToDraw[],
  image: ImageOptions,
  contactSheets = false,
) {
  const checkpoint = models.choice.diffusion.name;
  return models.withModel("image", async (host) => {
    const truncated: { file: string; words: string }[] = [];
    const composed: PairFiles[] = [];
    const judgements: PerSide<PictureJudgement>[] = [];
    for (const [i, pair] of pairs.entries()) {
      const options = { ...image, seed: pair.seed };
      const place = pairs.length > 1 ? ` ${i + 1}/${pairs.length}` : "";
      const half = async (label: string, prompt: string, file: string) => {
        const { truncated: words, judgement } = await host.call(
          "draw",
          { prompt, plainPrompt: pair.prompt, options, file, checkpoint },
          { signal: models.signal, onProgress: output.progress(`drawing ${label}${place}`) },
        );
        if (words) {
          truncated.push({ file, words });
          output.say(`${basename(file)}: beyond the text encoder's window, so not read: ${words}`);
        }
        return judgement;
      };
      judgements.push({
        baseline: await half("baseline", pair.prompt, pair.baseline),
        optimized: await half("optimized", pair.optimized, pair.drawn),
      });
      const files = {
        texts: { baseline: pair.prompt, optimized: pair.optimized },
        files: { baseline: pair.baseline, optimized: pair.drawn },
        caption: captionOf(options, checkpoint),
      };
      if (pair.comparison) await host.call("compose", { pair: files, file: pair.comparison });
      composed.push(files);
    }
    const sheets: string[] = [];
    for (let from = 0; contactSheets && from < composed.length; from += PAIRS_PER_SHEET) {
      const file = join(
        folder,
        from === 0 ? "contact-sheet.png" : `contact-sheet-${from / PAIRS_PER_SHEET + 1}.png`,
      );
      await host.call("sheet", {
        pairs: composed.slice(from, from + PAIRS_PER_SHEET),
        file,
        numbers: composed.slice(from, from + PAIRS_PER_SHEET).map((_, i) => from + i + 1),
      });
      sheets.push(file);
    }
    const scores = judgements.map(pairScores);
    return {
      truncated,
      judgements,
      scores,
      sheets,
      device: host.info.device,
      precision: host.info.precision,
    };
  });
}
