import { ChannelType } from "../protocol/types.js";
import type { MessageRecord } from "../world/records.js";
import type { DiscordState, StoreEvent } from "../world/state.js";
import { channelView, interactionView, messageEventView, reactionEventView } from "../world/views.js";
import { Intent } from "./protocol.js";

/** A gateway event without its sequence number. */
export interface GatewayEvent {
  readonly t: string;
  readonly d: unknown;
}

type EventOf<T extends StoreEvent["type"]> = Extract<StoreEvent, { type: T }>;
/** Turns a store event into what a bot with these intents receives; null for nothing. */
type Projection<T extends StoreEvent["type"]> = (
  event: EventOf<T>,
  state: DiscordState,
  intents: number,
) => GatewayEvent | null;

/** Store events that are missing here never reach the bot: they stay among people and the page. */
const PROJECTIONS: { readonly [T in StoreEvent["type"]]?: Projection<T> } = {
  "interaction.created": ({ interaction }, state) => ({
    t: "INTERACTION_CREATE",
    d: interactionView(state, interaction),
  }),
  "message.created": ({ message }, state, intents) => shown("MESSAGE_CREATE", message, state, intents),
  "message.updated": ({ message }, state, intents) => shown("MESSAGE_UPDATE", message, state, intents),
  "message.deleted": ({ message }, _state, intents) =>
    hearsMessage(message, intents)
      ? {
          t: "MESSAGE_DELETE",
          d: { id: message.id, channel_id: message.channelId, ...inGuild(message.guildId) },
        }
      : null,
  "reaction.added": (event, state, intents) => reacted("MESSAGE_REACTION_ADD", event, state, intents),
  "reaction.removed": (event, state, intents) => reacted("MESSAGE_REACTION_REMOVE", event, state, intents),
  typing: ({ channel, userId }, state, intents) =>
    hears(channel.guildId, intents, Intent.guildMessageTyping, Intent.directMessageTyping)
      ? {
          t: "TYPING_START",
          d: {
            channel_id: channel.id,
            user_id: userId,
            timestamp: Math.floor(state.clock.now() / 1000),
            ...inGuild(channel.guildId),
          },
        }
      : null,
  "channel.created": ({ channel }, state, intents) =>
    channel.type === ChannelType.dm || (intents & Intent.guilds) === 0
      ? null
      : { t: "CHANNEL_CREATE", d: channelView(state, channel) },
};

/** The gateway event that a bot with these intents receives for a store event; null for nothing. */
export function project(event: StoreEvent, state: DiscordState, intents: number): GatewayEvent | null {
  // Key and event have the same type, but the compiler cannot see that.
  const projection = PROJECTIONS[event.type] as Projection<StoreEvent["type"]> | undefined;
  return projection?.(event, state, intents) ?? null;
}

function shown(t: string, message: MessageRecord, state: DiscordState, intents: number): GatewayEvent | null {
  if (!hearsMessage(message, intents)) return null;
  const channel = state.channels.get(message.channelId);
  if (channel === undefined || !state.canView(channel, state.bot.id)) return null;
  return { t, d: readable(messageEventView(state, message), state.bot.id, intents) };
}

function reacted(
  t: "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE",
  { message, userId, emoji }: Extract<StoreEvent, { emoji: string }>,
  state: DiscordState,
  intents: number,
): GatewayEvent | null {
  const channel = state.channels.get(message.channelId);
  if (
    message.visibleTo !== null ||
    !hears(message.guildId, intents, Intent.guildMessageReactions, Intent.directMessageReactions)
  )
    return null;
  if (channel === undefined || !state.canView(channel, state.bot.id)) return null;
  return { t, d: reactionEventView(state, message, userId, emoji, t === "MESSAGE_REACTION_ADD") };
}

/** Ephemeral messages never appear on the gateway. */
function hearsMessage(message: MessageRecord, intents: number): boolean {
  return (
    message.visibleTo === null && hears(message.guildId, intents, Intent.guildMessages, Intent.directMessages)
  );
}

function hears(guildId: string | null, intents: number, guildIntent: number, directIntent: number): boolean {
  return (intents & (guildId === null ? directIntent : guildIntent)) !== 0;
}

const inGuild = (guildId: string | null) => (guildId === null ? {} : { guild_id: guildId });

/**
 * Without MESSAGE_CONTENT, other people's messages arrive empty unless they are direct or mention the bot.
 */
function readable(message: Record<string, unknown>, botId: string, intents: number): Record<string, unknown> {
  if ((intents & Intent.messageContent) !== 0 || message.guild_id === undefined) return message;
  const author = message.author as { id: string };
  const mentions = message.mentions as { id: string }[];
  if (author.id === botId || mentions.some((it) => it.id === botId)) return message;
  return { ...message, content: "", embeds: [], attachments: [], components: [] };
}
