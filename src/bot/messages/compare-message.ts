import { hasOverview, imageOf, isUnchanged, type Job, picturesDrawn } from "../../core/job.js";
import { SIDES, type Side } from "../../core/side.js";
import { codeBlock } from "../discord/markdown.js";
import type { Outgoing, OutgoingFile } from "../discord/outgoing.js";
import { labels } from "../words/labels.js";
import { refusals } from "../words/refusals.js";
import { resultLines } from "../words/result.js";
import { safetyLines } from "../words/safety.js";
import { blindLines } from "../words/votes.js";
import { blindMessage } from "./blind-message.js";
import { resultRows } from "./components.js";
import { doneEmbed, timeAndNote, unusualOptions, withImage } from "./embeds.js";
import { sheetPicture } from "./overview-files.js";
import { fitPictures, type SizeLimit } from "./picture-fit.js";
import { safetySentences } from "./picture-policy.js";
import { type Facts, hasNothingToVoteOn } from "./presentation.js";
import { isRaw, noteLines, promptSections } from "./rewrite-text.js";
import { verdictLine } from "./scores.js";
import { namedPicture, readPicture } from "./stored-picture.js";

const NEGATIVE_MAX = 300;

/** The result of a comparison: a vote on its pictures, or the pictures and the rewrite. */
export async function compareMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  if (hasOverview(job)) return pairsMessage(job, facts, limit);
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

/** Both pictures beside each other, and below them the rewrite and what the judges say. */
async function pairMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  const item = job.items[0]!;
  const { view, tally } = facts;
  const sides = SIDES.filter(
    (side) => view.shows(item, side) && !(side === "optimized" && isUnchanged(item)),
  );
  const { files, note } = await attach(job, await picturesOf(job, sides, facts), limit);
  const [first] = sides;
  const sections = [
    ...(files.length === 1 && first !== undefined && !isUnchanged(item) ? [resultLines.onlySide(first)] : []),
    ...(files.length > 1
      ? promptSections(item, (title) => resultLines.sides(lowerFirst(title)))
      : promptSections(item)),
    ...negativeSection(job),
    ...(hasNothingToVoteOn(job)
      ? [
          blindLines.nothing,
          ...noteLines(job, { ...item, notes: item.notes.filter(({ code }) => code !== "unchanged") }),
        ]
      : noteLines(job, item)),
    ...(isUnchanged(item) ? [] : verdictLine([item])),
    ...(tally === null || view.withheld.length > 0 ? [] : [blindLines.tally(tally)]),
    ...safetySentences(view, false),
    ...note,
  ];
  const options = [resultLines.seed(item.seed), ...unusualOptions(job, facts), ...timeAndNote(job, facts)];
  const embed = doneEmbed(job, sections, options);
  return {
    content: "",
    embeds: [isRaw(item) ? { ...embed, title: labels.asWritten } : embed],
    components: resultRows(job),
    files,
  };
}

/** Several pairs of one prompt: a sheet of all, and below it the same as of one pair. */
async function pairsMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  const made = job.items.filter(({ cancelled }) => !cancelled);
  const item = made[0] ?? job.items[0]!;
  const last = made.at(-1) ?? item;
  const sheets = await Promise.all(
    job.sheets.map(({ number }) => readPicture(facts.pictures, sheetPicture(job, number, facts))),
  );
  const { files, note } = await attach(job, sheets, limit);
  const takenOut = job.items.length - made.length;
  const sections = [
    ...(takenOut === 0 ? [] : [resultLines.takenOut(takenOut)]),
    ...(isUnchanged(item) ? [resultLines.overview(job.kind, made.length, picturesDrawn(made))] : []),
    ...promptSections(item, (title) => resultLines.sidesOfEach(made.length, lowerFirst(title))),
    ...(made.some(({ rewrite }) => rewrite !== item.rewrite) ? [resultLines.rewritesDiffer] : []),
    ...negativeSection(job),
    ...noteLines(job, item),
    ...verdictLine(made.filter((it) => !isUnchanged(it))),
    ...safetySentences(facts.view, true),
    ...note,
  ];
  const options = [
    resultLines.seeds(item.seed, last.seed),
    ...unusualOptions(job, facts),
    ...timeAndNote(job, facts),
  ];
  return withImage(doneEmbed(job, sections, options), files, resultRows(job));
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function negativeSection(job: Job): string[] {
  const { negative } = imageOf(job, job.items[0]);
  return negative === "" ? [] : [`**${labels.negative}**${codeBlock(negative, NEGATIVE_MAX)}`];
}

/** The pictures of these sides; null for one that is gone. */
function picturesOf(job: Job, sides: readonly Side[], { pictures }: Facts): Promise<(OutgoingFile | null)[]> {
  const item = job.items[0]!;
  const { prompt, rewrite } = item;
  const alts = { baseline: labels.baselineAlt(prompt), optimized: labels.optimizedAlt(rewrite ?? "") };
  return Promise.all(
    sides.map((side) => {
      const name = `${job.id}-${item.seed}-${side}`;
      return readPicture(pictures, namedPicture(job, item.pictures[side]?.file ?? null, name, alts[side]));
    }),
  );
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
