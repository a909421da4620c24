import { ChannelType } from "../protocol/types.js";
import type { ChannelRecord, GuildRecord } from "./records.js";

/** Permission bits used here (topics/permissions). */
export const Permission = {
  administrator: 1n << 3n,
  manageGuild: 1n << 5n,
  addReactions: 1n << 6n,
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  manageMessages: 1n << 13n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readMessageHistory: 1n << 16n,
  mentionEveryone: 1n << 17n,
  useExternalEmojis: 1n << 18n,
  useApplicationCommands: 1n << 31n,
  sendMessagesInThreads: 1n << 38n,
  useExternalApps: 1n << 50n,
} as const;

export const ALL_PERMISSIONS = (1n << 53n) - 1n;

/** Permissions of everyone in a new guild's channels. */
export const EVERYONE_DEFAULT =
  Permission.addReactions |
  Permission.viewChannel |
  Permission.sendMessages |
  Permission.embedLinks |
  Permission.attachFiles |
  Permission.readMessageHistory |
  Permission.useExternalEmojis |
  Permission.useApplicationCommands |
  Permission.sendMessagesInThreads |
  Permission.useExternalApps;

/** Permissions of both sides in a direct message with the bot, where roles don't exist. */
const DIRECT_MESSAGE = EVERYONE_DEFAULT | Permission.mentionEveryone;

/**
 * A member's guild-wide permissions: the union of its roles, or everything for the owner and administrators.
 */
export function guildPermissions(guild: GuildRecord, userId: string): bigint {
  const member = guild.members.get(userId);
  if (member === undefined) return 0n;
  if (guild.ownerId === userId) return ALL_PERMISSIONS;
  let bits = guild.roles.get(guild.id)?.permissions ?? 0n;
  for (const roleId of member.roleIds) bits |= guild.roles.get(roleId)?.permissions ?? 0n;
  return (bits & Permission.administrator) !== 0n ? ALL_PERMISSIONS : bits;
}

/**
 * The permissions of a user in a channel, in the order of the documentation: base, @everyone overwrite,
 * role overwrites together, member overwrite; without VIEW_CHANNEL nothing is left.
 * @param guild the channel's guild, or null for a direct message
 * @param parent the channel that a thread belongs to; threads inherit its overwrites
 */
export function channelPermissions(
  guild: GuildRecord | null,
  channel: ChannelRecord,
  userId: string,
  parent?: ChannelRecord,
): bigint {
  if (guild === null) return channel.type === ChannelType.dm ? DIRECT_MESSAGE : 0n;
  const base = guildPermissions(guild, userId);
  if (base === ALL_PERMISSIONS) return base;
  const member = guild.members.get(userId);
  if (member === undefined) return 0n;
  const overwrites = (parent ?? channel).overwrites;
  let bits = base;
  const everyone = overwrites.find((overwrite) => overwrite.id === guild.id);
  if (everyone !== undefined) bits = (bits & ~everyone.deny) | everyone.allow;
  let allow = 0n;
  let deny = 0n;
  for (const overwrite of overwrites) {
    if (overwrite.type !== 0 || !member.roleIds.includes(overwrite.id)) continue;
    allow |= overwrite.allow;
    deny |= overwrite.deny;
  }
  bits = (bits & ~deny) | allow;
  const own = overwrites.find((overwrite) => overwrite.type === 1 && overwrite.id === userId);
  if (own !== undefined) bits = (bits & ~own.deny) | own.allow;
  return (bits & Permission.viewChannel) === 0n ? 0n : bits;
}

/** The permission required to post; threads have their own. */
export function sendPermission(channel: ChannelRecord): bigint {
  return channel.type === ChannelType.publicThread
    ? Permission.sendMessagesInThreads
    : Permission.sendMessages;
}
