import {
  drawnSides,
  hasOverview,
  type Item,
  isUnchanged,
  type Job,
  picturesDrawn,
  textOfSide,
  writersOf,
} from "../../core/job.js";
import { SIDES, type Side } from "../../core/side.js";
import type { Outgoing, OutgoingFile, Row } from "../discord/outgoing.js";
import type { Words } from "../words/english/english.js";
import { blindMessage } from "./blind-message.js";
import { doneEmbed, timeAndNote, unusualOptions, withImage } from "./embeds.js";
import { canRedraw, galleryRow, goOnRows, resultRows } from "./parts/components.js";
import { sheetPicture } from "./parts/overview-files.js";
import { enlargeStamp, fitPictures, type SizeLimit } from "./parts/picture-fit.js";
import { safetySentences } from "./parts/picture-policy.js";
import { type Facts, hasNothingToVoteOn } from "./parts/presentation.js";
import { bothSections, isRaw, lowerFirst, noteLines, promptSections } from "./parts/rewrite-text.js";
import { verdictLine } from "./parts/scores.js";
import { namedPicture, readPicture } from "./parts/stored-picture.js";
import { negativeSection, styleSections } from "./parts/style-sections.js";

/** The result of a comparison: a vote on its pictures, or the pictures and the rewrite. */
export async function compareMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  if (hasOverview(job)) return pairsMessage(job, facts, limit);
  return (await voteMessage(job, facts, limit)) ?? pairMessage(job, facts, limit);
}

/** Null where no vote goes on, or where its pictures are gone. */
async function voteMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing | null> {
  const { vote, view, pictures, words } = facts;
  const { refusals, safetyLines } = words;
  const secret = (line: string) => withImage(doneEmbed(job, [line], [], words), [], []);
  if (vote.state === "none") return null;
  if (vote.state === "pending") return secret(refusals.secret);
  // While people vote elsewhere, one picture without the other would tell which is which.
  if (view.withheld.length > 0) return secret(safetyLines.blindElsewhere);
  return blindMessage(job, vote.ballot, pictures, limit, words);
}

/** Both pictures beside each other, and below them the rewrite and what the judges say. */
async function pairMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  const item = job.items[0]!;
  const { view, tally, words } = facts;
  const { labels, resultLines, blindLines } = words;
  const sides = drawnSides(item).filter(
    (side) =>
      view.shows(item, side) && !(side === "optimized" && isUnchanged(item) && item.only === undefined),
  );
  const { files, note } = await attach(job, await picturesOf(job, sides, facts), limit, words);
  const [first] = sides;
  const sections = [
    ...(files.length === 1 && first !== undefined && !isUnchanged(item) && !(item.only && item.against)
      ? [onlyLine(job, item, first, words)]
      : []),
    ...(item.against !== undefined && !isUnchanged(item)
      ? bothSections(job, item, words)
      : files.length > 1
        ? promptSections(job, item, words, (title) => resultLines.sides(lowerFirst(title)))
        : promptSections(job, item, words)),
    ...styleSections(job, words),
    ...negativeSection(job, words),
    ...subjectLine(item, facts),
    ...(hasNothingToVoteOn(job)
      ? [
          item.against === undefined ? blindLines.nothing : blindLines.nothingBetween,
          ...noteLines(job, { ...item, notes: item.notes.filter(({ code }) => code !== "unchanged") }, words),
        ]
      : noteLines(job, item, words)),
    ...(isUnchanged(item) ? [] : verdictLine(job, [item], words)),
    ...(tally === null || view.withheld.length > 0
      ? []
      : [blindLines.tally(tally, writersOf(job, item, words.statsLines.given))]),
    ...safetySentences(view, false, words),
    ...note,
  ];
  const options = [resultLines.seed(item.seed), ...unusualOptions(job, facts), ...timeAndNote(job, facts)];
  const embed = doneEmbed(job, sections, options, words);
  return {
    content: "",
    embeds: [
      isRaw(item) || (item.only === "baseline" && item.against === undefined)
        ? { ...embed, title: labels.asWritten }
        : embed,
    ],
    components: rowsOf(job, facts),
    files,
  };
}

