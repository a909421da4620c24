import { type Item, type Job, judgementsOf, textOfSide } from "../../core/job.js";
import { NO_REWRITER, rewriterNameOf } from "../../core/rewriters.js";
import { SIDES, type Side } from "../../core/side.js";
import { PROGRAM } from "../../core/version.js";
import { reportFiles, thumbnail } from "../../evaluation/report.js";
import { Scores } from "../../evaluation/scores.js";
import { summarize } from "../../evaluation/summary.js";
import { captionOf } from "../../pictures/pair-card.js";
import type { OutgoingFile } from "../discord/outgoing.js";
import type { Facts } from "./parts/presentation.js";
import { pairOf, readPicture } from "./parts/stored-picture.js";
import { writeZip } from "./parts/zips.js";

/** The sides of a pair as an evaluation's rewriters; the prompt as written is the baseline. */
const ORDER: readonly Side[] = ["optimized", "baseline"];

/**
 * The report of an evaluation whose pictures are those of a batch, as one zip: each prompt drawn once by either side.
 * Pictures that the audience may not see are withheld. Null for another job, and where nothing can be compared.
 */
export async function evaluationZip(job: Job, { view, pictures }: Facts): Promise<OutgoingFile | null> {
  const items = job.kind === "batch" ? job.items.filter(isCompared) : [];
  if (items.length === 0) return null;
  const { promptist, diffusion } = job.checkpoints;
  const rewriters = [promptist === null ? "file" : rewriterNameOf(job.text), opponentOf(items)];
  const prompts = items.map(({ prompt }) => prompt);
  const scores = new Scores(items.length, ORDER.length, 1, ORDER.indexOf("baseline"));
  const judged = items.flatMap((item, prompt) =>
    ORDER.map((side, rewriter) => ({
      prompt,
      rewriter,
      seed: 0,
      noise: item.seed,
      text: textOfSide(item, side) ?? "",
      file: item.pictures[side]?.file ?? "",
      judgement: judgementsOf(item)[side]!,
    })),
  );
  for (const { judgement, ...place } of judged) scores.set(place, judgement);
  const each = async function* () {
    yield* judged;
  };
  const summary = await summarize({
    prompts,
    rewriters,
    baseline: ORDER.indexOf("baseline"),
    scores,
    rewrites: each,
  });
  const picture = async (prompt: number, rewriter: string) => {
    const item = items[prompt]!;
    const wanted = ORDER[rewriters.indexOf(rewriter)]!;
    if (!view.shows(item, wanted)) return "withheld";
    const [named] = pairOf(job, item, (side) => side === wanted);
    const file = await readPicture(pictures, named ?? null);
    return file && thumbnail(file.data);
  };
  const facts = [
    ["Program", PROGRAM],
    ["Job", job.id],
    ["Prompts", `${items.length} of ${job.items.length} have scores of both pictures`],
    ["Rewriter", promptist ?? "the file's own rewrites"],
    ["Drawn", captionOf(job.image, diffusion ?? "", ["seed"])],
  ] as const;
  const texts = await reportFiles({ summary, prompts, rewriters, scores, facts, picture, judged: each });
  const data = await writeZip({ texts, pictures: [], bytes: Number.POSITIVE_INFINITY }, pictures);
  return { name: `${job.id}-evaluation.zip`, data, description: null };
}

/** What all pairs compare with: the prompt as written, unless each has the same rewriter there. */
function opponentOf(items: readonly Item[]): string {
  const names = new Set(items.map(({ against }) => (against ? rewriterNameOf(against.text) : NO_REWRITER)));
  const [name = NO_REWRITER] = names;
  return names.size === 1 ? name : "several";
}

/** Whether one judge has seen both pictures. */
function isCompared(item: Item): boolean {
  const judgements = judgementsOf(item);
  return (
    !item.cancelled &&
    item.rewrite !== null &&
    SIDES.every((side) => judgements[side]?.relevance != null) &&
    judgements.baseline?.judge === judgements.optimized?.judge
  );
}
