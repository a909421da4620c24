import type { APIEmbed } from "discord.js";
import type { ImageSettings, Item, Job, Origin } from "../core/job.js";
import type { PlaceSettings } from "../core/settings.js";
import type { Ballot } from "../db/votes.js";
import { batchReport, sheetPicture } from "./batch-report.js";
import { blindMessage } from "./blind-message.js";
import { type Row, resultRows } from "./components.js";
import { clip, codeBlock } from "./markdown.js";
import { endSentence, formatDuration, jobReference, labels, resultLines, safetyLines } from "./messages.js";
import { EMBED_DESCRIPTION_MAX, type Outgoing, type OutgoingFile } from "./outgoing.js";
import { fitPictures, type SizeLimit } from "./picture-fit.js";
import {
  type Audience,
  type CheckpointSafety,
  type Exhibition,
  exhibit,
  showsForming,
} from "./picture-policy.js";
import type { Place } from "./place.js";
import { isRaw, noteLines, promptSections } from "./rewrite-text.js";
import { safetySentences } from "./safety-sentences.js";
import { batchScores, pairScoreLine } from "./scores.js";
import { COLORS } from "./status-message.js";
import { readPicture, storedPicture } from "./stored-picture.js";

export interface ResultOptions {
  /** Pictures lie in `<picturesDir>/<job id>/<file name>`. */
  readonly picturesDir: string;
  /** Said under every result, such as that a miniature drew it. */
  readonly checkpointNote: string | null;
  /** What a command without options draws with; its seed says nothing. */
  readonly image: ImageSettings;
  /** What the place of a command has decided. */
  readonly placeOf: (where: Place) => PlaceSettings;
  readonly checkpointSafety: CheckpointSafety;
  /** Who sees what is posted there now. */
  readonly audienceOf: (where: Place) => Promise<Audience>;
  /** The ballot of a blind comparison, opened when it is first shown. */
  readonly ballotOf: (job: Job) => Ballot;
  /** There is nothing to vote on: a ballot that was never open is closed. True where people vote on it already. */
  readonly withoutBallot: (job: Job) => boolean;
  /** How the votes fell, once they are closed. */
  readonly tallyOf: (job: Job) => string | null;
}

const NEGATIVE_MAX = 300;

/**
 * The last message of a finished job: its result, or how it ended, with the pictures that may be posted where it goes.
 * Throws DiscordError where Discord can't say what that place is.
 */
export async function resultMessage(
  job: Job,
  options: ResultOptions,
  limit: SizeLimit,
  where: Place = job.origin,
): Promise<Outgoing> {
  if (job.state !== "done") return endMessage(job);
  const { permitted, shown } = await permittedIn(job, options, where);
  const message = await composed(permitted, options, limit, shown);
  return shown.spoiler || options.placeOf(where).spoiler === true ? spoilered(message) : message;
}

/** A job with the pictures that may be posted in a place now. Throws DiscordError where Discord can't say what it is. */
export function permittedIn(
  job: Job,
  options: ResultOptions,
  where: Place,
): Promise<{ readonly permitted: Job; readonly shown: Exhibition }> {
  // Of a prompt drawn as written alone, the second half is the same picture and not posted.
  const items = job.items.map((item) =>
    job.kind === "compare" && isRaw(item) ? { ...item, drawn: null, comparison: null } : item,
  );
  return exhibit({ ...job, items }, () => options.audienceOf(where));
}

/** Pictures behind a click. An embed can't hide its picture, so they all stand below it. */
function spoilered(message: Outgoing): Outgoing {
  return {
    ...message,
    embeds: message.embeds.map(({ image: _, ...embed }) => embed),
    files: message.files.map((file) =>
      file.description === null ? file : { ...file, name: `SPOILER_${file.name}` },
    ),
  };
}

async function composed(
  job: Job,
  options: ResultOptions,
  limit: SizeLimit,
  shown: Exhibition,
): Promise<Outgoing> {
  switch (job.kind) {
    case "optimize":
      return optimizeMessage(job, options);
    case "compare":
      return compareMessage(job, options, limit, shown);
    case "batch":
      return batchMessage(job, options, limit, shown);
  }
}

function endMessage(job: Job): Outgoing {
  const color = job.state === "cancelled" ? COLORS.cancelled : COLORS.failed;
  const embed = { title: labels.commands[job.kind], description: endSentence(job), color };
  return { content: "", embeds: [embed], components: resultRows(job), files: [] };
}

