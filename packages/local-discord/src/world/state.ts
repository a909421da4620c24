import { randomBytes } from "node:crypto";
import { type ApiModal, ChannelType } from "../protocol/types.js";
import { type Blobs, memoryBlobs } from "./blobs.js";
import { Cdn } from "./cdn.js";
import type { Clock } from "./clock.js";
import { channelPermissions, EVERYONE_DEFAULT, Permission } from "./permissions.js";
import type {
  ChannelRecord,
  CommandRecord,
  GuildRecord,
  InteractionRecord,
  MessageRecord,
  OverwriteRecord,
  UserRecord,
} from "./records.js";
import { SnowflakeFactory } from "./snowflake.js";

/** Sizes and times that the server enforces; the defaults are Discord's. */
export interface Limits {
  /** Bytes per uploaded file; sent as `attachment_size_limit`. */
  readonly attachmentBytes: number;
  /** Bytes of one request body; more answers 40005. */
  readonly requestBytes: number;
  /** Deadline for the first answer to an interaction. */
  readonly firstAnswerMs: number;
  /** Life of an interaction token after creation. */
  readonly tokenMs: number;
  /** How long a nonce is remembered. */
  readonly nonceMs: number;
  /** Life of a signed attachment URL. */
  readonly cdnUrlMs: number;
  /** Bytes of all attachments kept. */
  readonly cdnBytes: number;
  /** Messages kept per channel. */
  readonly messagesPerChannel: number;
  readonly heartbeatMs: number;
  /** How long a dropped gateway session can be resumed. */
  readonly resumeMs: number;
  /** Time in which only one IDENTIFY is accepted (`max_concurrency` 1); 0 accepts any number. */
  readonly identifyMs: number;
  /** IDENTIFYs a day; beyond that the token is reset. */
  readonly identifiesPerDay: number;
  /** Guilds of one shard that `/gateway/bot` advises, and the most: more are refused with close code 4011. */
  readonly advisedGuildsPerShard: number;
  readonly guildsPerShard: number;
  /** Requests per second over all routes; 0 turns off every rate limit. */
  readonly globalPerSecond: number;
  /** If false, privileged intents are refused with close code 4014. */
  readonly privilegedIntents: boolean;
}

export const DEFAULT_LIMITS: Limits = {
  attachmentBytes: 10 * 1024 * 1024,
  requestBytes: 25 * 1024 * 1024,
  firstAnswerMs: 3_000,
  tokenMs: 15 * 60_000,
  nonceMs: 5 * 60_000,
  cdnUrlMs: 24 * 3_600_000,
  cdnBytes: 512 * 1024 * 1024,
  messagesPerChannel: 1_000,
  heartbeatMs: 41_250,
  resumeMs: 3 * 60_000,
  identifyMs: 5_000,
  identifiesPerDay: 1_000,
  advisedGuildsPerShard: 1_000,
  guildsPerShard: 2_500,
  globalPerSecond: 50,
  privilegedIntents: true,
};

/**
 * Everything that happens. The gateway sends the bot a part of it, the event stream sends each user a part.
 */
export type StoreEvent =
  | { readonly type: "message.created"; readonly message: MessageRecord }
  | { readonly type: "message.updated"; readonly message: MessageRecord }
  | { readonly type: "message.deleted"; readonly message: MessageRecord }
  | {
      readonly type: "reaction.added" | "reaction.removed";
      readonly message: MessageRecord;
      readonly userId: string;
      readonly emoji: string;
    }
  | { readonly type: "typing"; readonly channel: ChannelRecord; readonly userId: string }
  | { readonly type: "channel.created"; readonly channel: ChannelRecord }
  | { readonly type: "interaction.created"; readonly interaction: InteractionRecord }
  | {
      readonly type: "interaction.answered";
      readonly interaction: InteractionRecord;
      readonly modal?: ApiModal;
      readonly choices?: readonly { name: string; value: string | number }[];
    }
  | { readonly type: "interaction.failed"; readonly interaction: InteractionRecord }
  | { readonly type: "commands.changed" }
  | { readonly type: "bot.presence"; readonly online: boolean };

