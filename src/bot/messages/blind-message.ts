import { type Item, type Job, textOfSide, writersOf } from "../../core/job.js";
import { SIDES, type Side } from "../../core/side.js";
import type { Ballot, Choice } from "../../db/votes.js";
import { lettered } from "../../pictures/lettered.js";
import type { PictureStore } from "../../pictures/store.js";
import { codeBlock } from "../discord/markdown.js";
import { type Outgoing, plainMessage } from "../discord/outgoing.js";
import type { Words } from "../words/english/english.js";
import { jobReference } from "../words/english/result.js";
import { voteRows } from "./parts/components.js";
import { fitPictures, type SizeLimit } from "./parts/picture-fit.js";
import { diffMarkdown } from "./parts/prompt-diff.js";
import { namedPicture, readPicture } from "./parts/stored-picture.js";
import { COLORS } from "./status-message.js";

const PROMPT_MAX = 1100;
const DIFF_MAX = 1200;

/**
 * A comparison that does not say which picture is which: A and B in random order, and nothing beside them,
 * so that a message of spoilers is two tiles with their letters. Names, alt texts and the files' own metadata
 * tell nothing either. Null where a picture is gone from the disk.
 */
export async function blindMessage(
  job: Job,
  ballot: Ballot,
  pictures: PictureStore,
  limit: SizeLimit,
  words: Words,
): Promise<Outgoing | null> {
  const { labels, blindLines } = words;
  const item = job.items[0];
  if (item === undefined) return null;
  const [baseline, optimized] = await Promise.all(
    SIDES.map(async (side) => {
      const file = item.pictures[side]?.file ?? null;
      const picture = await readPicture(pictures, namedPicture(job, file, "", ""));
      return picture === null ? null : picture.data;
    }),
  );
  if (baseline == null || optimized == null) return null;
  const [left, right] = ballot.left === "baseline" ? [baseline, optimized] : [optimized, baseline];
  const tiles = [
    { letter: labels.votes.left, picture: left },
    { letter: labels.votes.right, picture: right },
  ].map(async ({ letter, picture }) => ({
    name: `${job.id}-${letter}.png`,
    data: await lettered(picture, letter),
    description: blindLines.tileAlt(letter),
  }));
  const { files } = await fitPictures(await Promise.all(tiles), limit);
  const description = [
    `**${labels.prompt}**${codeBlock(item.prompt, PROMPT_MAX)}`,
    questionOf(job, item, words),
    ...(ballot.closesAt === null ? [] : [blindLines.closes(ballot.closesAt)]),
    jobReference(job.id, job.parentId, words),
  ].join("\n");
  const embed = { title: labels.commands[job.kind], description, color: COLORS.done };
  return {
    content: "",
    embeds: [embed],
    components: voteRows(job.id, words),
    files: files.filter((file) => file !== null),
  };
}

/** Names the two rewriters in the order of their names, which tells nothing. */
function questionOf(job: Job, item: Item, { blindLines, statsLines }: Words): string {
  const writers = writersOf(job, item, statsLines.given);
  if (writers === null) return blindLines.question;
  const [one, other] = Object.values(writers).sort();
  return blindLines.questionBetween(one!, other!);
}

/** Tells a voter alone which choice counts, and which picture was which. */
export function voteReply(
  job: Job,
  { left }: Ballot,
  counted: Choice,
  isFirst: boolean,
  { blindLines, statsLines }: Words,
): Outgoing {
  const [item] = job.items;
  const writers = item === undefined ? null : writersOf(job, item, statsLines.given);
  const right: Side = left === "baseline" ? "optimized" : "baseline";
  const shownTexts = (it: Item) =>
    (it.against === undefined ? (["optimized"] as const) : [left, right]).flatMap((side) => {
      const text = textOfSide(it, side);
      return text === null ? [] : [`> ${diffMarkdown(it.prompt, text, DIFF_MAX)}`];
    });
  const lines = [
    blindLines.voted(counted, left, isFirst, writers),
    isFirst ? blindLines.secret : blindLines.final,
    ...(item === undefined ? [] : shownTexts(item)),
  ];
  return { ...plainMessage(lines.join("\n")), ephemeral: true };
}
