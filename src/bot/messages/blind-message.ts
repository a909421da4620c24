import sharp from "sharp";
import type { Job } from "../../core/job.js";
import { SIDES } from "../../core/side.js";
import type { Ballot } from "../../db/votes.js";
import type { PictureStore } from "../../pictures/store.js";
import { codeBlock } from "../discord/markdown.js";
import type { Outgoing, OutgoingFile } from "../discord/outgoing.js";
import { blindLines, jobReference, labels } from "../words/messages.js";
import { voteRows } from "./components.js";
import { fitPictures, type SizeLimit } from "./picture-fit.js";
import { COLORS } from "./status-message.js";
import { type NamedPicture, namedPicture, readPicture } from "./stored-picture.js";

const GAP = 16;
/** Pixels that the shorter side of a picture has at least, side by side. */
const MIN_SIDE = 384;
const PROMPT_MAX = 1100;
const BACKGROUND = "#2b2d31";

/**
 * A comparison that does not say which picture is which: the two side by side as the lot has put them, without labels,
 * and both again to enlarge. Names, alt texts and the files' own metadata tell nothing either. Null where a picture is
 * gone from the disk.
 */
export async function blindMessage(
  job: Job,
  ballot: Ballot,
  pictures: PictureStore,
  limit: SizeLimit,
): Promise<Outgoing | null> {
  const item = job.items[0];
  if (item === undefined) return null;
  const [baseline, optimized] = await Promise.all(
    SIDES.map((side) => plain(pictures, namedPicture(job, item.pictures[side]?.file ?? null, "", ""))),
  );
  if (baseline == null || optimized == null) return null;
  const [left, right] = ballot.left === "baseline" ? [baseline, optimized] : [optimized, baseline];
  const named = (role: string, data: Buffer, description: string): OutgoingFile => ({
    name: `${job.id}-${role}.png`,
    data,
    description,
  });
  const { files } = await fitPictures(
    [
      named("both", await sideBySide(left, right), blindLines.bothAlt),
      named("left", left, blindLines.sideAlt("left")),
      named("right", right, blindLines.sideAlt("right")),
    ],
    limit,
  );
  const shown = files.filter((file) => file !== null);
  const description = [
    `**${labels.prompt}**${codeBlock(item.prompt, PROMPT_MAX)}`,
    blindLines.question,
    ...(ballot.closesAt === null ? [] : [blindLines.closes(ballot.closesAt)]),
    jobReference(job.id, job.parentId),
  ].join("\n");
  const image = shown[0] === undefined ? {} : { image: { url: `attachment://${shown[0].name}` } };
  return {
    content: "",
    embeds: [{ title: labels.commands[job.kind], description, color: COLORS.done, ...image }],
    components: voteRows(job.id),
    files: shown,
  };
}

/** The picture as a PNG without the text that says how it was made; null where the file is gone. */
async function plain(pictures: PictureStore, picture: NamedPicture | null): Promise<Buffer | null> {
  const file = await readPicture(pictures, picture);
  return file === null ? null : sharp(file.data).png().toBuffer();
}

async function sideBySide(left: Buffer, right: Buffer): Promise<Buffer> {
  const size = await sharp(left).metadata();
  // A miniature's pictures would be stamps beside each other.
  const factor = Math.max(1, Math.ceil(MIN_SIDE / Math.min(size.width, size.height)));
  const [width, height] = [size.width * factor, size.height * factor];
  const [one, other] = await Promise.all(
    [left, right].map((picture) => sharp(picture).resize(width, height).png().toBuffer()),
  );
  return sharp({
    create: { width: 2 * width + GAP, height, channels: 3, background: BACKGROUND },
  })
    .composite([
      { input: one!, left: 0, top: 0 },
      { input: other!, left: width + GAP, top: 0 },
    ])
    .png()
    .toBuffer();
}
