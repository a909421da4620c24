import { type InteractionReplyOptions, MessageFlags } from "discord.js";
import type { Job } from "../../core/job.js";
import { SIDES } from "../../core/side.js";
import type { Ballot, Choice } from "../../db/votes.js";
import { sideBySide, withoutText } from "../../pictures/side-by-side.js";
import type { PictureStore } from "../../pictures/store.js";
import { codeBlock } from "../discord/markdown.js";
import type { Outgoing, OutgoingFile } from "../discord/outgoing.js";
import { labels } from "../words/labels.js";
import { jobReference } from "../words/result.js";
import { blindLines } from "../words/votes.js";
import { voteRows } from "./components.js";
import { withImage } from "./embeds.js";
import { fitPictures, type SizeLimit } from "./picture-fit.js";
import { diffMarkdown } from "./prompt-diff.js";
import { COLORS } from "./status-message.js";
import { namedPicture, readPicture } from "./stored-picture.js";

const PROMPT_MAX = 1100;
const DIFF_MAX = 1200;

/**
 * A comparison that does not say which picture is which: the two side by side in random order, without
 * labels, and each of them alone to enlarge. Names, alt texts and the files' own metadata tell nothing
 * either. Null where a picture is gone from the disk.
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
    SIDES.map(async (side) => {
      const file = item.pictures[side]?.file ?? null;
      const picture = await readPicture(pictures, namedPicture(job, file, "", ""));
      return picture === null ? null : withoutText(picture.data);
    }),
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
  const description = [
    `**${labels.prompt}**${codeBlock(item.prompt, PROMPT_MAX)}`,
    blindLines.question,
    ...(ballot.closesAt === null ? [] : [blindLines.closes(ballot.closesAt)]),
    jobReference(job.id, job.parentId),
  ].join("\n");
  const embed = { title: labels.commands[job.kind], description, color: COLORS.done };
  const shown = files.filter((file) => file !== null);
  return withImage(embed, shown, voteRows(job.id));
}

/** Tells a voter alone what they chose. */
export function voteReply(
  job: Job,
  { left }: Ballot,
  choice: Choice,
  before: Choice | null,
): InteractionReplyOptions {
  const item = job.items[0];
  const lines = [
    blindLines.voted(choice, left, before),
    blindLines.changeable,
    ...(item?.rewrite == null ? [] : [`> ${diffMarkdown(item.prompt, item.rewrite, DIFF_MAX)}`]),
  ];
  return { content: lines.join("\n"), flags: MessageFlags.Ephemeral, allowedMentions: { parse: [] } };
}