function optimizeMessage(job: Job, options: ResultOptions): Outgoing {
  const item = job.items[0]!;
  const sections = [...promptSections(item), ...noteLines(item)];
  const seed = job.text.mode === "sample" ? [resultLines.seed(job.text.seed)] : [];
  return {
    content: "",
    embeds: [doneEmbed(job, sections, [...seed, ...timeAndMakers(job, options)])],
    components: resultRows(job),
    files: [],
  };
}

async function compareMessage(
  job: Job,
  options: ResultOptions,
  limit: SizeLimit,
  shown: Exhibition,
): Promise<Outgoing> {
  const item = job.items[0]!;
  if (job.blind && !isRaw(item) && shown.withheld.length > 0) {
    // Half a pair can't be voted on; and while people vote on it elsewhere, half of it would tell which is which.
    if (options.withoutBallot(job)) {
      return withImage(doneEmbed(job, [safetyLines.blindElsewhere], []), [], []);
    }
  } else if (job.blind && !isRaw(item)) {
    const ballot = options.ballotOf(job);
    const hidden =
      ballot.closedAt === null ? await blindMessage(job, ballot, options.picturesDir, limit) : null;
    if (hidden !== null) return hidden;
  }
  const tally = options.tallyOf(job);
  const optimized = item.optimized ?? "";
  const baseline = { role: "baseline", file: item.baseline, alt: labels.baselineAlt(item.prompt) };
  const drawn = { role: "optimized", file: item.drawn, alt: labels.optimizedAlt(optimized) };
  const comparison = {
    role: "comparison",
    file: item.comparison,
    alt: labels.comparisonAlt(item.prompt, optimized),
  };
  const pictures = await Promise.all(
    [comparison, baseline, drawn]
      .filter(({ file }) => file !== null)
      .map(({ role, file, alt }) =>
        readPicture(
          storedPicture(job, options.picturesDir, [item.index], file, `${job.id}-${item.seed}-${role}`, alt),
        ),
      ),
  );
  const { files, note } = await attach(job, pictures, limit);
  const sections = [
    ...promptSections(item),
    ...(job.image.negative === ""
      ? []
      : [`**${labels.negative}**${codeBlock(job.image.negative, NEGATIVE_MAX)}`]),
    ...noteLines(item),
    ...(isRaw(item) ? [] : pairScoreLine(item)),
    ...(tally === null || shown.withheld.length > 0 ? [] : [tally]),
    ...safetySentences(shown, false),
    ...note,
  ];
  const settings = [
    resultLines.seed(item.seed),
    ...imageSettings(job, options),
    ...timeAndMakers(job, options),
  ];
  return withImage(doneEmbed(job, sections, settings), files, resultRows(job));
}

async function batchMessage(
  job: Job,
  options: ResultOptions,
  limit: SizeLimit,
  shown: Exhibition,
): Promise<Outgoing> {
  const made = job.items.filter(({ cancelled }) => !cancelled);
  const [first] = made;
  const last = made.at(-1);
  const seeds = first && last ? [resultLines.seeds(first.seed, last.seed)] : [];
  const scores = await batchScores(job);
  const { files, lines } = await batchReport(job, options.picturesDir, limit, scores.plot);
  const drawn = made.reduce((sum, item) => sum + (item.baseline ? 1 : 0) + (item.drawn ? 1 : 0), 0);
  const takenOut = job.items.length - made.length;
  const sections = [
    resultLines.batch(made.length, drawn),
    ...(takenOut === 0 ? [] : [resultLines.takenOut(takenOut)]),
    ...scores.lines,
    ...safetySentences(shown, true),
    ...lines,
  ];
  const settings = [...seeds, ...imageSettings(job, options), ...timeAndMakers(job, options)];
  const embed = doneEmbed(job, sections, settings);
  // The contact sheet comes first where there is one; a record is nothing to look at.
  const [sheet] = files.filter(({ description }) => description !== null);
  return {
    content: "",
    embeds: [sheet === undefined ? embed : { ...embed, image: { url: `attachment://${sheet.name}` } }],
    components: resultRows(job),
    files,
  };
}