const DAY_MS = 86_400_000;

/** All records as plain data; saved and restored across restarts. */
export interface World {
  readonly botId: string;
  readonly users: readonly UserRecord[];
  readonly guilds: readonly GuildRecord[];
  readonly channels: readonly ChannelRecord[];
  readonly messages: readonly MessageRecord[];
  readonly commands: readonly CommandRecord[];
  readonly interactions: readonly InteractionRecord[];
  readonly installs: readonly string[];
}

/**
 * The single source of truth of the local Discord. It changes only through these methods, each of which
 * notifies listeners.
 */
export class DiscordState {
  readonly ids: SnowflakeFactory;
  readonly cdn: Cdn;
  readonly users = new Map<string, UserRecord>();
  readonly guilds = new Map<string, GuildRecord>();
  readonly channels = new Map<string, ChannelRecord>();
  readonly messages = new Map<string, MessageRecord>();
  readonly commands = new Map<string, CommandRecord>();
  readonly interactions = new Map<string, InteractionRecord>();
  /** Users who added the app to their account: they can use its user commands in any channel. */
  readonly installs = new Set<string>();
  readonly applicationId: string;
  readonly bot: UserRecord;
  readonly #messagesByChannel = new Map<string, string[]>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  #botOnline = false;
  #token: string;
  #identifies: number[] = [];

  constructor(
    readonly clock: Clock,
    readonly limits: Limits,
    token: string,
    botName: string,
    blobs: Blobs = memoryBlobs(),
    earlier: World | null = null,
  ) {
    this.#token = token;
    this.ids = new SnowflakeFactory(clock);
    this.cdn = new Cdn(clock, this.ids, blobs, limits.cdnBytes, limits.cdnUrlMs);
    if (earlier !== null) this.#restore(earlier);
    // Bots created since 2016 share one id with their application.
    this.bot = this.users.get(earlier?.botId ?? "") ?? this.addUser(botName, { bot: true });
    this.applicationId = this.bot.id;
  }

  /** All records, for an archive. */
  world(): World {
    return {
      botId: this.bot.id,
      users: [...this.users.values()],
      guilds: [...this.guilds.values()],
      channels: [...this.channels.values()],
      messages: [...this.messages.values()],
      commands: [...this.commands.values()],
      interactions: [...this.interactions.values()],
      installs: [...this.installs],
    };
  }

  /** The bot's current token. */
  get token(): string {
    return this.#token;
  }

