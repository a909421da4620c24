import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileSummary } from "../bot/words/english/batch.js";
import { CheckpointError, describe, InputError, isMissing } from "../core/errors.js";
import { PHASES } from "../core/job.js";
import { LIMIT_RANGES } from "../core/options.js";
import { PROMPTIST } from "../core/rewriters.js";
import type { Mean } from "../core/statistics/bootstrap.js";
import { PROGRAM } from "../core/version.js";
import { EvaluationFolder } from "../evaluation/folder.js";
import { showGain, showMean, showPercent } from "../evaluation/html.js";
import { hashOf, type Plan, PlanFile, seedOf } from "../evaluation/plan.js";
import { REPORT_FILES, thumbnailOf, writeReport } from "../evaluation/report.js";
import { Scores } from "../evaluation/scores.js";
import { type Summary, summarize } from "../evaluation/summary.js";
import { parsePromptFile } from "../prompt-files/prompt-file.js";
import { baselineOf, type EvaluatedRewriter, readRewriters } from "./parts/evaluated-rewriters.js";
import {
  drawPictures,
  type Evaluation,
  judgePictures,
  rewritePrompts,
  rewritesOf,
} from "./parts/evaluation.js";
import type { Models } from "./parts/models.js";
import { type ImageFlags, imageOptions, type TextFlags, textOptions } from "./parts/options.js";
import { makeOutFolder } from "./parts/out-folder.js";
import type { Output } from "./parts/output.js";
import { stylesOf } from "./parts/styles.js";

export interface EvaluateFlags extends Omit<TextFlags, "rewriter">, ImageFlags {
  readonly out: string;
  readonly rewriters: string;
  readonly baseline?: string;
  readonly seeds: number;
}

/** An evaluation streams its records, so these only bound what is read of one file. */
const MAX_FILE = { prompts: 100_000, bytes: 64 * 1024 * 1024 } as const;

/**
 * `promptist evaluate FILE --rewriters promptist,none --out DIR`: what each rewriter makes of the prompts of a file,
 * drawn from the same seeds and judged, as a report. First all is rewritten, then drawn, then judged, each with its
 * model loaded once. Called again with the same options, it goes on where it was killed.
 */
export async function evaluate(
  models: Models,
  output: Output,
  file: string,
  flags: EvaluateFlags,
  isGiven: (option: string) => boolean,
): Promise<void> {
  const rewriters = readRewriters(flags.rewriters, stylesOf(flags.styles));
  const baseline = baselineOf(rewriters, flags.baseline);
  const prompts = await readPrompts(output, file);
  const plan = await planOf(models, flags, isGiven, prompts, rewriters, baseline);
  const folder = new EvaluationFolder(resolve(flags.out));
  await makeOutFolder(folder.path);
  const hasPromptist = plan.rewriters.includes(PROMPTIST.name);
  const { miniature, note } = models.noteMiniature(hasPromptist ? PHASES : ["image"]);
  await models.checkSizes([plan.image.size]);
  const planFile = await PlanFile.open(folder.path, plan);
  const started = performance.now();
  const evaluation: Evaluation = { models, output, folder, plan, planFile, prompts, rewriters };
  for (const { kind, name } of rewriters) if (kind === "model") await rewritePrompts(evaluation, name);
  await drawPictures(evaluation);
  await judgePictures(evaluation);
  output.say("Writing the report.");
  const summary = await report(evaluation, baseline);
  output.result(
    {
      ...summary,
      plan,
      hashes: planFile.hashes,
      files: Object.fromEntries(
        Object.entries(REPORT_FILES).map(([name, path]) => [name, join(folder.path, path)]),
      ),
      miniature,
      note,
      seconds: (performance.now() - started) / 1000,
    },
    [...summaryLines(summary), join(folder.path, REPORT_FILES.page)].join("\n"),
  );
}

/** The prompts of a file, each once as it stands there; a row's own rewrite, seed and options are not used. */
async function readPrompts(output: Output, file: string): Promise<string[]> {
  const bytes = await readFile(file).catch((cause) => {
    const why = isMissing(cause) ? "there is no such file" : describe(cause);
    throw new InputError("FILE_UNREACHABLE", `${file} cannot be read: ${why}.`, {}, { cause });
  });
  const { pairs, notes } = parsePromptFile(bytes, basename(file), {
    maxBytes: MAX_FILE.bytes,
    maxPrompts: MAX_FILE.prompts,
    maxPromptLength: LIMIT_RANGES.promptLength.max,
  });
  for (const line of fileSummary(notes, pairs.length)) output.say(line.replaceAll("**", ""));
  if (
    pairs.some(
      ({ optimized, seed, image = {} }) =>
        optimized !== null || seed !== undefined || Object.keys(image).length > 0,
    )
  )
    output.say(
      "Rewrites, seeds and options of the file's own rows are not used: an evaluation has the same for all.",
    );
  return pairs.map(({ prompt }) => prompt);
}