/** A contact sheet of a batch that goes on; null where it is gone. */
export async function sheetMessage(
  job: Job,
  number: number,
  options: ResultOptions,
  limit: SizeLimit,
): Promise<Outgoing | null> {
  const only = { ...job, sheets: job.sheets.filter((sheet) => sheet.number === number) };
  const onIt = only.sheets[0]?.items ?? [];
  // What the other pairs are does not matter to this sheet.
  const pairs = {
    ...only,
    items: job.items.map((item) => (onIt.includes(item.index) ? item : unseen(item))),
  };
  const { permitted, shown } = await exhibit(pairs, () => options.audienceOf(job.origin));
  const picture = await readPicture(sheetPicture(permitted, options.picturesDir, number));
  if (picture === null) return null;
  const { files } = await fitPictures([picture], limit);
  const [file] = files;
  if (file == null) return null;
  const line = resultLines.sheet((onIt[0] ?? 0) + 1, (onIt.at(-1) ?? 0) + 1, job.items.length);
  const embed = {
    title: labels.commands[job.kind],
    description: [`${line} ${jobReference(job.id)}`, ...safetySentences(shown, true)].join("\n"),
    color: COLORS.running,
    image: { url: `attachment://${file.name}` },
  };
  const message: Outgoing = { content: "", embeds: [embed], components: [], files: [file] };
  return shown.spoiler || options.placeOf(job.origin).spoiler === true ? spoilered(message) : message;
}

const unseen = (item: Item): Item => ({ ...item, baseline: null, drawn: null });

/** The settings that a command here does not have by itself. */
function imageSettings({ image, origin }: Job, options: ResultOptions): string[] {
  const place = options.placeOf(origin);
  const usual = { ...options.image, ...place };
  const size = image.size === null ? null : `${image.size.width}x${image.size.height}`;
  const usualSize = usual.size == null ? null : `${usual.size.width}x${usual.size.height}`;
  return [
    ...(image.steps === usual.steps ? [] : [resultLines.steps(image.steps)]),
    ...(image.guidance === usual.guidance ? [] : [resultLines.guidance(image.guidance)]),
    ...(image.scheduler === usual.scheduler ? [] : [image.scheduler]),
    ...(size === null || size === usualSize ? [] : [size]),
  ];
}

/** How long it took from the first claim, and what made it. */
function timeAndMakers(job: Job, { checkpointNote }: ResultOptions): string[] {
  const { startedAt, finishedAt, checkpoints } = job;
  const took = startedAt === null || finishedAt === null ? [] : [formatDuration(finishedAt - startedAt)];
  // Two checkpoints of one name are said once.
  const names = new Set([checkpoints.promptist, checkpoints.diffusion].filter((name) => name !== null));
  return [...took, ...names, ...(checkpointNote === null ? [] : [checkpointNote])];
}

function doneEmbed(job: Job, sections: readonly string[], settings: readonly string[]): APIEmbed {
  return {
    title: labels.commands[job.kind],
    description: clip(
      [...sections, resultLines.settings(settings), jobReference(job.id, job.parentId)].join("\n"),
      EMBED_DESCRIPTION_MAX,
    ),
    color: COLORS.done,
  };
}

/** Shows the first file large inside the embed; Discord shows the others beside it. */
function withImage(embed: APIEmbed, files: readonly OutgoingFile[], components: readonly Row[]): Outgoing {
  const [main] = files;
  return {
    content: "",
    embeds: [main === undefined ? embed : { ...embed, image: { url: `attachment://${main.name}` } }],
    components,
    files,
  };
}

/** The baseline of a comparison that is still drawing the other half; null where it cannot be shown yet. */
export async function baselinePicture(
  job: Job,
  options: ResultOptions,
  limit: SizeLimit,
): Promise<OutgoingFile | null> {
  const [item] = job.items;
  if (job.kind !== "compare" || job.blind || item === undefined) return null;
  const { permitted, shown } = await exhibit({ ...job, items: [item] }, () => options.audienceOf(job.origin));
  const name = `${job.id}-${item.seed}-baseline`;
  const { index, prompt } = item;
  const baseline = permitted.items[0]?.baseline ?? null;
  const picture = await readPicture(
    storedPicture(job, options.picturesDir, [index], baseline, name, labels.baselineAlt(prompt)),
  );
  if (picture === null) return null;
  const [file = null] = (await fitPictures([picture], limit)).files;
  if (file === null || !(shown.spoiler || options.placeOf(job.origin).spoiler === true)) return file;
  return { ...file, name: `SPOILER_${file.name}` };
}

/** A picture that is being drawn, as a small WebP; null where it might not be shown if it were judged already. */
export async function formingPicture(
  origin: Origin,
  jobId: string,
  data: Uint8Array,
  options: ResultOptions,
): Promise<OutgoingFile | null> {
  const { checkpointSafety, placeOf, audienceOf } = options;
  if (placeOf(origin).spoiler === true) return null;
  if (checkpointSafety !== "harmless" && !showsForming(checkpointSafety, await audienceOf(origin)))
    return null;
  return { name: `${jobId}-preview.webp`, data: Buffer.from(data), description: labels.previewAlt };
}

/** The pictures that there are, made to fit, and a line where they are not what was drawn. */
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
