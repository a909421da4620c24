import type { APIEmbed } from "discord.js";
import { hasOverview, type ImageOptions, type Job, type Origin, picturesDrawn } from "../../core/job.js";
import type { Settings, Where } from "../../core/settings.js";
import type { Ballot } from "../../db/votes.js";
import type { PictureStore } from "../../pictures/store.js";
import { clip, codeBlock } from "../discord/markdown.js";
import { EMBED_DESCRIPTION_MAX, type Outgoing, type OutgoingFile, type Row } from "../discord/outgoing.js";
import {
  endSentence,
  formatDuration,
  jobReference,
  labels,
  resultLines,
  safetyLines,
} from "../words/messages.js";
import type { Audience } from "./audience.js";
import { batchReport, batchZip, sheetPicture } from "./batch-report.js";
import { blindMessage } from "./blind-message.js";
import { resultRows } from "./components.js";
import { fitPictures, type SizeLimit } from "./picture-fit.js";
import { type Exhibition, exhibitFor, showsPreview } from "./picture-policy.js";
import { isRaw, noteLines, promptSections } from "./rewrite-text.js";
import { safetySentences } from "./safety-sentences.js";
import { pairScoreLine } from "./scores.js";
import { COLORS } from "./status-message.js";
import { namedPicture, readPicture } from "./stored-picture.js";

export interface ResultOptions {
  readonly pictures: PictureStore;
  /** Said under every result, such as that a miniature drew it. */
  readonly checkpointNote: string | null;
  /** What a command without options draws with; its seed says nothing. */
  readonly image: ImageOptions;
  /** What the place of a command has decided. */
  readonly settingsOf: (where: Where) => Promise<Settings>;
  /** Who sees what is posted there now. */
  readonly audienceOf: (where: Where) => Promise<Audience>;
  /** The ballot of a blind comparison, opened when it is first shown. */
  readonly ballotOf: (job: Job) => Promise<Ballot>;
  /** There is nothing to vote on: a ballot that was never open is closed. True where people vote on it already. */
  readonly withoutBallot: (job: Job) => Promise<boolean>;
  /** How the votes fell, once they are closed. */
  readonly tallyOf: (job: Job) => Promise<string | null>;
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
  where: Where = job.origin,
): Promise<Outgoing> {
  if (job.state !== "done") return endMessage(job);
  // Of a prompt drawn as written alone, the second half is the same picture and not posted.
  const items = job.items.map((item) =>
    !hasOverview(job) && isRaw(item) ? { ...item, pictures: { ...item.pictures, optimized: null } } : item,
  );
  // Discord is asked once for one message, and only if it matters.
  let audience: Promise<Audience> | null = null;
  const audienceOf = () => {
    audience ??= options.audienceOf(where);
    return audience;
  };
  const shown = await exhibitFor(items, audienceOf);
  const message = await composed(job, options, limit, shown, audienceOf);
  return shown.spoiler || (await options.settingsOf(where)).spoiler === true ? spoilered(message) : message;
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
  audienceOf: () => Promise<Audience>,
): Promise<Outgoing> {
  if (job.kind === "optimize") return optimizeMessage(job, options);
  return hasOverview(job)
    ? overviewMessage(job, options, limit, shown, audienceOf)
    : compareMessage(job, options, limit, shown);
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
    if (await options.withoutBallot(job)) {
      return withImage(doneEmbed(job, [safetyLines.blindElsewhere], []), [], []);
    }
  } else if (job.blind && !isRaw(item)) {
    const ballot = await options.ballotOf(job);
    const hidden = ballot.closedAt === null ? await blindMessage(job, ballot, options.pictures, limit) : null;
    if (hidden !== null) return hidden;
  }
  const tally = await options.tallyOf(job);
  const rewrite = item.rewrite ?? "";
  const { pictures: made } = item;
  const baseline = {
    role: "baseline",
    file: made.baseline?.file ?? null,
    alt: labels.baselineAlt(item.prompt),
  };
  const optimized = {
    role: "optimized",
    file: made.optimized?.file ?? null,
    alt: labels.optimizedAlt(rewrite),
  };
  const comparison = {
    role: "comparison",
    file: shown.composed(item.comparison),
    alt: labels.comparisonAlt(item.prompt, rewrite),
  };
  const stem = `${job.id}-${item.seed}`;
  const pictures = await Promise.all(
    [
      ...(isRaw(item) || comparison.file === null ? [] : [comparison]),
      ...(shown.shows(item, "baseline") ? [baseline] : []),
      ...(isRaw(item) || !shown.shows(item, "optimized") ? [] : [optimized]),
    ].map(({ role, file, alt }) =>
      readPicture(options.pictures, namedPicture(job, file, `${stem}-${role}`, alt)),
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
    ...(await imageOptions(job, options)),
    ...timeAndMakers(job, options),
  ];
  return withImage(doneEmbed(job, sections, settings), files, resultRows(job));
}