/** Several pairs of one prompt: a sheet of all, and below it the same as of one pair. */
async function pairsMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  const { words } = facts;
  const { resultLines } = words;
  const made = job.items.filter(({ cancelled }) => !cancelled);
  const item = made[0] ?? job.items[0]!;
  const last = made.at(-1) ?? item;
  const sheets = await Promise.all(
    job.sheets.map(({ number }) => readPicture(facts.pictures, sheetPicture(job, number, facts))),
  );
  const { files, note } = await attach(job, sheets, limit, words);
  const takenOut = job.items.length - made.length;
  const sections = [
    ...(takenOut === 0 ? [] : [resultLines.takenOut(job.kind, takenOut)]),
    ...(isUnchanged(item) ? [resultLines.overview(job.kind, made.length, picturesDrawn(made))] : []),
    ...(item.against !== undefined && !isUnchanged(item)
      ? [words.statusLines.pairs(made.length), ...bothSections(job, item, words)]
      : promptSections(job, item, words, (title) => resultLines.sidesOfEach(made.length, lowerFirst(title)))),
    ...(made.some((other) => SIDES.some((side) => textOfSide(other, side) !== textOfSide(item, side)))
      ? [resultLines.rewritesDiffer]
      : []),
    ...styleSections(job, words),
    ...negativeSection(job, words),
    ...subjectLine(item, facts),
    ...noteLines(job, item, words),
    ...verdictLine(
      job,
      made.filter((it) => !isUnchanged(it)),
      words,
    ),
    ...safetySentences(facts.view, true, words),
    ...note,
  ];
  const options = [
    resultLines.seeds(item.seed, last.seed),
    ...unusualOptions(job, facts),
    ...timeAndNote(job, facts),
  ];
  return withImage(doneEmbed(job, sections, options, words), files, rowsOf(job, facts));
}

const rowsOf = (job: Job, { words, hasGallery }: Facts): Row[] => [
  ...resultRows(job, words),
  ...goOnRows(job, words),
  ...(hasGallery ? [galleryRow(job.id, words)] : []),
];

/** From which text the only picture of a pair was drawn. */
function onlyLine(job: Job, item: Item, side: Side, { labels, resultLines, statsLines }: Words): string {
  const writers = writersOf(job, item, statsLines.given);
  return writers === null ? resultLines.onlySide(side) : `${labels.rewriteBy(writers[side])}.`;
}

/** The pictures of these sides; null for one that is gone. */
function picturesOf(
  job: Job,
  sides: readonly Side[],
  { pictures, words: { labels } }: Facts,
): Promise<(OutgoingFile | null)[]> {
  const item = job.items[0]!;
  const altOf = (side: Side) =>
    (side === "baseline" && item.against === undefined ? labels.baselineAlt : labels.optimizedAlt)(
      textOfSide(item, side) ?? "",
    );
  return Promise.all(
    sides.map((side) => {
      const name = `${job.id}-${item.seed}-${side}`;
      return readPicture(pictures, namedPicture(job, item.pictures[side]?.file ?? null, name, altOf(side)));
    }),
  );
}

/** The pictures that are there, made to fit, with a line where they are not what was drawn. */
async function attach(
  job: Job,
  pictures: readonly (OutgoingFile | null)[],
  limit: SizeLimit,
  { resultLines }: Words,
): Promise<{ files: OutgoingFile[]; note: string[] }> {
  const found = pictures.filter((picture) => picture !== null);
  const [alone] = found;
  const stamp = found.length === 1 && alone !== undefined ? await enlargeStamp(alone) : null;
  const present = stamp === null ? found : [stamp.file];
  const { files, shrunk } = await fitPictures(present, limit);
  return {
    files: files.filter((file) => file !== null),
    note: [
      ...(stamp === null || stamp.times === 1 ? [] : [resultLines.enlarged(stamp.times)]),
      ...(shrunk ? [resultLines.shrunk] : []),
      ...(present.length === pictures.length
        ? []
        : [canRedraw(job) ? resultLines.pruned(job.picturesPrunedAt) : resultLines.missing]),
    ],
  };
}

/** Said where the image model can't draw what the prompt asks for, before anyone takes its picture for a fault. */
const subjectLine = ({ prompt }: Item, { subjects, words }: Facts): string[] =>
  subjects === undefined || subjects.knows(prompt)
    ? []
    : [
        words.resultLines.unknownSubject(
          subjects.count,
          subjects.near(prompt).map((name) => `\`${name}\``),
        ),
      ];
