import { type Job, picturesDrawn } from "../../core/job.js";
import type { Summary } from "../../evaluation/summary.js";
import type { Outgoing } from "../discord/outgoing.js";
import type { Words } from "../words/english/english.js";
import { meanWords } from "../words/english/scores.js";
import { doneEmbed, timeAndNote, unusualOptions } from "./embeds.js";
import { type EvaluationReport, evaluationReport } from "./evaluation-zip.js";
import { resultRows } from "./parts/components.js";
import type { SizeLimit } from "./parts/picture-fit.js";
import { safetySentences } from "./parts/picture-policy.js";
import type { Facts } from "./parts/presentation.js";

/** The result of an evaluation: what it found in a sentence for each rewriter, and its report. */
export async function evaluationMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  const { words } = facts;
  const { resultLines, evaluationLines } = words;
  const made = job.items.filter(({ cancelled }) => !cancelled);
  const report = await evaluationReport(job, facts, Math.min(limit.perFile, limit.total));
  const takenOut = job.items.length - made.length;
  const sections = [
    resultLines.overview(job.kind, made.length, picturesDrawn(made)),
    ...(takenOut === 0 ? [] : [resultLines.takenOut(job.kind, takenOut)]),
    ...(report === null ? [evaluationLines.noScores] : verdicts(report.summary, words)),
    ...(report === null ? [] : fileLines(report, words)),
    ...safetySentences(facts.view, true, words),
    ...(job.picturesPrunedAt === null
      ? [evaluationLines.pictures(job.id)]
      : [resultLines.pruned(job.picturesPrunedAt)]),
  ];
  const options = [...unusualOptions(job, facts), ...timeAndNote(job, facts)];
  return {
    content: "",
    embeds: [doneEmbed(job, sections, options, words)],
    components: resultRows(job, words),
    files: report?.file == null ? [] : [report.file],
  };
}

/** What became of the report's file. */
export function fileLines({ file, pictures }: EvaluationReport, { evaluationLines }: Words): string[] {
  if (file === null) return [evaluationLines.tooLarge];
  return [
    evaluationLines.file,
    ...(pictures === "smaller" ? [evaluationLines.smaller] : []),
    ...(pictures === "none" ? [evaluationLines.withoutPictures] : []),
  ];
}

/** In one sentence each whether a rewriter helps. */
function verdicts({ rewriters, measures, baseline }: Summary, words: Words): string[] {
  const { evaluationLines, scoreLines } = words;
  const measure = measures[0]!;
  return rewriters.flatMap(({ name, against }) => {
    const [gain, rate] = [against?.gains[measure], against?.wins[measure]];
    if (!gain || !rate) return [];
    const say =
      gain.low > 0 ? evaluationLines.better : gain.high < 0 ? evaluationLines.worse : evaluationLines.open;
    const label = evaluationLines.measures[measure];
    return [`- ${say(`\`${name}\``, `\`${baseline}\``, label, meanWords(gain, scoreLines), rate)}`];
  });
}
