import {
  type ApiAttachment,
  type ApiComponent,
  type ApiEmbed,
  type ApiEmbedMedia,
  type ApiMedia,
  type ApiMessage,
  type ApiUser,
  ChannelType,
  ComponentType,
  InteractionContext,
  InteractionType,
} from "../protocol/types.js";
import { Permission } from "./permissions.js";
import type {
  AttachmentRecord,
  ChannelRecord,
  GuildRecord,
  InteractionRecord,
  MemberRecord,
  MessageRecord,
  RoleRecord,
  UserRecord,
} from "./records.js";
import type { DiscordState } from "./state.js";

/**
 * Turns records into the JSON that Discord sends: the only place that builds REST answers and events.
 */

const iso = (ms: number): string => new Date(ms).toISOString().replace("Z", "000+00:00");
const IS_SPOILER = 1 << 3;

export function userView(user: UserRecord): ApiUser {
  return {
    id: user.id,
    username: user.username,
    global_name: user.globalName,
    avatar: null,
    // Bots still have a discriminator; people lost theirs in 2023.
    discriminator: user.bot ? "0001" : "0",
    public_flags: 0,
    flags: 0,
    ...(user.bot ? { bot: true } : {}),
    primary_guild: null,
  };
}

export function roleView(role: RoleRecord, guildId: string): Record<string, unknown> {
  return {
    id: role.id,
    name: role.name,
    description: null,
    permissions: role.permissions.toString(),
    position: role.position,
    color: role.color,
    colors: { primary_color: role.color, secondary_color: null, tertiary_color: null },
    hoist: false,
    managed: role.botId !== null,
    mentionable: role.mentionable,
    icon: null,
    unicode_emoji: null,
    flags: 0,
    ...(role.botId === null || role.id === guildId ? {} : { tags: { bot_id: role.botId } }),
  };
}

export function memberView(state: DiscordState, member: MemberRecord): Record<string, unknown> {
  const user = state.users.get(member.userId);
  return {
    ...(user === undefined ? {} : { user: userView(user) }),
    ...memberCore(member),
  };
}

function memberCore(member: MemberRecord): Record<string, unknown> {
  return {
    avatar: null,
    banner: null,
    communication_disabled_until: null,
    flags: 0,
    joined_at: iso(member.joinedAt),
    nick: null,
    pending: false,
    premium_since: null,
    roles: [...member.roleIds],
    mute: false,
    deaf: false,
  };
}

/** @param viewerId in a direct message, the user who looks at it; the bot by default */
export function channelView(
  state: DiscordState,
  channel: ChannelRecord,
  viewerId = state.bot.id,
): Record<string, unknown> {
  if (channel.type === ChannelType.dm) {
    const recipients = channel.participants.filter((id) => id !== viewerId);
    return {
      id: channel.id,
      type: channel.type,
      last_message_id: channel.lastMessageId,
      flags: 0,
      recipients: recipients.flatMap((id) => userView(state.users.get(id)!)),
    };
  }
  return {
    id: channel.id,
    type: channel.type,
    guild_id: channel.guildId,
    name: channel.name,
    topic: channel.topic,
    position: channel.position,
    nsfw: channel.nsfw,
    parent_id: channel.parentId,
    last_message_id: channel.lastMessageId,
    rate_limit_per_user: 0,
    flags: 0,
    permission_overwrites: channel.overwrites.map((overwrite) => ({
      id: overwrite.id,
      type: overwrite.type,
      allow: overwrite.allow.toString(),
      deny: overwrite.deny.toString(),
    })),
  };
}

export function guildView(guild: GuildRecord): Record<string, unknown> {
  return {
    id: guild.id,
    name: guild.name,
    icon: null,
    description: null,
    home_header: null,
    splash: null,
    discovery_splash: null,
    features: [],
    banner: null,
    owner_id: guild.ownerId,
    application_id: null,
    region: "deprecated",
    afk_channel_id: null,
    afk_timeout: 300,
    system_channel_id: null,
    system_channel_flags: 0,
    widget_enabled: false,
    widget_channel_id: null,
    verification_level: 0,
    roles: [...guild.roles.values()].map((role) => roleView(role, guild.id)),
    default_message_notifications: 0,
    mfa_level: 0,
    explicit_content_filter: 0,
    max_presences: null,
    max_members: 500_000,
    max_stage_video_channel_users: 50,
    max_video_channel_users: 25,
    vanity_url_code: null,
    premium_tier: 0,
    premium_subscription_count: 0,
    preferred_locale: guild.locale,
    rules_channel_id: null,
    safety_alerts_channel_id: null,
    public_updates_channel_id: null,
    premium_progress_bar_enabled: false,
    nsfw: false,
    nsfw_level: 0,
    emojis: [],
    stickers: [],
    incidents_data: null,
  };
}

