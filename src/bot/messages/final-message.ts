import { type Job, linkTo } from "../../core/job.js";
import { codeBlock } from "../discord/markdown.js";
import type { Outgoing } from "../discord/outgoing.js";
import type { Words } from "../words/english/english.js";
import { endSentence } from "../words/english/result.js";
import { compareMessage } from "./compare-message.js";
import { spoilered } from "./embeds.js";
import { evaluationMessage } from "./evaluation-message.js";
import { optimizeMessage } from "./optimize-message.js";
import { gridMessage, overviewMessage } from "./overview-message.js";
import { resultRows } from "./parts/components.js";
import { CHANNEL_LIMIT, type SizeLimit } from "./parts/picture-fit.js";
import type { Facts } from "./parts/presentation.js";
import { COLORS } from "./status-message.js";

/** The last message of a finished job: its result, or how it ended. */
export async function finalMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  if (job.state !== "done") return endMessage(job, facts.words);
  const message = await resultMessage(job, facts, limit);
  return facts.spoiler ? spoilered(message) : message;
}

async function resultMessage(job: Job, facts: Facts, limit: SizeLimit): Promise<Outgoing> {
  if (job.kind === "optimize") return optimizeMessage(job, facts);
  if (job.kind === "grid") return gridMessage(job, facts, limit);
  if (job.kind === "evaluation") return evaluationMessage(job, facts, limit);
  return job.kind === "batch" ? overviewMessage(job, facts, limit) : compareMessage(job, facts, limit);
}

/** A result as its server's gallery shows it: as where it was asked for, with whose it is and where, without buttons. */
export async function galleryMessage(job: Job, facts: Facts): Promise<Outgoing | "gone"> {
  const message = await finalMessage(job, facts, CHANNEL_LIMIT);
  if (!message.files.some(({ description }) => description !== null)) return "gone";
  const { userId, channelId } = job.origin;
  const { messageId } = job.delivery;
  const link = messageId === null ? `<#${channelId}>` : linkTo(job.origin, messageId);
  return { ...message, content: facts.words.galleryLines.by(`<@${userId}>`, link), components: [] };
}

const PROMPTS_MAX = 1500;

/** How a job that made no result ended, with its prompts to copy, so that no text is lost with it. */
function endMessage(job: Job, words: Words): Outgoing {
  const color = job.state === "cancelled" ? COLORS.cancelled : COLORS.failed;
  // All pairs of a comparison have one prompt.
  const prompts = new Set(job.items.map(({ prompt }) => prompt));
  const description = `${endSentence(job, words)}${codeBlock([...prompts].join("\n"), PROMPTS_MAX)}`;
  const embed = { title: words.labels.commands[job.kind], description, color };
  return { content: "", embeds: [embed], components: resultRows(job, words), files: [] };
}
