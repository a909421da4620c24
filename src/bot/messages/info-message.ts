import { type InteractionReplyOptions, MessageFlags } from "discord.js";
import { imageOf, type Job } from "../../core/job.js";
import { clip, codeBlock } from "../discord/markdown.js";
import { EMBED_DESCRIPTION_MAX } from "../discord/outgoing.js";
import { labels } from "../words/labels.js";
import { infoLines } from "../words/result.js";

const TEXT_MAX = 1200;
/** Items of a job that are spelled out; a batch's report has them all. */
const ITEMS_MAX = 1;

/** Everything about a job, told to the user alone: enough to repeat it exactly. */
export function infoMessage(job: Job): InteractionReplyOptions {
  const texts = job.items
    .slice(0, ITEMS_MAX)
    .flatMap(({ prompt, rewrite }) => [
      `**${labels.prompt}**${codeBlock(prompt, TEXT_MAX)}`,
      ...(rewrite === null ? [] : [`**${labels.rewrite}**${codeBlock(rewrite, TEXT_MAX)}`]),
    ]);
  const { negative: without } = imageOf(job, job.items[0]);
  const negative = without === "" ? [] : [`**${labels.negative}**${codeBlock(without, TEXT_MAX / 4)}`];
  const description = [...texts, ...negative, ...infoLines(job)].join("\n");
  return {
    embeds: [{ title: labels.commands[job.kind], description: clip(description, EMBED_DESCRIPTION_MAX) }],
    flags: MessageFlags.Ephemeral,
  };
}
