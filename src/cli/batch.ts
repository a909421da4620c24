import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type UsableRows, usableRows } from "../bot/commands/batch.js";
import { csvReport, promptsJson } from "../bot/messages/parts/report.js";
import { fileSummary } from "../bot/words/english/batch.js";
import { numbered } from "../bot/words/english/parts.js";
import type { Config } from "../config.js";
import { readWords } from "../core/emphasis.js";
import { codeOf, describe, InputError, isMissing } from "../core/errors.js";
import { type Item, imageOf, PHASES } from "../core/job.js";
import { type PictureJudgement, pairScores } from "../core/judgement.js";
import { takeMentions } from "../core/known-models.js";
import {
  type ImageOptions,
  type OwnOptions,
  type PromptMode,
  promptModeOf,
  randomSeed,
  type TextOptions,
} from "../core/options.js";
import { NO_REWRITER, rewriterNameOf, styleIn } from "../core/rewriters.js";
import { type PerSide, SIDES, type Side } from "../core/side.js";
import { isDecided, ownAtSpeed } from "../core/speeds.js";
import { applyStyle, requireStyle, type Style, type StyleWords } from "../core/styles.js";
import { replaceFile } from "../files/replace-file.js";
import type { Drawn, FromFile, Rewrite, WorkerInfo } from "../inference/worker/protocol.js";
import { PAIRS_PER_SHEET } from "../pictures/contact-sheet.js";
import { captionOf, type PairFiles } from "../pictures/pair-card.js";
import { type PromptFile, type PromptPair, parsePromptFile } from "../prompt-files/prompt-file.js";
import type { Models } from "./parts/models.js";
import { type ImageFlags, imageOptions, type TextFlags, textOptions } from "./parts/options.js";
import { makeOutFolder } from "./parts/out-folder.js";
import type { Output } from "./parts/output.js";
import { PICTURE_NOTES } from "./parts/picture-notes.js";
import { cutLines, markNotes, unreadLines } from "./parts/prompt.js";
import { stylesOf } from "./parts/styles.js";
import { scoreLine } from "./score.js";

export interface PairToDraw {
  readonly prompt: string;
  readonly optimized: string;
  /** Who wrote it, by name; null where it was given. */
  readonly rewriter: string | null;
  /** Whether it was held to the prompt's own words. */
  readonly kept?: boolean | undefined;
  readonly seed: number;
  /** Options of this pair that replace those of all. */
  readonly image?: OwnOptions;
  readonly baseline: string;
  readonly drawn: string;
  /** Path of the side-by-side picture, if wanted. */
  readonly comparison?: string;
}

/**
 * `promptist batch FILE --out DIR`: rewrites the prompts of a file and draws every pair. Items that already
 * are pairs keep their rewrite; if all are, Promptist is never loaded. Rows keep their own seeds and
 * options unless the command line sets them (`isGiven`).
 */