async function overviewMessage(
  job: Job,
  options: ResultOptions,
  limit: SizeLimit,
  shown: Exhibition,
  audienceOf: () => Promise<Audience>,
): Promise<Outgoing> {
  const made = job.items.filter(({ cancelled }) => !cancelled);
  const [first] = made;
  const last = made.at(-1);
  const seeds = first && last ? [resultLines.seeds(first.seed, last.seed)] : [];
  const { files, lines } = await batchReport(job, { ...options, audienceOf }, limit, shown);
  const takenOut = job.items.length - made.length;
  const sections = [
    resultLines.overview(job.kind, made.length, picturesDrawn(made)),
    ...(takenOut === 0 ? [] : [resultLines.takenOut(takenOut)]),
    ...safetySentences(shown, true),
    ...lines,
  ];
  const settings = [...seeds, ...(await imageOptions(job, options)), ...timeAndMakers(job, options)];
  const embed = doneEmbed(job, sections, settings);
  // The contact sheet comes first where there is one; a record is nothing to look at.
  const [main] = files.filter(({ description }) => description !== null);
  return {
    content: "",
    embeds: [main === undefined ? embed : { ...embed, image: { url: `attachment://${main.name}` } }],
    components: resultRows(job),
    files,
  };
}

/** A contact sheet of a batch that goes on; null where it is gone, or may not be posted where the batch was asked for. */
export async function sheetMessage(
  job: Job,
  number: number,
  options: ResultOptions,
  limit: SizeLimit,
): Promise<Outgoing | null> {
  const audienceOf = () => options.audienceOf(job.origin);
  const sheet = await sheetPicture(job, number, { ...options, audienceOf });
  const picture = sheet === null ? null : await readPicture(options.pictures, sheet.picture);
  if (sheet === null || picture === null) return null;
  const { files } = await fitPictures([picture], limit);
  const [file] = files;
  if (file == null) return null;
  const { items } = sheet;
  const line = resultLines.sheet((items[0] ?? 0) + 1, (items.at(-1) ?? 0) + 1, job.items.length);
  const embed = {
    title: labels.commands[job.kind],
    description: [`${line} ${jobReference(job.id)}`, ...safetySentences(sheet.shown, true)].join("\n"),
    color: COLORS.running,
    image: { url: `attachment://${file.name}` },
  };
  const message: Outgoing = { content: "", embeds: [embed], components: [], files: [file] };
  return sheet.shown.spoiler || (await options.settingsOf(job.origin)).spoiler === true
    ? spoilered(message)
    : message;
}

/** The settings that a command here does not have by itself. */
async function imageOptions({ image, origin }: Job, options: ResultOptions): Promise<string[]> {
  const settings = await options.settingsOf(origin);
  const usual = { ...options.image, ...settings };
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
  if (job.kind === "optimize" || hasOverview(job) || job.blind || item?.pictures.baseline == null)
    return null;
  const { file } = item.pictures.baseline;
  const shown = await exhibitFor([item], () => options.audienceOf(job.origin));
  // What needs a click or is withheld waits for the result, which says so.
  const isPlain =
    shown.shows(item, "baseline") &&
    !shown.spoiler &&
    (await options.settingsOf(job.origin)).spoiler !== true;
  if (!isPlain) return null;
  const name = `${job.id}-${item.seed}-baseline`;
  const { prompt } = item;
  const picture = await readPicture(
    options.pictures,
    namedPicture(job, file, name, labels.baselineAlt(prompt)),
  );
  if (picture === null) return null;
  return (await fitPictures([picture], limit)).files[0] ?? null;
}

/** One of the zips of a batch's pictures, as they may be posted there. */
export async function zipMessage(
  job: Job,
  part: number,
  options: ResultOptions,
  limit: SizeLimit,
  where: Where,
): Promise<{ readonly file: OutgoingFile | null; readonly parts: number }> {
  const audienceOf = () => options.audienceOf(where);
  const shown = await exhibitFor(job.items, audienceOf);
  return batchZip(job, { ...options, audienceOf }, part, limit, shown);
}

/**
 * A picture that is being drawn, as a small WebP; null where one may not be shown that no safety checker has seen, or
 * only behind a click. `harmless`: what draws it needs no checker.
 */
export async function previewPicture(
  origin: Origin,
  jobId: string,
  data: Uint8Array,
  harmless: boolean,
  options: ResultOptions,
): Promise<OutgoingFile | null> {
  if ((await options.settingsOf(origin)).spoiler === true) return null;
  if (!harmless && !showsPreview(await options.audienceOf(origin))) return null;
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
