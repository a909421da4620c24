import { join, resolve } from "node:path";
import { PHASES } from "../core/job.js";
import { promptModeOf, randomSeed } from "../core/options.js";
import { isDecided } from "../core/speeds.js";
import { drawPairs, requireRewriting, rewriteAll } from "./batch.js";
import type { Models } from "./parts/models.js";
import {
  type ImageFlags,
  imageOptions,
  type SourceFlags,
  sourceOf,
  type TextFlags,
  textOptions,
} from "./parts/options.js";
import { makeOutFolder } from "./parts/out-folder.js";
import type { Output } from "./parts/output.js";
import { markNotes, typedPrompt, unreadLines } from "./parts/prompt.js";
import { scoreLine } from "./score.js";

export interface CompareFlags extends TextFlags, ImageFlags, SourceFlags {
  readonly out: string;
}

/**
 * `promptist compare TEXT --out DIR`: rewrites the prompt and draws both prompts from one seed, side by side, on
 * request both from another picture.
 */
export async function compare(
  models: Models,
  output: Output,
  text: string,
  flags: CompareFlags,
  isGiven: (option: string) => boolean,
): Promise<void> {
  const { prompt, image: own } = typedPrompt(text, output, isDecided(isGiven));
  const from = sourceOf(flags);
  requireRewriting(flags.rewriter);
  const folder = resolve(flags.out);
  await makeOutFolder(folder);
  const { miniature, note } = models.noteMiniature(PHASES);
  const seed = flags.seed ?? own.seed ?? randomSeed();
  const lora = await models.turboLora();
  const { image } = imageOptions(flags, seed, models.choice.diffusion, lora, own, isGiven);
  await models.checkSizes([image.size]);
  const mode = promptModeOf(image);
  for (const line of markNotes([{ texts: [prompt, image.negative], mode }])) output.say(line);
  const started = performance.now();

  const asked = { prompt, mode, style: image.style, text: textOptions(flags, seed, isGiven) };
  const {
    rewrites: [rewrite],
  } = await rewriteAll(models, output, [asked]);
  for (const line of unreadLines([rewrite!])) output.say(line);
  const pair = {
    prompt,
    optimized: rewrite!.rewrite,
    rewriter: flags.rewriter,
    kept: rewrite!.kept,
    seed,
    baseline: join(folder, "baseline.png"),
    drawn: join(folder, "optimized.png"),
    comparison: join(folder, "comparison.png"),
  };
  const info = await drawPairs(models, output, folder, [pair], image, { from });
  const { baseline, drawn, comparison } = pair;
  const scores = info.scores[0]!;
  const pairDrawn = info.drawn[0]!;
  output.result(
    {
      prompt,
      optimized: pair.optimized,
      rewriter: flags.rewriter,
      kept: rewrite!.kept ?? false,
      unread: rewrite!.unread ?? null,
      candidates: rewrite!.candidates,
      files: { baseline, optimized: drawn, comparison },
      seed,
      settings: image,
      ...(from === null ? {} : { from }),
      truncated: info.truncated,
      embeddings: {
        baseline: pairDrawn.baseline.embeddings ?? [],
        optimized: pairDrawn.optimized.embeddings ?? [],
      },
      judgements: info.judgements[0],
      scores,
      checkpoints: { promptist: models.choice.promptist.name, diffusion: info.checkpoint },
      miniature,
      note,
      precision: info.precision,
      device: info.device,
      seconds: (performance.now() - started) / 1000,
    },
    [
      pair.optimized,
      "",
      `Seed ${seed}.`,
      ...(scores.reward === null ? [] : [`Of the pair: ${scoreLine(scores)}`]),
      baseline,
      drawn,
      comparison,
    ].join("\n"),
  );
}
