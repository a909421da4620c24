import { setTimeout as delay } from "node:timers/promises";
import {
  type ButtonInteraction,
  type ChatInputCommandInteraction,
  type InteractionReplyOptions,
  type MessageComponentInteraction,
  type MessageContextMenuCommandInteraction,
  MessageFlags,
  type ModalSubmitInteraction,
  type RepliableInteraction,
  type StringSelectMenuInteraction,
} from "discord.js";
import { DiscordError } from "../../core/errors.js";
import { faultOf, isAlreadyAcknowledged, isGone } from "./faults.js";

/** A press of a button or a choice in a menu under a message. */
export type Press = ButtonInteraction | StringSelectMenuInteraction;

/** An interaction that can become a job. */
export type Asking =
  | ChatInputCommandInteraction
  | MessageContextMenuCommandInteraction
  | MessageComponentInteraction
  | ModalSubmitInteraction;

/** Discord waits 3 s for the first answer. */
const ACKNOWLEDGE_MS = 2_500;
const ACKNOWLEDGE_PAUSE_MS = 200;

/**
 * Gives an interaction its first answer, and repeats it while the fault may pass and Discord still waits.
 * Where a connection broke, only the answer to the next try tells whether Discord has the first. Throws
 * DiscordError DISCORD_UNREACHABLE where every try failed (one may have arrived all the same), and at once
 * what waiting can't fix.
 */
export async function acknowledge(
  interaction: Asking | RepliableInteraction,
  answer: () => Promise<unknown>,
): Promise<void> {
  for (const start = performance.now(); ; ) {
    try {
      await answer();
      return;
    } catch (error) {
      if (isAlreadyAcknowledged(error)) {
        // discord.js saw no try succeed, and would refuse to edit the reply or to follow up.
        interaction.deferred = true;
        return;
      }
      if (faultOf(error) !== "transient") throw error;
      if (performance.now() - start > ACKNOWLEDGE_MS) {
        const message = `Interaction ${interaction.id} could not be acknowledged`;
        throw new DiscordError("DISCORD_UNREACHABLE", message, { cause: error });
      }
    }
    await delay(ACKNOWLEDGE_PAUSE_MS);
  }
}

/**
 * Acknowledges a press before its work. Returns even where no try was answered: the user may see the press as
 * accepted, so it must be carried out.
 */
export const deferUpdate = (press: Press): Promise<void> => defer(press, () => press.deferUpdate());

/** The same for an interaction whose answer is edited in later. */
export const deferReply = (interaction: RepliableInteraction): Promise<void> =>
  defer(interaction, () => interaction.deferReply());

/** The same where only the user of the interaction sees the answer. */
export const deferPrivately = (interaction: RepliableInteraction): Promise<void> =>
  defer(interaction, () => interaction.deferReply({ flags: MessageFlags.Ephemeral }));

async function defer(interaction: RepliableInteraction, answer: () => Promise<unknown>): Promise<void> {
  try {
    await acknowledge(interaction, answer);
  } catch (error) {
    if (!(error instanceof DiscordError)) throw error;
    interaction.deferred = true;
  }
}

/** Deletes the message under which an acknowledged press was; it may be gone already. */
export async function deleteMessage(press: Press): Promise<void> {
  try {
    await press.deleteReply();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

type Answer = string | Pick<InteractionReplyOptions, "content" | "embeds" | "components">;

/** Answers an interaction so that only its user sees it, and mentions nobody. */
export async function replyPrivately(
  interaction: Asking | RepliableInteraction,
  answer: Answer,
): Promise<void> {
  await acknowledge(interaction, () => interaction.reply(privately(answer)));
}

/** A message that only the user of an interaction sees, and that mentions nobody. */
export const privately = (answer: Answer) => ({
  ...(typeof answer === "string" ? { content: answer } : answer),
  flags: MessageFlags.Ephemeral as const,
  allowedMentions: { parse: [] },
});
