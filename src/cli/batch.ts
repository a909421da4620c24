import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { sidesOfRow, type UsableRows, usableRows } from "../bot/commands/batch.js";
import { csvReport, promptsJson } from "../bot/messages/parts/report.js";
import { withModels } from "../bot/requests/models.js";
import { withoutModel } from "../bot/requests/request.js";
import { fileSummary } from "../bot/words/english/batch.js";
import type { Config } from "../config.js";
import { codeOf, describe, InputError, isMissing } from "../core/errors.js";
import { type Item, PHASES, textOptionsOf, unwrittenSides } from "../core/job.js";
import { type ImageOptions, promptModeOf, randomSeed, type TextOptions } from "../core/options.js";
import { rewriterNameOf } from "../core/rewriters.js";
import { type PerSide, SIDES, type Side } from "../core/side.js";
import { isDecided, ownAtSpeed } from "../core/speeds.js";
import type { NewItem } from "../db/queue.js";
import { replaceFile } from "../files/replace-file.js";
import type { Drawn, Rewrite } from "../inference/worker/protocol.js";
import { type PromptFile, type PromptPair, parsePromptFile } from "../prompt-files/prompt-file.js";
import type { Models } from "./parts/models.js";
import { type ImageFlags, imageOptions, type TextFlags, textOptions } from "./parts/options.js";
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
import { markNotes, unreadLines } from "./parts/prompt.js";
import { stylesOf } from "./parts/styles.js";
import { scoreLine } from "./score.js";

/**
 * `promptist batch FILE --out DIR`: rewrites the prompts of a file and draws every pair, with each model loaded once.
 * Items that already are pairs keep their rewrite; if all are, no rewriter is loaded. Rows keep their own seeds and
 * options unless the command line sets them (`isGiven`).
 */
export async function batch(
  models: Models,
  output: Output,
  config: Config,
  file: string,
  flags: TextFlags & ImageFlags & AgainstFlags & { out: string },
  isGiven: (option: string) => boolean,
): Promise<void> {
  requireRewriting(flags);
  const bytes = await readFile(file).catch((cause) => {
    const why = isMissing(cause) ? "there is no such file" : describe(cause);
    throw new InputError("FILE_UNREACHABLE", `${file} cannot be read: ${why}.`, {}, { cause });
  });
  const styles = stylesOf(flags.styles);
  const offered = { ...(await models.sets.known()), adult: [] };
  const read = parsePromptFile(bytes, basename(file), {
    maxBytes: config.MAX_FILE_BYTES,
    maxPrompts: config.MAX_BATCH_PROMPTS,
    maxPromptLength: config.MAX_PROMPT_LENGTH,
    styles,
    offered,
  });
  const seed = flags.seed ?? randomSeed();
  const sides = sidesContext(flags, seed, isGiven);
  const { image: found, rows, notes } = rowsToDraw(read, config.MAX_STEPS, isDecided(isGiven), file);
  const lora = await models.turboLora();
  const { image: usual, speeds } = imageOptions(flags, seed, models.choice.diffusion, lora, found, isGiven);
  const { image, items } = withModels(
    {
      image: usual,
      items: rows.map((row): NewItem => {
        const { prompt, optimized, image: own } = row;
        const item = { prompt, rewrite: optimized, ...sidesOfRow(row, sides.given, sides, seed) };
        const written = withoutModel(item, item.text, styles);
        return own === undefined ? written : { ...written, image: ownAtSpeed(usual, own, speeds) };
      }),
    },
    offered,
  );
  for (const line of fileSummary(notes, items.length)) output.say(line.replaceAll("**", ""));
  const folder = resolve(flags.out);
  await makeOutFolder(folder);
  const lacking = items.flatMap((item, i) => unwrittenSides(item).map((side) => ({ i, side })));
  const { miniature, note } = models.noteMiniature(lacking.length > 0 ? PHASES : ["image"]);
  const started = performance.now();
  const options = items.map((item) => ({ ...image, ...item.image }));
  await models.checkSizes(options.map(({ size }) => size));
  const text = textOptions(flags, seed, isGiven);
  const texts = items.map(({ prompt }, i) => ({
    texts: [prompt, options[i]!.negative],
    mode: promptModeOf(options[i]!),
  }));
  for (const line of markNotes(texts, true)) output.say(line);
  const rewritten = await rewriteAll(
    models,
    output,
    lacking.map(({ i, side }) => ({
      prompt: items[i]!.prompt,
      mode: promptModeOf(options[i]!),
      style: options[i]!.style,
      text: textOptionsOf({ text }, items[i], side),
    })),
  );
  const numbers = lacking.map(({ i }) => i + 1);
  for (const line of unreadLines(rewritten.rewrites, numbers)) output.say(line);
  const loaded = rewritten.loaded.get(rewriterNameOf(text));
  const writtenNow = (i: number, side: Side): Rewrite | undefined =>
    rewritten.rewrites[lacking.findIndex((one) => one.i === i && one.side === side)];

  const pairs = items.map((item, i): PairToDraw => {
    const { prompt, rewrite, against, image: own } = item;
    const { seed: ofRow, optimized: given } = rows[i]!;
    return {
      ...(own === undefined ? {} : { image: own }),
      prompt,
      optimized: rewrite ?? writtenNow(i, "optimized")!.rewrite,
      rewriter: given === null ? rewriterNameOf(textOptionsOf({ text }, item)) : null,
      kept: writtenNow(i, "optimized")?.kept,
      ...withText(against, writtenNow(i, "baseline")),
      seed: ofRow === undefined || isGiven("seed") ? seed + i : ofRow,
      baseline: join(folder, `prompt${i + 1}_original.png`),
      drawn: join(folder, `prompt${i + 1}_optimized.png`),
    };
  });
  // Before any picture: whoever stops here can go on from it.
  const promptsFile = join(folder, "prompts.json");
  await replaceFile(
    promptsFile,
    promptsJson(pairs.map(({ prompt, optimized }) => ({ prompt, rewrite: optimized }))),
  );
  const info = await drawPairs(models, output, folder, pairs, image, { contactSheets: true });
  const checkpoints = {
    promptist: loaded?.name ?? null,
    diffusion: info.checkpoint,
  };
  const report = csvReport({
    id: "",
    text,
    image,
    checkpoints,
    hashes: { promptist: loaded?.hash ?? null, diffusion: info.hash },
    items: pairs.map((pair, i) => itemOf(pair, text, i, rows[i]!, rewritten.ms, info.drawn[i]!)),
  });
  const reportFile = join(folder, "report.csv");
  await replaceFile(reportFile, report);
  output.result(
    {
      pairs: pairs.map(({ prompt, optimized, against, seed, baseline, drawn }, i) => ({
        original: prompt,
        optimized,
        ...(against === undefined ? {} : { against: opponentJson(against) }),
        seed,
        files: { baseline, optimized: drawn },
        judgements: info.judgements[i],
        scores: info.scores[i],
      })),
      promptsFile,
      reportFile,
      contactSheets: info.sheets,
      promptistLoaded: lacking.length > 0,
      rewriter: lacking.length > 0 ? flags.rewriter : null,
      checkpoints,
      miniature,
      note,
      device: info.device,
      precision: info.precision,
      seconds: (performance.now() - started) / 1000,
    },
    [
      ...info.scores.map(
        (scores, i) =>
          `Pair ${i + 1}: seed ${pairs[i]!.seed}${scores.reward === null ? "" : `, ${scoreLine(scores)}`}`,
      ),
      `${pairs.length} pairs in ${folder}`,
      promptsFile,
      reportFile,
      ...info.sheets,
    ].join("\n"),
  );
}

