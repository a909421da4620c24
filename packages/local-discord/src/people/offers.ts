import { CommandType, IntegrationType, InteractionContext } from "../protocol/types.js";
import { guildPermissions, Permission } from "../world/permissions.js";
import type { ChannelRecord, CommandRecord, UserRecord } from "../world/records.js";
import type { DiscordState } from "../world/state.js";
import { contextOf } from "../world/views.js";
import { allowedByDefault } from "./options.js";

/**
 * Commands of one type offered to a user in a channel, by name; a guild's own takes precedence over a global
 * one of the same name. A command is offered because the guild or the user installed the app.
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
      // Default permissions are set by the guild and don't apply to a user's own installation.
      if (guild === null || !(String(IntegrationType.guild) in owners)) return true;
      return allowedByDefault(inGuild | permissions, command.default_member_permissions);
    })
    .sort(
      (a, b) =>
        a.name.localeCompare(b.name) || Number(b.guild_id !== undefined) - Number(a.guild_id !== undefined),
    );
}

/**
 * The installations that let a user use a command in a channel, as in `authorizing_integration_owners`; null
 * if there are none.
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