export async function batch(
  models: Models,
  output: Output,
  config: Config,
  file: string,
  flags: TextFlags & ImageFlags & { out: string },
  isGiven: (option: string) => boolean,
): Promise<void> {
  requireRewriting(flags.rewriter);
  const bytes = await readFile(file).catch((cause) => {
    const why = isMissing(cause) ? "there is no such file" : describe(cause);
    throw new InputError("FILE_UNREACHABLE", `${file} cannot be read: ${why}.`, {}, { cause });
  });
  const read = parsePromptFile(bytes, basename(file), {
    maxBytes: config.MAX_FILE_BYTES,
    maxPrompts: config.MAX_BATCH_PROMPTS,
    maxPromptLength: config.MAX_PROMPT_LENGTH,
    styles: stylesOf(flags.styles),
  });
  const styles = stylesOf(flags.styles);
  const { image: found, rows, notes } = rowsToDraw(read, config.MAX_STEPS, isDecided(isGiven), file);
  const { entries, named } = withoutMentions(rows.map((row) => withStyleAsRewriter(row, styles)));
  for (const line of fileSummary(notes, entries.length)) output.say(line.replaceAll("**", ""));
  if (named.length > 0)
    output.say(
      `Note: the <lora:...> in ${numbered(named)} are left out, as one model draws the whole file here. Name LoRAs for all prompts with --lora.`,
    );
  const folder = resolve(flags.out);
  await makeOutFolder(folder);
  const plain = entries.filter((entry) => entry.optimized === null);
  const { miniature, note } = models.noteMiniature(plain.length > 0 ? PHASES : ["image"]);
  const started = performance.now();
  const seed = flags.seed ?? randomSeed();
  const lora = await models.turboLora();
  const { image, speeds } = imageOptions(flags, seed, models.choice.diffusion, lora, found, isGiven);
  await models.checkSizes(entries.map((entry) => ({ ...image, ...entry.image }).size));
  const text = textOptions(flags, seed, isGiven);
  const textOf = ({ rewriter }: PromptPair) =>
    rewriter === undefined || isGiven("rewriter") ? text : textOptions(flags, seed, isGiven, rewriter);
  const modeOf = (entry: PromptPair) => promptModeOf({ ...image, ...entry.image });
  const asked = entries.map((entry) => {
    const { negative } = { ...image, ...entry.image };
    return { texts: [entry.prompt, negative], mode: modeOf(entry) };
  });
  for (const line of markNotes(asked, true)) output.say(line);
  const rewritten = await rewriteAll(
    models,
    output,
    plain.map((entry) => ({
      prompt: entry.prompt,
      mode: modeOf(entry),
      style: { ...image, ...entry.image }.style,
      text: textOf(entry),
    })),
  );
  const numbers = entries.flatMap(({ optimized }, i) => (optimized === null ? [i + 1] : []));
  for (const line of unreadLines(rewritten.rewrites, numbers)) output.say(line);
  const rewrites = rewritten.rewrites[Symbol.iterator]();
  const loaded = rewritten.loaded.get(rewriterNameOf(text));

  const pairs = entries.map((entry, i): PairToDraw => {
    const { prompt, optimized, rewriter = null, seed: own, image: options } = entry;
    const made = optimized === null ? (rewrites.next().value as Rewrite) : null;
    return {
      ...(options === undefined ? {} : { image: ownAtSpeed(image, options, speeds) }),
      prompt,
      optimized: optimized ?? made!.rewrite,
      rewriter: optimized === null ? rewriterNameOf(textOf(entry)) : rewriter,
      kept: made?.kept,
      seed: own === undefined || isGiven("seed") ? seed + i : own,
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
    items: pairs.map((pair, i) => itemOf(pair, text, i, entries[i]!, rewritten.ms, info.drawn[i]!)),
  });
  const reportFile = join(folder, "report.csv");
  await replaceFile(reportFile, report);
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
      reportFile,
      contactSheets: info.sheets,
      promptistLoaded: plain.length > 0,
      rewriter: plain.length > 0 ? flags.rewriter : null,
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

/** A row with a style in its rewriter's place, as a pair: the style's words need no model. */
function withStyleAsRewriter(row: PromptPair, styles: readonly Style[]): PromptPair {
  const style = styleIn(row.rewriter ?? "");
  if (style === null) return row;
  const words = requireStyle(style, styles);
  return { ...row, optimized: applyStyle({ prompt: row.prompt, negative: "" }, words).prompt };
}

/** Throws InputError INPUT_REWRITER for none, since both pictures of a pair would be the same. */
export function requireRewriting(rewriter: string): void {
  if (rewriter !== NO_REWRITER) return;
  const message = `--rewriter ${NO_REWRITER} leaves a prompt as it is, so both pictures would be the same. Draw it once: promptist generate`;
  throw new InputError("INPUT_REWRITER", message, { rewriter });
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
  { prompt, optimized, rewriter, kept = false, seed, image }: PairToDraw,
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
    pictures: { baseline: picture(drawn.baseline), optimized: picture(drawn.optimized) },
    comparison: null,
    cancelled: false,
    notes: [
      ...(kept ? [{ code: "kept" } as const] : []),
      ...SIDES.flatMap((side) =>
        (drawn[side].embeddings ?? []).map((used) => ({ code: "embedding", side, ...used }) as const),
      ),
    ],
  };
}

interface Rewritten {
  readonly rewrites: readonly Rewrite[];
  /** The rewriters that were loaded, by name. */
  readonly loaded: ReadonlyMap<string, LoadedRewriter>;
  /** Milliseconds a prompt took, on average: they go through the model together. */
  readonly ms: number;
}

/** Rows without the LoRAs that their texts name, and the numbers of the prompts that named some. */
function withoutMentions(rows: readonly PromptPair[]): {
  readonly entries: readonly PromptPair[];
  readonly named: readonly number[];
} {
  const entries = rows.map((row) => ({
    ...row,
    prompt: takeMentions(row.prompt).text,
    optimized: row.optimized === null ? null : takeMentions(row.optimized).text,
  }));
  const named = rows.flatMap(({ prompt }, i) => (entries[i]?.prompt === prompt ? [] : [i + 1]));
  return { entries, named };
}

interface LoadedRewriter extends Pick<WorkerInfo, "hash" | "precision" | "device"> {
  /** Of its checkpoint. */
  readonly name: string;
}

/** A prompt to rewrite, and how. */
export interface PromptToRewrite {
  readonly prompt: string;
  readonly mode: PromptMode;
  readonly style?: StyleWords | undefined;
  readonly text: TextOptions;
}

/**
 * Rewrites all prompts, in their order, with each rewriter loaded once, one after another; `none` leaves a prompt
 * as it is and loads nothing.
 */
export async function rewriteAll(
  models: Models,
  output: Output,
  asked: readonly PromptToRewrite[],
): Promise<Rewritten> {
  const rewrites = asked.map(({ prompt }): Rewrite => ({ prompt, rewrite: prompt, candidates: [] }));
  const loaded = new Map<string, LoadedRewriter>();
  const started = performance.now();
  const names = new Set(asked.map(({ text }) => rewriterNameOf(text)));
  for (const name of [...names].filter((it) => it !== NO_REWRITER)) {
    const own = [...asked.keys()].filter((i) => rewriterNameOf(asked[i]!.text) === name);
    await models.withRewriter(name, async (host) => {
      const { hash, precision, device } = host.info;
      loaded.set(name, { name: models.choiceOf(name).promptist.name, hash, precision, device });
      for (const options of new Set(own.map((i) => JSON.stringify(asked[i]!.text)))) {
        const group = own.filter((i) => JSON.stringify(asked[i]!.text) === options);
        const found = await host.call(
          "optimize",
          {
            prompts: group.map((i) => asked[i]!.prompt),
            modes: group.map((i) => asked[i]!.mode),
            styles: group.map((i) => asked[i]!.style),
            options: asked[group[0]!]!.text,
          },
          { signal: models.signal, onProgress: output.progress("rewriting") },
        );
        for (const [at, i] of group.entries()) rewrites[i] = found[at]!;
      }
    });
  }
  const ms = asked.length === 0 ? 0 : Math.round((performance.now() - started) / asked.length);
  return { rewrites, loaded, ms };
}

interface DrawFlags {
  /** The picture that all of them go on from. */
  readonly from?: FromFile | null;
  readonly contactSheets?: boolean;
}

/** Draws all pairs, their comparisons and contact sheets with each model loaded once. */
export async function drawPairs(
  models: Models,
  output: Output,
  folder: string,
  pairs: readonly PairToDraw[],
  image: ImageOptions,
  { from = null, contactSheets = false }: DrawFlags,
) {
  const truncated: { file: string; words: string }[] = [];
  const composed: PairFiles[] = [];
  const drawn: PerSide<Drawn>[] = [];
  // One bar for all pictures, as if they took as many steps each.
  const advance = output.progress("drawing");
  let finished = 0;
  const images = pairs.map((pair) => imageOf({ image }, pair));
  return models.withModelsOf(images, async (host, { checkpoint, indexes, isLast }) => {
    for (const i of indexes) {
      const pair = pairs[i]!;
      const options = images[i]!;
      const mode = promptModeOf(options);
      const place = pairs.length > 1 ? ` ${i + 1} of ${pairs.length}` : "";
      const half = async (side: Side, prompt: string, file: string): Promise<Drawn> => {
        const picture = await host.call(
          "draw",
          {
            prompt,
            plainPrompt: readWords(pair.prompt, mode),
            options,
            from,
            file,
            checkpoint,
            pair: {
              side,
              original: pair.prompt,
              rewrite: pair.optimized,
              rewriter: pair.rewriter,
              ...(pair.kept === true ? { kept: true } : {}),
            },
          },
          {
            signal: models.signal,
            onProgress: (done, of) =>
              advance(finished * of + done, 2 * pairs.length * of, `drawing ${side}${place}`),
          },
        );
        finished++;
        if (picture.truncated !== null) truncated.push({ file, words: picture.truncated });
        for (const line of cutLines(picture, mode)) output.say(`${basename(file)}: ${line}`);
        for (const note of picture.notes) output.say(`${basename(file)}: ${PICTURE_NOTES[note]}`);
        return picture;
      };
      drawn[i] = {
        baseline: await half("baseline", pair.prompt, pair.baseline),
        optimized: await half("optimized", pair.optimized, pair.drawn),
      };
      const files = {
        texts: { baseline: pair.prompt, optimized: pair.optimized },
        files: { baseline: pair.baseline, optimized: pair.drawn },
        caption: captionOf({ ...options, ...(from === null ? {} : { from }) }, checkpoint),
      };
      if (pair.comparison) await host.call("compose", { pair: files, file: pair.comparison });
      composed[i] = files;
    }
    const sheets: string[] = [];
    for (let from = 0; contactSheets && isLast && from < composed.length; from += PAIRS_PER_SHEET) {
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
    const judgements = drawn.map(
      ({ baseline, optimized }): PerSide<PictureJudgement> => ({
        baseline: baseline.judgement,
        optimized: optimized.judgement,
      }),
    );
    const scores = judgements.map(pairScores);
    return {
      truncated,
      drawn,
      checkpoint,
      hash: host.info.hash,
      judgements,
      scores,
      sheets,
      device: host.info.device,
      precision: host.info.precision,
    };
  });
}