/** The rows that can be drawn; throws InputError FILE_SHAPE if none has usable options. */
function rowsToDraw(
  read: PromptFile,
  maxSteps: number,
  isGiven: (option: keyof ImageOptions) => boolean,
  file: string,
): UsableRows {
  try {
    return usableRows(read, { maxSteps }, isGiven);
  } catch (cause) {
    if (codeOf(cause) !== "INPUT_OPTION") throw cause;
    throw new InputError("FILE_SHAPE", `${file}: ${(cause as Error).message}`, {}, { cause });
  }
}

/** A drawn pair as the bot's reports know it. */
function itemOf(
  { prompt, optimized, rewriter, kept = false, against, seed, image }: PairToDraw,
  text: TextOptions,
  index: number,
  given: PromptPair,
  rewriteMs: number,
  drawn: PerSide<Drawn>,
): Item {
  const picture = ({ file, seconds, judgement }: Drawn) => ({
    file: basename(file),
    ms: Math.round(seconds * 1000),
    judgement,
  });
  return {
    index,
    prompt,
    rewrite: optimized,
    rewriteMs: given.optimized === null ? rewriteMs : null,
    candidates: given.optimized === null ? [{ text: optimized, tokens: 0, score: null }] : [],
    seed,
    ...(rewriter === null ? {} : { text: { ...text, rewriter } }),
    ...(image === undefined ? {} : { image }),
    ...(against === undefined ? {} : { against }),
    pictures: { baseline: picture(drawn.baseline), optimized: picture(drawn.optimized) },
    comparison: null,
    cancelled: false,
    notes: [
      ...(kept ? [{ code: "kept", side: "optimized" } as const] : []),
      ...SIDES.flatMap((side) =>
        (drawn[side].embeddings ?? []).map((used) => ({ code: "embedding", side, ...used }) as const),
      ),
    ],
  };
}
