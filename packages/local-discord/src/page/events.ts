import type { ApiChoice, ApiModal } from "../protocol/types.js";
import type { UserRecord } from "../world/records.js";
import type { DiscordState, StoreEvent } from "../world/state.js";
import { messageEventView } from "../world/views.js";

/** Events that one user may see. */
export type UserEvent =
  | {
      readonly type: "message";
      readonly change: "created" | "updated";
      readonly message: Record<string, unknown>;
    }
  | {
      readonly type: "message";
      readonly change: "deleted";
      readonly message: { readonly id: string; readonly channel_id: string };
    }
  | { readonly type: "typing"; readonly channel_id: string; readonly user_id: string }
  | {
      readonly type: "interaction";
      readonly id: string;
      readonly outcome: "answered" | "failed";
      readonly channel_id: string;
      readonly command: string | null;
      readonly message_id: string | null;
      readonly modal?: ApiModal;
      readonly choices?: readonly ApiChoice[];
    }
  | { readonly type: "commands" }
  | { readonly type: "channels" }
  | { readonly type: "bot"; readonly online: boolean };

/** A store event as the user sees it, or null if the user may not. */
export function userEvent(state: DiscordState, user: UserRecord, event: StoreEvent): UserEvent | null {
  switch (event.type) {
    case "message.created":
    case "message.updated":
    case "reaction.added":
    case "reaction.removed":
    case "message.deleted": {
      const { message } = event;
      const channel = state.channels.get(message.channelId);
      if (channel === undefined || !state.canView(channel, user.id)) return null;
      if (message.visibleTo !== null && message.visibleTo !== user.id) return null;
      if (event.type === "message.deleted") {
        return {
          type: "message",
          change: "deleted",
          message: { id: message.id, channel_id: message.channelId },
        };
      }
      const change = event.type === "message.created" ? "created" : "updated";
      return { type: "message", change, message: messageEventView(state, message) };
    }
    case "typing":
      return state.canView(event.channel, user.id)
        ? { type: "typing", channel_id: event.channel.id, user_id: event.userId }
        : null;
    case "interaction.answered":
    case "interaction.failed": {
      const { interaction } = event;
      if (interaction.userId !== user.id) return null;
      return {
        type: "interaction",
        id: interaction.id,
        outcome: event.type === "interaction.answered" ? "answered" : "failed",
        channel_id: interaction.channelId,
        command: interaction.commandName,
        message_id: interaction.originalMessageId,
        ...(event.type === "interaction.answered" && event.modal !== undefined ? { modal: event.modal } : {}),
        ...(event.type === "interaction.answered" && event.choices !== undefined
          ? { choices: event.choices }
          : {}),
      };
    }
    case "commands.changed":
      return { type: "commands" };
    case "channel.created":
      return state.canView(event.channel, user.id) ? { type: "channels" } : null;
    case "bot.presence":
      return { type: "bot", online: event.online };
    default:
      return null;
  }
}
