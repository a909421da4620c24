import { Permission } from "../world/permissions.js";
import type { ChannelRecord, UserRecord } from "../world/records.js";
import type { DiscordState } from "../world/state.js";
import type { Invoker } from "./invoker.js";
import { InvocationError } from "./options.js";

/** Looks up the people of the world and the channels they see, for `invoker`. */
export class People {
  constructor(
    readonly state: DiscordState,
    readonly invoker: Invoker,
  ) {}

  /** A person by name or id. @throws InvocationError */
  user(nameOrId: string): UserRecord {
    const user = [...this.state.users.values()].find(
      (it) => !it.bot && (it.id === nameOrId || it.username === nameOrId),
    );
    if (user === undefined) throw new InvocationError(`There is no user "${nameOrId}"`);
    return user;
  }

  /**
   * A channel visible to the user, by name or id; "dm" is the direct message with the bot. @throws
   * InvocationError
   */
  channel(user: UserRecord, nameOrId = "general"): ChannelRecord {
    if (nameOrId === "dm") return this.state.directMessage(user);
    for (const channel of this.state.channels.values()) {
      const named = channel.id === nameOrId || (channel.guildId !== null && channel.name === nameOrId);
      if (named && (this.state.permissions(channel, user.id) & Permission.viewChannel) !== 0n) return channel;
    }
    throw new InvocationError(`${user.username} sees no channel "${nameOrId}"`);
  }
}
