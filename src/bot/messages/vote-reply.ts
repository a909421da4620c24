import { type InteractionReplyOptions, MessageFlags } from "discord.js";
import type { Job } from "../../core/job.js";
import type { Ballot, Choice } from "../../db/votes.js";
import { blindLines } from "../words/messages.js";
import { diffMarkdown } from "./prompt-diff.js";

const DIFF_MAX = 1200;

/** What a voter chose, told to nobody else. */
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
