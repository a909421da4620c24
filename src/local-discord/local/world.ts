import { Permission } from "../permissions.js";
import type { ChannelRecord, UserRecord } from "../records.js";
import type { DiscordState } from "../state.js";
import type { Transcript } from "../transcript.js";
import type { Invoker } from "./invoker.js";
import { InvocationError } from "./options.js";

/** What the user's side works with. */
export class LocalWorld {
  constructor(
    readonly state: DiscordState,
    readonly invoker: Invoker,
    readonly transcript: Transcript,
  ) {}

  /** A person by name or id. @throws InvocationError */
  user(nameOrId: string): UserRecord {
    const user = [...this.state.users.values()].find(
      (it) => !it.bot && (it.id === nameOrId || it.username === nameOrId),
    );
    if (user === undefined) throw new InvocationError(`There is no user "${nameOrId}"`);
    return user;
  }

  /** A channel that the user sees, by name or id; "dm" is the one with the bot. @throws InvocationError */
  channel(user: UserRecord, nameOrId = "general"): ChannelRecord {
    if (nameOrId === "dm") return this.state.directMessage(user);
    for (const channel of this.state.channels.values()) {
      const named = channel.id === nameOrId || (channel.guildId !== null && channel.name === nameOrId);
      if (named && (this.state.permissions(channel, user.id) & Permission.viewChannel) !== 0n) return channel;
    }
    throw new InvocationError(`${user.username} sees no channel "${nameOrId}"`);
  }

  /** Resolves as soon as `look` finds something, looking again after every event. */
  until<T>(look: () => T | undefined, what: string, timeoutMs: number): Promise<T> {
    const now = look();
    if (now !== undefined) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      const stop = () => {
        unsubscribe();
        clearTimeout(timer);
      };
      const unsubscribe = this.state.subscribe(() => {
        try {
          const found = look();
          if (found === undefined) return;
          stop();
          resolve(found);
        } catch (error) {
          stop();
          reject(error);
        }
      });
      const timer = setTimeout(() => {
        stop();
        reject(
          new Error(`Waited ${timeoutMs} ms for ${what}. Last calls and events:\n${this.transcript.tail()}`),
        );
      }, timeoutMs);
    });
  }
}