/** Throws CheckpointError CHECKPOINT_MISSING where a model or the judge is missing. */
async function planOf(
  models: Models,
  flags: EvaluateFlags,
  isGiven: (option: string) => boolean,
  prompts: readonly string[],
  rewriters: readonly EvaluatedRewriter[],
  baseline: number,
): Promise<Plan> {
  const { choice } = models;
  const { diffusion, judges } = choice;
  if (!judges?.clip)
    throw new CheckpointError(
      "CHECKPOINT_MISSING",
      "An evaluation needs a CLIP to judge the pictures. Run: promptist checkpoints pull clip",
    );
  const seed = flags.seed ?? 0;
  const texts = rewriters.flatMap(({ kind, name }) => {
    if (kind !== "model") return [];
    const { seed: _, ...text } = textOptions({ ...flags, rewriter: name }, seed, isGiven);
    const { promptist, keepsPrompt } = models.choiceOf(name);
    return [{ name, text, model: keepsPrompt ? `${promptist.name} + prompt kept` : promptist.name }];
  });
  const lora = await models.turboLora();
  const drawn = imageOptions(flags, seed, diffusion, lora, {}, isGiven);
  const { seed: _image, ...image } = drawn.image;
  const { checkpoint } = await models.drawing(image);
  return {
    version: 1,
    prompts: { count: prompts.length, sha256: hashOf(prompts) },
    rewriters: rewriters.map(({ name }) => name),
    baseline: rewriters[baseline]!.name,
    seeds: flags.seeds,
    seed,
    text: Object.fromEntries(texts.map(({ name, text }) => [name, text])),
    image,
    models: {
      ...Object.fromEntries(texts.map(({ name, model }) => [name, model])),
      diffusion: checkpoint,
      judge: [judges.clipName, judges.aesthetic && basename(judges.aesthetic)].filter(Boolean).join(" + "),
    },
  };
}

/** Reads the records, computes what they say, and writes the report. */
async function report(evaluation: Evaluation, baseline: number): Promise<Summary> {
  const { folder, plan, planFile, prompts } = evaluation;
  const { rewriters, seeds } = plan;
  const scores = new Scores(prompts.length, rewriters.length, seeds, baseline);
  for await (const { judgement, ...place } of folder.judged()) scores.set(place, judgement);
  const rewrites = () => rewritesOf(evaluation);
  const summary = await summarize({ prompts, rewriters, baseline, scores, rewrites });
  const shown = new Set(
    [
      ...summary.sample,
      ...summary.rewriters.flatMap(({ against }) => [...(against?.worst ?? []), ...(against?.best ?? [])]),
    ].map(({ prompt }) => prompt),
  );
  const pictures = new Map<string, Parameters<typeof thumbnailOf>>();
  for await (const { prompt, rewriter, seed, file, judgement } of folder.judged())
    if (seed === 0 && shown.has(prompt))
      pictures.set(`${prompt} ${rewriters[rewriter]}`, [join(folder.path, file), judgement]);
  await writeReport(folder.path, {
    summary,
    facts: factsOf(plan, planFile),
    prompts,
    rewriters,
    scores,
    judged: async function* () {
      for await (const record of folder.judged())
        yield { ...record, noise: seedOf(plan, record.prompt, record.seed) };
    },
    picture: async (prompt, rewriter) => {
      const picture = pictures.get(`${prompt} ${rewriter}`);
      return picture === undefined ? null : thumbnailOf(...picture);
    },
  });
  return summary;
}

function factsOf({ image, text, models, seed, seeds, prompts }: Plan, { hashes }: PlanFile) {
  const { steps, scheduler, guidance, negative, size, style } = image;
  const all: Readonly<Record<string, string | null>> = {
    Program: PROGRAM,
    Prompts: `${prompts.count}, SHA-256 ${prompts.sha256}`,
    ...Object.fromEntries(
      Object.entries(text).map(([name, options]) => [
        `Rewriter ${name}`,
        `${models[name]}: ${searchOf(options)}`,
      ]),
    ),
    "Stable Diffusion": models.diffusion ?? null,
    Drawn: `${scheduler}, ${steps} steps, guidance ${guidance}${size === null ? "" : `, ${size.width}x${size.height}`}`,
    Negative: negative === "" ? null : negative,
    Style: style?.name ?? null,
    Seeds: `${seeds} a prompt, from ${seed}; the same for each rewriter`,
    Judge: models.judge ?? null,
    ...Object.fromEntries(Object.entries(hashes).map(([name, hash]) => [`SHA-256 of ${name}`, hash])),
  };
  return Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}

const searchOf = ({ mode, beams, lengthPenalty, maxNewTokens, temperature }: Plan["text"][string]): string =>
  mode === "beam"
    ? `beam search, ${beams} beams, length penalty ${lengthPenalty}, ${maxNewTokens} tokens at most`
    : `${mode}${mode === "sample" ? ` at temperature ${temperature}` : ""}, ${maxNewTokens} tokens at most`;

function summaryLines({ rewriters, measures, baseline }: Summary): string[] {
  const measure = measures[0]!;
  return rewriters.flatMap(({ name, against }) => {
    const [gain, rate]: (Mean | null | undefined)[] = [against?.gains[measure], against?.wins[measure]];
    if (!gain || !rate) return [];
    return [
      `${name} against ${baseline}: ${measure} ${showMean(gain, showGain)}, ${showPercent(rate.mean)} of the pictures win (${showPercent(rate.low)} to ${showPercent(rate.high)}).`,
    ];
  });
}
