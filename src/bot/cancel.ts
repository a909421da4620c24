import { type ButtonInteraction, MessageFlags, PermissionFlagsBits } from "discord.js";
import type { Events } from "../core/events.js";
import { isFinished, type Job } from "../core/job.js";
import type { Queue } from "../db/queue.js";
import { decodeCustomId } from "./components.js";
import { refusals } from "./messages.js";

/** A press of a button under a job's message. The row decides who may and what is left to cancel, never the id. */
export async function pressButton(
  interaction: ButtonInteraction,
  queue: Queue,
  events: Events,
): Promise<void> {
  const action = decodeCustomId(interaction.customId);
  if (action === null) return refuse(interaction, refusals.unknownButton);
  const job = await queue.get(action.jobId);
  if (job === undefined) return refuse(interaction, refusals.unknownJob);
  if (!mayCancel(interaction, job)) return refuse(interaction, refusals.notYours);
  if (isFinished(job.state)) return refuse(interaction, refusals.alreadyFinished);

  await interaction.deferUpdate();
  switch (await queue.cancel(job.id)) {
    case "cancelled":
      events.emit("job.finished", { jobId: job.id, state: "cancelled" });
      break;
    case "requested":
      events.emit("job.cancel-requested", { jobId: job.id });
      break;
    case "finished":
      await interaction.followUp({ content: refusals.alreadyFinished, flags: MessageFlags.Ephemeral });
      break;
    case "unknown":
      await interaction.followUp({ content: refusals.unknownJob, flags: MessageFlags.Ephemeral });
      break;
  }
}

/** The requester, or who moderates messages in the very channel of the command. */
function mayCancel(interaction: ButtonInteraction, { origin }: Job): boolean {
  if (interaction.user.id === origin.userId) return true;
  const moderates = interaction.memberPermissions?.has(PermissionFlagsBits.ManageMessages) ?? false;
  return moderates && interaction.channelId === origin.channelId;
}

async function refuse(interaction: ButtonInteraction, sentence: string): Promise<void> {
  await interaction.reply({ content: sentence, flags: MessageFlags.Ephemeral });
}
