import { imageOf, type Job } from "../../core/job.js";
import { codeBlock } from "../discord/markdown.js";
import type { Outgoing, OutgoingFile } from "../discord/outgoing.js";
import { labels } from "../words/labels.js";
import { refusals } from "../words/refusals.js";
import { resultLines } from "../words/result.js";
import { safetyLines } from "../words/safety.js";
import { blindLines } from "../words/votes.js";
import { blindMessage } from "./blind-message.js";
import { resultRows } from "./components.js";
import { doneEmbed, timeAndMakers, unusualOptions, withImage } from "./embeds.js";
import { fitPictures, type SizeLimit } from "./picture-fit.js";
import { safetySentences } from "./picture-policy.js";
import { type Facts, hasNothingToVoteOn } from "./presentation.js";
import { isRaw, noteLines, promptSections } from "./rewrite-text.js";
import { pairScoreLine } from "./scores.js";
import { namedPicture, readPicture } from "./stored-picture.js";

const NEGATIVE_MAX = 300;

/** The result of a comparison of one pair: both pictures beside each other and alone, or a vote on them. */
export async function compareMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  return (await voteMessage(job, facts, limit)) ?? pairMessage(job, facts, limit);
}

/** Null where no vote goes on, or where its pictures are gone. */
async function voteMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing | null> {
  const { vote, view, pictures } = facts;
  const secret = (line: string) => withImage(doneEmbed(job, [line], []), [], []);
  if (vote.state === "none") return null;
  if (vote.state === "pending") return secret(refusals.secret);
  // While people vote elsewhere, one picture without the other would tell which is which.
  if (view.withheld.length > 0) return secret(safetyLines.blindElsewhere);
  return blindMessage(job, vote.ballot, pictures, limit);
}

async function pairMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  const item = job.items[0]!;
  const { negative } = imageOf(job, item);
  const { view, tally } = facts;
  const { files, note } = await attach(job, await picturesOf(job, facts), limit);
  const sections = [
    ...promptSections(item),
    ...(negative === "" ? [] : [`**${labels.negative}**${codeBlock(negative, NEGATIVE_MAX)}`]),
    ...(hasNothingToVoteOn(job)
      ? [
          blindLines.nothing,
          ...noteLines({ ...item, notes: item.notes.filter(({ code }) => code !== "unchanged") }),
        ]
      : noteLines(item)),
    ...(isRaw(item) ? [] : pairScoreLine(item)),
    ...(tally === null || view.withheld.length > 0 ? [] : [blindLines.tally(tally)]),
    ...safetySentences(view, false),
    ...note,
  ];
  const options = [resultLines.seed(item.seed), ...unusualOptions(job, facts), ...timeAndMakers(job, facts)];
  return withImage(doneEmbed(job, sections, options), files, resultRows(job));
}

/** The comparison, then each picture alone, as far as they may be shown; null for one that is gone. */
function picturesOf(job: Job, { view, pictures }: Facts): Promise<(OutgoingFile | null)[]> {
  const item = job.items[0]!;
  const { prompt, rewrite } = item;
  const { baseline, optimized } = item.pictures;
  const comparison = isRaw(item) ? null : view.combined(item.comparison);
  const read = (role: string, file: string | null, alt: string) =>
    readPicture(pictures, namedPicture(job, file, `${job.id}-${item.seed}-${role}`, alt));
  return Promise.all([
    ...(comparison === null
      ? []
      : [read("comparison", comparison, labels.comparisonAlt(prompt, rewrite ?? ""))]),
    ...(view.shows(item, "baseline")
      ? [read("baseline", baseline?.file ?? null, labels.baselineAlt(prompt))]
      : []),
    ...(isRaw(item) || !view.shows(item, "optimized")
      ? []
      : [read("optimized", optimized?.file ?? null, labels.optimizedAlt(rewrite ?? ""))]),
  ]);
}

/** The pictures that are there, made to fit, with a line where they are not what was drawn. */
async function attach(
  { picturesPrunedAt }: Job,
  pictures: readonly (OutgoingFile | null)[],
  limit: SizeLimit,
): Promise<{ files: OutgoingFile[]; note: string[] }> {
  const present = pictures.filter((picture) => picture !== null);
  const { files, shrunk } = await fitPictures(present, limit);
  return {
    files: files.filter((file) => file !== null),
    note: [
      ...(shrunk ? [resultLines.shrunk] : []),
      ...(present.length === pictures.length
        ? []
        : [picturesPrunedAt === null ? resultLines.missing : resultLines.pruned(picturesPrunedAt)]),
    ],
  };
}
