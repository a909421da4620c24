import { type Item, type Job, judgementsOf, placeIn, textOfSide } from "../../core/job.js";
import { NO_REWRITER, rewriterNameOf } from "../../core/rewriters.js";
import { SIDES, type Side } from "../../core/side.js";
import { PROGRAM } from "../../core/version.js";
import { reportFiles, THUMBNAIL, thumbnail } from "../../evaluation/report.js";
import { type PictureIndex, Scores } from "../../evaluation/scores.js";
import { type Summary, summarize } from "../../evaluation/summary.js";
import { captionOf } from "../../pictures/pair-card.js";
import type { OutgoingFile } from "../discord/outgoing.js";
import type { Facts } from "./parts/presentation.js";
import { pairOf, readPicture } from "./parts/stored-picture.js";
import { writeZip } from "./parts/zips.js";

/** What an evaluation found, and its report as one zip. */
export interface EvaluationReport {
  readonly summary: Summary;
  /** Null where even without pictures it is larger than a file may be. */
  readonly file: OutgoingFile | null;
  /** How much of the pictures was given up for the size. */
  readonly pictures: "whole" | "smaller" | "none";
}

/** How large the pictures in a report are, tried in this order; null: none. */
const SIZES = [THUMBNAIL, { width: 128, quality: 60 }, null] as const;
const KEPT = ["whole", "smaller", "none"] as const;

/** A picture with its scores, and what it stands for in the evaluation. */
interface Entry extends PictureIndex {
  readonly item: Item;
  readonly side: Side;
}

/** What of a job can be compared: its pictures with scores by one judge, of the prompts that have two or more. */
interface Compared {
  readonly rewriters: readonly string[];
  readonly baseline: number;
  readonly seeds: number;
  readonly prompts: readonly string[];
  readonly entries: readonly Entry[];
  /** Of how many prompts these are. */
  readonly asked: number;
}

/**
 * The report of an evaluation, or of a batch as one: each prompt drawn once by either side. Pictures that the audience
 * may not see are withheld. No larger than `maxBytes`. Null for another job, and where nothing can be compared.
 */
export async function evaluationReport(
  job: Job,
  { view, pictures }: Facts,
  maxBytes: number,
): Promise<EvaluationReport | null> {
  const { rewriters, baseline, seeds, prompts, entries, asked } = comparedOf(job);
  if (prompts.length === 0) return null;
  const scores = new Scores(prompts.length, rewriters.length, seeds, baseline);
  const judged = entries.map(({ item, side, ...place }) => ({
    ...place,
    noise: item.seed,
    text: textOfSide(item, side) ?? "",
    file: item.pictures[side]?.file ?? "",
    judgement: judgementsOf(item)[side]!,
  }));
  for (const { judgement, ...place } of judged) scores.set(place, judgement);
  // The pictures of all seeds have one rewrite.
  const rewrites = firstOfEach(judged);
  const summary = await summarize({
    prompts,
    rewriters,
    baseline,
    scores,
    rewrites: async function* () {
      yield* rewrites;
    },
  });
  const shown = new Map(firstOfEach(entries).map((entry) => [`${entry.prompt} ${entry.rewriter}`, entry]));
  const { promptist, diffusion } = job.checkpoints;
  const facts = [
    ["Program", PROGRAM],
    ["Job", job.id],
    ["Prompts", `${prompts.length} of ${asked} have scores to compare`],
    ["Rewriters", job.evaluation === undefined ? (promptist ?? "the file's own") : rewriters.join(", ")],
    ["Seeds", `${seeds} a prompt, the same for all`],
    ["Drawn", captionOf(job.image, diffusion ?? "", ["seed"])],
  ] as const;
  for (const [i, size] of SIZES.entries()) {
    const picture = async (prompt: number, rewriter: string) => {
      const entry = shown.get(`${prompt} ${rewriters.indexOf(rewriter)}`);
      if (entry === undefined || size === null) return null;
      if (!view.shows(entry.item, entry.side)) return "withheld" as const;
      const [named] = pairOf(job, entry.item, (side) => side === entry.side);
      const file = await readPicture(pictures, named ?? null);
      return file && thumbnail(file.data, size);
    };
    const texts = await reportFiles({
      summary,
      prompts,
      rewriters,
      scores,
      facts,
      picture,
      judged: async function* () {
        yield* judged;
      },
    });
    const data = await writeZip({ texts, pictures: [], bytes: Number.POSITIVE_INFINITY }, pictures);
    if (data.length > maxBytes) continue;
    const file = { name: `${job.id}-evaluation.zip`, data, description: null };
    return { summary, file, pictures: KEPT[i]! };
  }
  return { summary, file: null, pictures: "none" };
}