  /** How many sessions may still be started today, and when the day ends. */
  get sessionStarts(): { total: number; remaining: number; resetAfterMs: number } {
    const { identifiesPerDay: total } = this.limits;
    const now = this.clock.now();
    this.#identifies = this.#identifies.filter((at) => now - at < DAY_MS);
    const [first] = this.#identifies;
    return {
      total,
      remaining: Math.max(0, total - this.#identifies.length),
      resetAfterMs: first === undefined ? DAY_MS : DAY_MS - (now - first),
    };
  }

  /**
   * Counts one IDENTIFY. Returns "too-soon" if the last was too recent, and "reset" if the day's are used up:
   * then Discord ends all sessions and makes a new token, which the bot's owner gets by mail and a test from
   * `token`.
   */
  countIdentify(): "ok" | "too-soon" | "reset" {
    const now = this.clock.now();
    const { remaining } = this.sessionStarts;
    if (remaining === 0) {
      this.resetToken();
      return "reset";
    }
    const latest = this.#identifies.at(-1);
    if (latest !== undefined && now - latest < this.limits.identifyMs) return "too-soon";
    this.#identifies.push(now);
    return "ok";
  }

  /** Replaces the token, as in the developer portal: the old one is invalid from now on. */
  resetToken(): void {
    this.#token = `reset.${randomBytes(24).toString("base64url")}`;
  }

  get botOnline(): boolean {
    return this.#botOnline;
  }

  setBotOnline(online: boolean): void {
    if (this.#botOnline === online) return;
    this.#botOnline = online;
    this.emit({ type: "bot.presence", online });
  }

  /** Calls `listener` with every event until the returned function is called. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: StoreEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  addUser(
    username: string,
    options: { globalName?: string; bot?: boolean; locale?: string } = {},
  ): UserRecord {
    const user: UserRecord = {
      id: this.ids.next(),
      username,
      globalName: options.globalName ?? null,
      bot: options.bot ?? false,
      locale: options.locale ?? "en-US",
      acceptsDirectMessages: true,
    };
    this.users.set(user.id, user);
    return user;
  }

  /** Adds a guild with its @everyone role, the owner and, by default, the bot with a managed role. */
  addGuild(
    name: string,
    owner: UserRecord,
    { locale = "en-US", withBot = true }: { locale?: string; withBot?: boolean } = {},
  ): GuildRecord {
    const id = this.ids.next();
    const guild: GuildRecord = {
      id,
      name,
      ownerId: owner.id,
      locale,
      roles: new Map(),
      members: new Map(),
      channelIds: [],
    };
    this.guilds.set(id, guild);
    guild.roles.set(id, {
      id,
      name: "@everyone",
      permissions: EVERYONE_DEFAULT,
      color: 0,
      position: 0,
      mentionable: false,
      botId: null,
    });
    this.addMember(guild, owner);
    if (withBot) {
      const botRole = this.addRole(guild, this.bot.username, { botId: this.bot.id });
      this.addMember(guild, this.bot, [botRole]);
    }
    return guild;
  }

  /** Adds a role above the existing ones and returns its id. */
  addRole(
    guild: GuildRecord,
    name: string,
    options: { permissions?: bigint; color?: number; mentionable?: boolean; botId?: string } = {},
  ): string {
    const id = this.ids.next();
    guild.roles.set(id, {
      id,
      name,
      permissions: options.permissions ?? 0n,
      color: options.color ?? 0,
      position: guild.roles.size,
      mentionable: options.mentionable ?? false,
      botId: options.botId ?? null,
    });
    return id;
  }

  addMember(guild: GuildRecord, user: UserRecord, roleIds: string[] = []): void {
    guild.members.set(user.id, { userId: user.id, roleIds, joinedAt: this.clock.now() });
  }

  addChannel(
    guild: GuildRecord,
    name: string,
    options: { topic?: string; nsfw?: boolean; overwrites?: OverwriteRecord[] } = {},
  ): ChannelRecord {
    const channel: ChannelRecord = {
      id: this.ids.next(),
      type: ChannelType.text,
      guildId: guild.id,
      name,
      topic: options.topic ?? null,
      position: guild.channelIds.length,
      nsfw: options.nsfw ?? false,
      parentId: null,
      participants: [],
      overwrites: options.overwrites ?? [],
      lastMessageId: null,
    };
    this.channels.set(channel.id, channel);
    guild.channelIds.push(channel.id);
    return channel;
  }

  /** The direct message channel of a user with the bot; created if missing. */
  directMessage(user: UserRecord): ChannelRecord {
    return this.privateChannel(user, this.bot);
  }

  /** The direct message channel of two users; created if missing. */
  privateChannel(one: UserRecord, other: UserRecord): ChannelRecord {
    for (const channel of this.channels.values()) {
      if (channel.participants.includes(one.id) && channel.participants.includes(other.id)) return channel;
    }
    const channel: ChannelRecord = {
      id: this.ids.next(),
      type: ChannelType.dm,
      guildId: null,
      name: one.username,
      topic: null,
      position: 0,
      nsfw: false,
      parentId: null,
      participants: [one.id, other.id],
      overwrites: [],
      lastMessageId: null,
    };
    this.channels.set(channel.id, channel);
    this.emit({ type: "channel.created", channel });
    return channel;
  }

  /** The other user in a direct message with the bot; undefined elsewhere. */
  recipientOf(channel: ChannelRecord): UserRecord | undefined {
    const id = channel.participants.find((it) => it !== this.bot.id);
    return id === undefined || !channel.participants.includes(this.bot.id) ? undefined : this.users.get(id);
  }

  guildOf(channel: ChannelRecord): GuildRecord | null {
    return channel.guildId === null ? null : (this.guilds.get(channel.guildId) ?? null);
  }

  /** A user's permissions in a channel; 0 for users outside it. */
  permissions(channel: ChannelRecord, userId: string): bigint {
    if (channel.guildId === null && !channel.participants.includes(userId)) return 0n;
    const parent = channel.parentId === null ? undefined : this.channels.get(channel.parentId);
    return channelPermissions(this.guildOf(channel), channel, userId, parent);
  }

  canView(channel: ChannelRecord, userId: string): boolean {
    return (this.permissions(channel, userId) & Permission.viewChannel) !== 0n;
  }

  addMessage(message: MessageRecord): void {
    this.messages.set(message.id, message);
    const list = this.#messagesByChannel.get(message.channelId) ?? [];
    list.push(message.id);
    this.#messagesByChannel.set(message.channelId, list);
    const channel = this.channels.get(message.channelId);
    if (channel !== undefined && message.visibleTo === null) channel.lastMessageId = message.id;
    while (list.length > this.limits.messagesPerChannel) this.#drop(list.shift());
    this.emit({ type: "message.created", message });
  }

  updateMessage(message: MessageRecord): void {
    this.emit({ type: "message.updated", message });
  }

  deleteMessage(message: MessageRecord): void {
    const list = this.#messagesByChannel.get(message.channelId);
    list?.splice(list.indexOf(message.id), 1);
    this.#drop(message.id);
    this.emit({ type: "message.deleted", message });
  }

  /** Puts a user's emoji below a message, or takes it away where it is there. */
  react(message: MessageRecord, userId: string, emoji: string): void {
    const { reactions = [] } = message;
    const known = reactions.find((it) => it.emoji === emoji);
    const had = known?.userIds.includes(userId) ?? false;
    const userIds = had ? known!.userIds.filter((id) => id !== userId) : [...(known?.userIds ?? []), userId];
    message.reactions = (known === undefined ? [...reactions, { emoji, userIds }] : reactions)
      .map((it) => (it.emoji === emoji ? { emoji, userIds } : it))
      .filter((it) => it.userIds.length > 0);
    this.emit({ type: had ? "reaction.removed" : "reaction.added", message, userId, emoji });
  }

  /** The messages of a channel that a user can see, oldest first. */
  messagesIn(channelId: string, viewerId: string): MessageRecord[] {
    const seen: MessageRecord[] = [];
    for (const id of this.#messagesByChannel.get(channelId) ?? []) {
      const message = this.messages.get(id);
      if (message !== undefined && (message.visibleTo === null || message.visibleTo === viewerId)) {
        seen.push(message);
      }
    }
    return seen;
  }

  /** An unguessable token in a URL-safe alphabet. */
  newToken(): string {
    return randomBytes(48).toString("base64url");
  }

  #restore(world: World): void {
    for (const id of world.installs) this.installs.add(id);
    for (const user of world.users) this.users.set(user.id, user);
    for (const guild of world.guilds) this.guilds.set(guild.id, guild);
    for (const channel of world.channels) this.channels.set(channel.id, channel);
    for (const command of world.commands) this.commands.set(command.id, command);
    for (const interaction of world.interactions) {
      // Its deadline was lost with the earlier process.
      this.interactions.set(interaction.id, { ...interaction, failed: interaction.answer === null });
      for (const attachment of interaction.attachments) this.cdn.adopt(attachment);
    }
    for (const message of world.messages) {
      this.messages.set(message.id, message);
      const list = this.#messagesByChannel.get(message.channelId) ?? [];
      this.#messagesByChannel.set(message.channelId, [...list, message.id]);
      for (const attachment of message.attachments) this.cdn.adopt(attachment);
    }
  }

  #drop(id: string | undefined): void {
    const message = id === undefined ? undefined : this.messages.get(id);
    if (message === undefined) return;
    this.messages.delete(message.id);
    for (const attachment of message.attachments) this.cdn.remove(attachment.id);
  }
}
