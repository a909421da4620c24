import { existsSync } from "node:fs";
import { join } from "node:path";
import { about, number } from "../../bot/words/english/parts.js";
import { readWords } from "../../core/emphasis.js";
import { promptModeOf } from "../../core/options.js";
import { applyStyle } from "../../core/styles.js";
import {
  type DrawnRecord,
  type EvaluationFolder,
  GROUP,
  type JudgedRecord,
  type RewrittenGroup,
} from "../../evaluation/folder.js";
import { type Plan, type PlanFile, seedOf } from "../../evaluation/plan.js";
import { RecordFile } from "../../evaluation/record-file.js";
import type { PictureIndex } from "../../evaluation/scores.js";
import type { RewriteOf } from "../../evaluation/summary.js";
import { isHarmless, withoutJudges } from "../../inference/loop/model-choice.js";
import type { EvaluatedRewriter } from "./evaluated-rewriters.js";
import type { Models } from "./models.js";
import type { Output } from "./output.js";

/** An evaluation at work. */
export interface Evaluation {
  readonly models: Models;
  readonly output: Output;
  readonly folder: EvaluationFolder;
  readonly plan: Plan;
  readonly planFile: PlanFile;
  readonly prompts: readonly string[];
  readonly rewriters: readonly EvaluatedRewriter[];
}

/** Rewrites the prompts that have no rewrite by this model yet. Loads nothing if all have one. */
export async function rewritePrompts(evaluation: Evaluation, rewriter: string): Promise<void> {
  const { models, output, folder, plan, planFile, prompts } = evaluation;
  const text = plan.text[rewriter];
  if (text === undefined) throw new Error(`the plan does not say how ${rewriter} searches`);
  let done = 0;
  for await (const { rewrites } of folder.rewritten(rewriter)) done += rewrites.length;
  if (done >= prompts.length) return;
  const modes = Array.from({ length: GROUP }, () => promptModeOf(plan.image));
  const file = await RecordFile.openToAppend<RewrittenGroup>(folder.rewritesFile(rewriter));
  try {
    await models.withRewriter(rewriter, async (host) => {
      await planFile.checkHash(rewriter, host.info.hash);
      const advance = progressOf(output, `rewriting with ${rewriter}`, done, prompts.length);
      for (let from = done; from < prompts.length; from += GROUP) {
        const group = prompts.slice(from, from + GROUP);
        const rewrites = await host.call(
          "optimize",
          {
            prompts: group,
            modes: modes.slice(0, group.length),
            options: { ...text, seed: plan.seed + from },
          },
          { signal: models.signal },
        );
        await file.append({ from, rewrites: rewrites.map(({ rewrite }) => rewrite) });
        advance(from + group.length);
      }
    });
  } finally {
    await file.close();
  }
}

/**
 * Draws the pictures that are not there yet, with Stable Diffusion loaded once and without judges. Loads nothing if
 * all are there.
 */
export async function drawPictures(evaluation: Evaluation): Promise<void> {
  const { models, output, folder, plan, planFile, prompts, rewriters } = evaluation;
  const total = prompts.length * rewriters.length * plan.seeds;
  const places = new Places(plan);
  for await (const record of folder.judged()) places.add(record);
  for await (const record of folder.drawn())
    if (existsSync(join(folder.path, record.file))) places.add(record);
  if (places.size === total) return;
  if (places.size > 0) output.say(`${number(places.size)} of ${number(total)} pictures are there already.`);
  const { choice, checkpoint } = await models.drawing(plan.image);
  const file = await RecordFile.openToAppend<DrawnRecord>(folder.drawnFile);
  try {
    await models.withModel(
      "image",
      async (host) => {
        await planFile.checkHash("diffusion", host.info.hash);
        const advance = progressOf(output, "drawing", places.size, total);
        for await (const { prompt, rewriter, text } of rewritesOf(evaluation)) {
          const { kind, name, ...rest } = rewriters[rewriter]!;
          const original = prompts[prompt]!;
          for (let seed = 0; seed < plan.seeds; seed++) {
            const place = { prompt, rewriter, seed };
            if (places.has(place)) continue;
            const options = { ...plan.image, ...rest, seed: seedOf(plan, prompt, seed) };
            const path = folder.pictureFile(place, name);
            const { seconds } = await host.call(
              "draw",
              {
                // The words of a style are put around it where it is drawn.
                prompt: kind === "model" ? text : original,
                plainPrompt: readWords(original, promptModeOf(options)),
                options,
                file: join(folder.path, path),
                checkpoint,
                pair: kind === "model" ? { side: "optimized", original, rewrite: text } : null,
              },
              { signal: models.signal },
            );
            await file.append({ ...place, text, file: path, ms: Math.round(seconds * 1000) });
            places.add(place);
            advance(places.size);
          }
        }
      },
      undefined,
      withoutJudges(choice),
    );
  } finally {
    await file.close();
  }
}

/** Prompts whose embeddings are made together, before their pictures are judged. */
const JUDGED_GROUP = 64;