/** The first picture of each prompt and rewriter. */
function firstOfEach<P extends PictureIndex>(pictures: readonly P[]): P[] {
  const first = new Map<string, P>();
  for (const picture of pictures) {
    const key = `${picture.prompt} ${picture.rewriter}`;
    if (!first.has(key)) first.set(key, picture);
  }
  return [...first.values()];
}

function comparedOf(job: Job): Compared {
  const { evaluation, items } = job;
  const drawn = items.filter(({ cancelled }) => !cancelled);
  if (evaluation !== undefined) {
    const entries = drawn.map((item): Entry => {
      const place = placeIn(evaluation, item.index);
      return { ...place, item, side: item.only ?? "optimized" };
    });
    const asked = items.length / (evaluation.rewriters.length * evaluation.seeds);
    return comparable({ ...evaluation, entries, asked });
  }
  const both = job.kind === "batch" ? drawn.filter(({ rewrite }) => rewrite !== null) : [];
  return comparable({
    rewriters: [job.checkpoints.promptist === null ? "file" : rewriterNameOf(job.text), opponentOf(both)],
    baseline: 1,
    seeds: 1,
    asked: items.length,
    entries: both.flatMap((item) =>
      SIDES.map((side) => ({
        prompt: item.index,
        rewriter: side === "optimized" ? 0 : 1,
        seed: 0,
        item,
        side,
      })),
    ),
  });
}

/** Leaves out what can't be compared: the prompts with scores of no two pictures of a seed get no number. */
function comparable({ entries, ...all }: Omit<Compared, "prompts">): Compared {
  const scored = entries.filter(({ item, side }) => judgementsOf(item)[side]?.relevance != null);
  const judgeOf = ({ item, side }: Entry) => judgementsOf(item)[side]?.judge;
  const judge = scored.length === 0 ? null : judgeOf(scored[0]!);
  const fair = scored.filter((entry) => judgeOf(entry) === judge);
  const seedOf = ({ prompt, seed }: Entry) => `${prompt} ${seed}`;
  const seeds = (isBaseline: boolean) =>
    new Set(fair.filter(({ rewriter }) => (rewriter === all.baseline) === isBaseline).map(seedOf));
  const [based, others] = [seeds(true), seeds(false)];
  const kept = fair.filter((entry) => based.has(seedOf(entry)) && others.has(seedOf(entry)));
  const numbers = new Map([...new Set(kept.map(({ prompt }) => prompt))].map((prompt, i) => [prompt, i]));
  const prompts: string[] = [];
  const numbered = kept.map((entry) => {
    const prompt = numbers.get(entry.prompt)!;
    prompts[prompt] = entry.item.prompt;
    return { ...entry, prompt };
  });
  return { ...all, prompts, entries: numbered };
}

/** What all pairs compare with: the prompt as written, unless each has the same rewriter there. */
function opponentOf(items: readonly Item[]): string {
  const names = new Set(items.map(({ against }) => (against ? rewriterNameOf(against.text) : NO_REWRITER)));
  const [name = NO_REWRITER] = names;
  return names.size === 1 ? name : "several";
}
