import type { ApiCommand, ApiComponent, ApiEmbed } from "../protocol/types.js";

/** Stored data. views.ts builds REST answers and gateway events from it; those are never stored. */
export interface UserRecord {
  readonly id: string;
  readonly username: string;
  readonly globalName: string | null;
  readonly bot: boolean;
  /** IETF tag sent with interactions, such as "en-US". */
  locale: string;
  /** If false, opening a direct message works but sending answers 50007. */
  acceptsDirectMessages: boolean;
}

export interface RoleRecord {
  readonly id: string;
  readonly name: string;
  permissions: bigint;
  readonly color: number;
  readonly position: number;
  readonly mentionable: boolean;
  /** The bot that this managed role belongs to. */
  readonly botId: string | null;
}

export interface MemberRecord {
  readonly userId: string;
  roleIds: string[];
  readonly joinedAt: number;
}

export interface OverwriteRecord {
  /** A role or a member. */
  readonly id: string;
  readonly type: 0 | 1;
  readonly allow: bigint;
  readonly deny: bigint;
}

export interface GuildRecord {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly locale: string;
  readonly roles: Map<string, RoleRecord>;
  readonly members: Map<string, MemberRecord>;
  readonly channelIds: string[];
}

export interface ChannelRecord {
  readonly id: string;
  readonly type: number;
  readonly guildId: string | null;
  readonly name: string;
  readonly topic: string | null;
  readonly position: number;
  readonly nsfw: boolean;
  readonly parentId: string | null;
  /** People in a direct message, including the bot if it is with the bot; empty in a guild. */
  readonly participants: readonly string[];
  overwrites: OverwriteRecord[];
  lastMessageId: string | null;
}

export interface AttachmentRecord {
  readonly id: string;
  readonly channelId: string;
  readonly filename: string;
  /** The original name, if `filename` had to be cleaned. */
  readonly title: string | null;
  readonly description: string | null;
  readonly contentType: string | null;
  readonly bytes: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly ephemeral: boolean;
  readonly spoiler: boolean;
}

export interface MessageRecord {
  readonly id: string;
  readonly channelId: string;
  readonly guildId: string | null;
  readonly authorId: string;
  readonly type: number;
  /** The only user who sees it, or null if everyone in the channel does. */
  readonly visibleTo: string | null;
  readonly interactionId: string | null;
  readonly replyTo: string | null;
  readonly nonce: string | number | null;
  readonly tts: boolean;
  readonly createdAt: number;
  editedAt: number | null;
  content: string;
  embeds: ApiEmbed[];
  components: ApiComponent[];
  attachments: AttachmentRecord[];
  flags: number;
  mentions: MentionRecord;
  /** In the order in which each emoji came first; absent where nobody has reacted. */
  reactions?: readonly ReactionRecord[];
}

/** An emoji below a message, and whose. */
export interface ReactionRecord {
  /** A character; emojis of servers are not built. */
  readonly emoji: string;
  readonly userIds: readonly string[];
}

/** Who is pinged, after applying `allowed_mentions`. */
export interface MentionRecord {
  readonly users: readonly string[];
  readonly roles: readonly string[];
  readonly everyone: boolean;
}

export type CommandRecord = ApiCommand;

/** How an interaction was first answered. */
export type AnswerKind = "message" | "deferred" | "deferred-update" | "update" | "autocomplete" | "modal";

export interface InteractionRecord {
  readonly id: string;
  readonly token: string;
  readonly type: number;
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string | null;
  readonly createdAt: number;
  /** `data` of INTERACTION_CREATE, with `attachments` still as records. */
  readonly data: Record<string, unknown>;
  readonly attachments: readonly AttachmentRecord[];
  /**
   * `authorizing_integration_owners`: "0" the guild ("0" in a direct message), "1" the user who installed the
   * app.
   */
  readonly owners: Readonly<Record<string, string>>;
  /** The user or message that a context menu command was used on. */
  readonly targetId: string | null;
  /** Title of its messages: the full command name; null for components and modals. */
  readonly commandName: string | null;
  /** The message whose component was used, or whose component opened the modal. */
  readonly sourceMessageId: string | null;
  /** For a modal submission: the interaction that opened the modal. */
  readonly triggeredBy: string | null;
  answer: AnswerKind | null;
  /** True if no answer came in time. */
  failed: boolean;
  originalMessageId: string | null;
  /** Follow-ups posted so far. */
  followUps: number;
}