/** Judges the pictures that have no scores yet, with the judges alone. Loads nothing if all have. */
export async function judgePictures(evaluation: Evaluation): Promise<void> {
  const { models, output, folder, plan, prompts, rewriters } = evaluation;
  const { judges } = models.choice;
  if (judges === undefined) throw new Error("an evaluation has judges");
  const total = prompts.length * rewriters.length * plan.seeds;
  const places = new Places(plan);
  for await (const record of folder.judged()) places.add(record);
  if (places.size === total) return;
  const harmless = isHarmless((await models.drawing(plan.image)).choice);
  const mode = promptModeOf(plan.image);
  const file = await RecordFile.openToAppend<JudgedRecord>(folder.judgedFile);
  try {
    await models.withTool({ phase: "score", judges }, async (host) => {
      const advance = progressOf(output, "judging", places.size, total);
      for await (const group of groupsOf(folder.drawn(), places, JUDGED_GROUP)) {
        const texts = [...new Set(group.map(({ prompt }) => readWords(prompts[prompt]!, mode)))];
        await host.call("readTexts", { texts }, { signal: models.signal });
        for (const picture of group) {
          const judgement = await host.call(
            "judge",
            {
              file: join(folder.path, picture.file),
              plainPrompt: readWords(prompts[picture.prompt]!, mode),
            },
            { signal: models.signal },
          );
          const safety = judgement.safety === "unchecked" && harmless ? "harmless" : judgement.safety;
          await file.append({ ...picture, judgement: { ...judgement, safety } });
          places.add(picture);
          advance(places.size);
        }
      }
    });
  } finally {
    await file.close();
  }
}

/** What each rewriter made of each prompt, all of a prompt together; one group of prompts in memory at a time. */
export async function* rewritesOf({
  folder,
  prompts,
  rewriters,
}: Pick<Evaluation, "folder" | "prompts" | "rewriters">): AsyncGenerator<RewriteOf> {
  const streams = rewriters.map(({ kind, name }) => (kind === "model" ? folder.rewritten(name) : null));
  try {
    for (let from = 0; from < prompts.length; from += GROUP) {
      const groups = await Promise.all(streams.map(async (stream) => stream && (await stream.next()).value));
      const size = Math.min(GROUP, prompts.length - from);
      for (let i = 0; i < size; i++)
        for (const [rewriter, it] of rewriters.entries()) {
          const plain = { prompt: prompts[from + i]!, negative: "" };
          const text =
            it.kind === "model"
              ? groups[rewriter]?.rewrites[i]
              : applyStyle(plain, it.kind === "style" ? it.style : undefined).prompt;
          if (text === undefined) throw new Error(`a rewrite of prompt ${from + i + 1} is missing`);
          yield { prompt: from + i, rewriter, text };
        }
    }
  } finally {
    await Promise.all(streams.map((stream) => stream?.return(undefined)));
  }
}

/** Some of an evaluation's pictures, as one byte for each that there may be. */
class Places {
  readonly #isThere: Uint8Array;
  readonly #perPrompt: number;
  readonly #seeds: number;
  size = 0;

  constructor({ prompts, rewriters, seeds }: Plan) {
    this.#perPrompt = rewriters.length * seeds;
    this.#seeds = seeds;
    this.#isThere = new Uint8Array(prompts.count * this.#perPrompt);
  }

  has(place: PictureIndex): boolean {
    return this.#isThere[this.#at(place)] === 1;
  }

  add(place: PictureIndex): void {
    if (!this.has(place)) this.size++;
    this.#isThere[this.#at(place)] = 1;
  }

  #at({ prompt, rewriter, seed }: PictureIndex): number {
    return prompt * this.#perPrompt + rewriter * this.#seeds + seed;
  }
}

/** The records that are not in `places`, each picture once, in groups of at most `prompts` different prompts. */
async function* groupsOf(
  records: AsyncIterable<DrawnRecord>,
  places: Places,
  prompts: number,
): AsyncGenerator<DrawnRecord[]> {
  let group: DrawnRecord[] = [];
  let known = new Set<number>();
  for await (const record of records) {
    if (places.has(record)) continue;
    if (!known.has(record.prompt) && known.size === prompts) {
      yield group;
      [group, known] = [[], new Set()];
    }
    known.add(record.prompt);
    group.push(record);
  }
  if (group.length > 0) yield group;
}

/** Between two lines about the progress where no bar can be shown. */
const LINE_MS = 60_000;

/** A bar, or where there is no terminal a line now and then with the time that is left. */
function progressOf(output: Output, label: string, before: number, of: number): (done: number) => void {
  const bar = output.progress(label);
  const started = performance.now();
  let said = started;
  return (done) => {
    bar(done, of);
    const now = performance.now();
    if (process.stderr.isTTY || now - said < LINE_MS || done === of) return;
    said = now;
    const left = ((now - started) / (done - before)) * (of - done);
    output.say(`${label}: ${number(done)} of ${number(of)}, about ${about(left)} left`);
  };
}