/** The extra fields of GUILD_CREATE: what a bot learns about a guild when it connects. */
export function guildCreateView(state: DiscordState, guild: GuildRecord): Record<string, unknown> {
  const channels = guild.channelIds.flatMap((id) => state.channels.get(id) ?? []);
  const botMember = guild.members.get(state.bot.id);
  return {
    ...guildView(guild),
    joined_at: iso(botMember?.joinedAt ?? state.clock.now()),
    large: false,
    unavailable: false,
    member_count: guild.members.size,
    voice_states: [],
    members: botMember === undefined ? [] : [memberView(state, botMember)],
    channels: channels.map((channel) => channelView(state, channel)),
    threads: [],
    presences: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}

export function attachmentView(state: DiscordState, record: AttachmentRecord): ApiAttachment {
  const url = state.cdn.sign(record);
  return {
    id: record.id,
    filename: record.filename,
    ...(record.title === null ? {} : { title: record.title }),
    ...(record.description === null ? {} : { description: record.description }),
    ...(record.contentType === null ? {} : { content_type: record.contentType }),
    size: record.bytes,
    url,
    proxy_url: url,
    ...(record.width === null || record.height === null
      ? {}
      : { width: record.width, height: record.height }),
    ...(record.ephemeral ? { ephemeral: true } : {}),
    ...(record.spoiler ? { flags: IS_SPOILER } : {}),
  };
}

/** Finds the attachment that an embed or component shows: `attachment://name`, or a CDN URL from earlier. */
function referenced(state: DiscordState, message: MessageRecord, url: string): AttachmentRecord | undefined {
  if (url.startsWith("attachment://")) {
    const name = url.slice("attachment://".length);
    return message.attachments.find(
      (attachment) => attachment.filename === name || attachment.title === name,
    );
  }
  return state.cdn.fromUrl(url);
}

function embedView(
  state: DiscordState,
  message: MessageRecord,
  embed: ApiEmbed,
  used: Set<string>,
): ApiEmbed {
  const media = (source: ApiEmbedMedia): ApiEmbedMedia => {
    const record = referenced(state, message, source.url);
    if (record === undefined) return source;
    used.add(record.id);
    const url = state.cdn.sign(record);
    return {
      url,
      proxy_url: url,
      ...(record.width === null || record.height === null
        ? {}
        : { width: record.width, height: record.height }),
    };
  };
  const icon = (url: string): string => media({ url }).url;
  return {
    ...embed,
    ...(embed.image === undefined ? {} : { image: media(embed.image) }),
    ...(embed.thumbnail === undefined ? {} : { thumbnail: media(embed.thumbnail) }),
    ...(embed.author?.icon_url === undefined
      ? {}
      : { author: { ...embed.author, icon_url: icon(embed.author.icon_url) } }),
    ...(embed.footer?.icon_url === undefined
      ? {}
      : { footer: { ...embed.footer, icon_url: icon(embed.footer.icon_url) } }),
  };
}

function componentView(state: DiscordState, message: MessageRecord, component: ApiComponent): ApiComponent {
  const media = (source: ApiMedia): ApiMedia => {
    const record = referenced(state, message, source.url);
    // Pictures from elsewhere are not fetched; any id will do.
    if (record === undefined) return { ...source, id: message.id, proxy_url: source.url };
    const { url, proxy_url, width, height, content_type, id } = attachmentView(state, record);
    return {
      id,
      url,
      proxy_url,
      ...(width === undefined || height === undefined ? {} : { width, height }),
      ...(content_type === undefined ? {} : { content_type }),
      attachment_id: id,
    };
  };
  const described = <T extends { description?: string | null; spoiler?: boolean }>(it: T) => ({
    ...it,
    description: it.description ?? null,
    spoiler: it.spoiler ?? false,
  });
  const view: ApiComponent =
    component.type === ComponentType.thumbnail ? described(component) : { ...component };
  if (component.type === ComponentType.container) view.accent_color = component.accent_color ?? null;
  if (component.media !== undefined) view.media = media(component.media);
  if (component.file !== undefined) {
    const record = referenced(state, message, component.file.url);
    Object.assign(view, {
      file: media(component.file),
      name: record?.filename ?? null,
      size: record?.bytes ?? null,
    });
  }
  if (component.items !== undefined) {
    view.items = component.items.map((item) => described({ ...item, media: media(item.media) }));
  }
  if (component.accessory !== undefined) view.accessory = componentView(state, message, component.accessory);
  if (component.components !== undefined) {
    view.components = component.components.map((child) => componentView(state, message, child));
  }
  return view;
}

/** A message as in REST answers; `nested` omits the message that it replies to. */
export function messageView(state: DiscordState, message: MessageRecord, nested = false): ApiMessage {
  const author = state.users.get(message.authorId) ?? state.bot;
  const byBot = author.bot;
  const used = new Set<string>();
  const embeds = message.embeds.map((embed) => embedView(state, message, embed, used));
  return {
    id: message.id,
    channel_id: message.channelId,
    type: message.type,
    author: userView(author),
    content: message.content,
    timestamp: iso(message.createdAt),
    edited_timestamp: message.editedAt === null ? null : iso(message.editedAt),
    tts: message.tts,
    pinned: false,
    mention_everyone: message.mentions.everyone,
    mentions: message.mentions.users.flatMap((id) => {
      const user = state.users.get(id);
      return user === undefined ? [] : [userView(user)];
    }),
    mention_roles: [...message.mentions.roles],
    // Files that an embed shows are not listed again.
    attachments: message.attachments
      .filter((attachment) => !used.has(attachment.id))
      .map((attachment) => attachmentView(state, attachment)),
    embeds,
    components: message.components.map((component) => componentView(state, message, component)),
    flags: message.flags,
    ...((message.reactions?.length ?? 0) === 0 ? {} : { reactions: reactionViews(state, message) }),
    ...(message.nonce === null ? {} : { nonce: message.nonce }),
    ...(byBot ? { application_id: state.applicationId } : {}),
    ...(message.interactionId === null ? {} : { webhook_id: state.applicationId }),
    ...referenceView(state, message, nested),
    ...metadataView(state, message),
  };
}

const reactionViews = ({ bot }: DiscordState, { reactions = [] }: MessageRecord) =>
  reactions.map(({ emoji, userIds }) => ({
    count: userIds.length,
    count_details: { burst: 0, normal: userIds.length },
    me: userIds.includes(bot.id),
    me_burst: false,
    burst_colors: [],
    emoji: { id: null, name: emoji },
  }));

/** MESSAGE_REACTION_ADD and MESSAGE_REACTION_REMOVE. */
export function reactionEventView(
  state: DiscordState,
  message: MessageRecord,
  userId: string,
  emoji: string,
  isAdded: boolean,
): Record<string, unknown> {
  const member =
    message.guildId === null ? undefined : state.guilds.get(message.guildId)?.members.get(userId);
  return {
    user_id: userId,
    channel_id: message.channelId,
    message_id: message.id,
    ...(message.guildId === null ? {} : { guild_id: message.guildId }),
    ...(isAdded && member !== undefined ? { member: memberView(state, member) } : {}),
    ...(isAdded ? { message_author_id: message.authorId } : {}),
    emoji: { id: null, name: emoji },
    burst: false,
    type: 0,
  };
}

function referenceView(state: DiscordState, message: MessageRecord, nested: boolean): Partial<ApiMessage> {
  if (message.replyTo === null) return {};
  const target = state.messages.get(message.replyTo);
  return {
    message_reference: {
      type: 0,
      channel_id: message.channelId,
      message_id: message.replyTo,
      ...(message.guildId === null ? {} : { guild_id: message.guildId }),
    },
    ...(nested ? {} : { referenced_message: target === undefined ? null : messageView(state, target, true) }),
  };
}

function metadataView(state: DiscordState, message: MessageRecord): Partial<ApiMessage> {
  const interaction =
    message.interactionId === null ? undefined : state.interactions.get(message.interactionId);
  const user = interaction === undefined ? undefined : state.users.get(interaction.userId);
  if (interaction === undefined || user === undefined) return {};
  return {
    interaction_metadata: {
      ...interactionMetadata(state, interaction, user),
      ...(interaction.originalMessageId === null || interaction.originalMessageId === message.id
        ? {}
        : { original_response_message_id: interaction.originalMessageId }),
    },
    ...(interaction.commandName === null
      ? {}
      : {
          interaction: {
            id: interaction.id,
            type: interaction.type,
            name: interaction.commandName,
            user: userView(user),
          },
        }),
  };
}

function interactionMetadata(
  state: DiscordState,
  interaction: InteractionRecord,
  user: UserRecord,
): NonNullable<ApiMessage["interaction_metadata"]> {
  const trigger =
    interaction.triggeredBy === null ? undefined : state.interactions.get(interaction.triggeredBy);
  return {
    id: interaction.id,
    type: interaction.type,
    user: userView(user),
    authorizing_integration_owners: interaction.owners,
    ...targetView(state, interaction),
    ...(interaction.type === InteractionType.component && interaction.sourceMessageId !== null
      ? { interacted_message_id: interaction.sourceMessageId }
      : {}),
    ...(interaction.type === InteractionType.modalSubmit && trigger !== undefined
      ? { triggering_interaction_metadata: interactionMetadata(state, trigger, user) }
      : {}),
  };
}

/** The target of a context menu command. */
function targetView(state: DiscordState, interaction: InteractionRecord): Record<string, unknown> {
  if (interaction.targetId === null) return {};
  const user = state.users.get(interaction.targetId);
  return user === undefined ? { target_message_id: interaction.targetId } : { target_user: userView(user) };
}

/** A message as in MESSAGE_CREATE and MESSAGE_UPDATE, with the guild and the author's membership. */
export function messageEventView(state: DiscordState, message: MessageRecord): Record<string, unknown> {
  const member =
    message.guildId === null ? undefined : state.guilds.get(message.guildId)?.members.get(message.authorId);
  return {
    ...messageView(state, message),
    channel_type: state.channels.get(message.channelId)?.type ?? ChannelType.text,
    ...(message.guildId === null ? {} : { guild_id: message.guildId }),
    ...(member === undefined ? {} : { member: memberCore(member) }),
  };
}

/** INTERACTION_CREATE. */
export function interactionView(
  state: DiscordState,
  interaction: InteractionRecord,
): Record<string, unknown> {
  const channel = state.channels.get(interaction.channelId)!;
  const guild = state.guildOf(channel);
  const user = state.users.get(interaction.userId)!;
  const member = guild?.members.get(user.id);
  const source =
    interaction.sourceMessageId === null ? undefined : state.messages.get(interaction.sourceMessageId);
  return {
    id: interaction.id,
    application_id: state.applicationId,
    type: interaction.type,
    token: interaction.token,
    version: 1,
    data: interaction.data,
    channel_id: channel.id,
    channel: channelView(state, channel),
    ...(guild === null || member === undefined
      ? { user: userView(user) }
      : {
          guild_id: guild.id,
          guild: { id: guild.id, locale: guild.locale, features: [] },
          guild_locale: guild.locale,
          member: {
            ...memberView(state, member),
            permissions: state.permissions(channel, user.id).toString(),
          },
        }),
    ...(source === undefined ? {} : { message: messageEventView(state, source) }),
    // SEND_MESSAGES doesn't restrict a bot's answers to interactions; the field still states the real
    // permissions.
    app_permissions: appPermissions(state, channel, user.id).toString(),
    locale: user.locale,
    entitlements: [],
    entitlement_sku_ids: [],
    authorizing_integration_owners: interaction.owners,
    context: contextOf(state, channel),
    attachment_size_limit: state.limits.attachmentBytes,
  };
}

/** Whether a channel belongs to a guild, is the bot's direct message, or one between people. */
export function contextOf(state: DiscordState, channel: ChannelRecord): number {
  if (channel.guildId !== null) return InteractionContext.guild;
  return channel.participants.includes(state.bot.id)
    ? InteractionContext.botDirect
    : InteractionContext.privateChannel;
}

function appPermissions(state: DiscordState, channel: ChannelRecord, userId: string): bigint {
  const answering = Permission.attachFiles | Permission.embedLinks | Permission.mentionEveryone;
  if (channel.guildId === null) return answering;
  const member = state.guildOf(channel)?.members.has(state.bot.id) === true;
  // Where the bot is not a member, it has its user's permissions.
  return member
    ? state.permissions(channel, state.bot.id)
    : state.permissions(channel, userId) & (answering | Permission.useExternalEmojis);
}
