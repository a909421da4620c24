import { CommandType, IntegrationType, InteractionContext } from "../protocol/types.js";
import { guildPermissions, Permission } from "../world/permissions.js";
import type { ChannelRecord, CommandRecord, UserRecord } from "../world/records.js";
import type { DiscordState } from "../world/state.js";
import { contextOf } from "../world/views.js";
import { allowedByDefault } from "./options.js";

/**
 * The commands of one type that a user is offered in a channel, by name; a guild's own before a global one of
 * the same name. A command is there because the app is in the guild, or because the user added it to their
 * account.
 */
export function offeredCommands(
  state: DiscordState,
  user: UserRecord,
  channel: ChannelRecord,
  type: number = CommandType.chatInput,
): CommandRecord[] {
  const guild = state.guildOf(channel);
  const permissions = state.permissions(channel, user.id);
  if ((permissions & Permission.useApplicationCommands) === 0n) return [];
  const inGuild = guild === null ? 0n : guildPermissions(guild, user.id);
  return [...state.commands.values()]
    .filter((command) => {
      if (command.type !== type) return false;
      if (command.nsfw && !channel.nsfw && guild !== null) return false;
      const owners = ownersOf(state, user, channel, command);
      if (owners === null) return false;
      // What a member may use by default is the guild's business, not that of a user's own installation.
      if (guild === null || !(String(IntegrationType.guild) in owners)) return true;
      return allowedByDefault(inGuild | permissions, command.default_member_permissions);
    })
    .sort(
      (a, b) =>
        a.name.localeCompare(b.name) || Number(b.guild_id !== undefined) - Number(a.guild_id !== undefined),
    );
}

/**
 * Which installations let a user use a command in a channel, as `authorizing_integration_owners` says it;
 * null where none does.
 */
export function ownersOf(
  state: DiscordState,
  user: UserRecord,
  channel: ChannelRecord,
  command: CommandRecord,
): Record<string, string> | null {
  const context = contextOf(state, channel);
  const guild = state.guildOf(channel);
  const botIsHere = context === InteractionContext.botDirect || guild?.members.has(state.bot.id) === true;
  if (command.guild_id !== undefined) {
    return botIsHere && command.guild_id === channel.guildId ? { "0": command.guild_id } : null;
  }
  const contexts = command.contexts ?? defaultContexts(command);
  if (!contexts.includes(context)) return null;
  const types = command.integration_types ?? [IntegrationType.guild];
  const owners: Record<string, string> = {};
  if (types.includes(IntegrationType.guild) && botIsHere) owners["0"] = channel.guildId ?? "0";
  if (types.includes(IntegrationType.user) && state.installs.has(user.id)) owners["1"] = user.id;
  return Object.keys(owners).length === 0 ? null : owners;
}

function defaultContexts(command: CommandRecord): readonly number[] {
  return command.dm_permission === false ? [InteractionContext.guild] : Object.values(InteractionContext);
}
