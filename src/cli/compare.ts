import { join, resolve } from "node:path";
import { readSides } from "../bot/requests/opponents.js";
import { withoutModel } from "../bot/requests/request.js";
import { PHASES, textOptionsOf, unwrittenSides } from "../core/job.js";
import { promptModeOf, randomSeed } from "../core/options.js";
import { rewriterNameOf } from "../core/rewriters.js";
import type { Side } from "../core/side.js";
import { isDecided } from "../core/speeds.js";
import type { Models } from "./parts/models.js";
import {
  type ImageFlags,
  imageOptions,
  type SourceFlags,
  sourceOf,
  type TextFlags,
} from "./parts/options.js";
import { makeOutFolder } from "./parts/out-folder.js";
import type { Output } from "./parts/output.js";
import {
  type AgainstFlags,
  drawPairs,
  opponentJson,
  type PairToDraw,
  requireRewriting,
  rewriteAll,
  sidesContext,
  withText,
} from "./parts/pairs.js";
import { markNotes, typedPrompt, unreadLines } from "./parts/prompt.js";
import { scoreLine } from "./score.js";

export interface CompareFlags extends TextFlags, ImageFlags, SourceFlags, AgainstFlags {
  readonly out: string;
}

/**
 * `promptist compare TEXT --out DIR`: rewrites the prompt and draws both prompts from one seed, side by side, on
 * request both from another picture, or with another rewriter's text in place of the prompt as written.
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
  requireRewriting(flags);
  const folder = resolve(flags.out);
  await makeOutFolder(folder);
  const { miniature, note } = models.noteMiniature(PHASES);
  const seed = flags.seed ?? own.seed ?? randomSeed();
  const lora = await models.turboLora();
  const { image } = imageOptions(flags, seed, models.choice.diffusion, lora, own, isGiven);
  await models.checkSizes([image.size]);
  const context = sidesContext(flags, seed, isGiven);
  const sides = readSides(context.given, context, seed);
  const mode = promptModeOf(image);
  for (const line of markNotes([{ texts: [prompt, image.negative], mode }])) output.say(line);
  const started = performance.now();

  const item = withoutModel({ prompt, rewrite: null, ...sides }, sides.text, context.styles);
  const lacking = unwrittenSides(item);
  const { rewrites } = await rewriteAll(
    models,
    output,
    lacking.map((side) => ({ prompt, mode, style: image.style, text: textOptionsOf(sides, item, side) })),
  );
  for (const line of unreadLines(rewrites)) output.say(line);
  const written = (side: Side) => rewrites[lacking.indexOf(side)];
  const rewrite = written("optimized");
  const opponent = withText(item.against, written("baseline"));
  const rewriter = rewriterNameOf(sides.text);
  const pair: PairToDraw = {
    prompt,
    optimized: item.rewrite ?? rewrite!.rewrite,
    rewriter,
    kept: rewrite?.kept,
    ...opponent,
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
      rewriter,
      ...(pair.against === undefined ? {} : { against: opponentJson(pair.against) }),
      kept: rewrite?.kept ?? false,
      unread: rewrite?.unread ?? null,
      candidates: rewrite?.candidates ?? [],
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
      ...(pair.against === undefined ? [] : [pair.against.rewrite, ""]),
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
