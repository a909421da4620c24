import { DiscordError } from "../../../core/errors.js";
import type { Settings, Treatment, Where } from "../../../core/settings.js";
import type { StoredSettings } from "../../../db/settings.js";
import type { DiscordApi } from "../../discord/messenger.js";

/** The facts about a message's readers that decide what it may show. Known only when it is posted. */
export interface Audience {
  /** The channel is age-restricted, or the thread's channel is. A direct message is not. */
  readonly ageRestricted: boolean;
  readonly settings: Settings;
  /** The program's own rule for pictures that no safety checker has seen, outside age-restricted channels. */
  readonly unchecked: Treatment;
}

/** For messages that are the same for every audience. */
export const ANYBODY: Audience = { ageRestricted: false, settings: {}, unchecked: "withhold" };

export interface AudienceOptions {
  readonly api: DiscordApi;
  readonly settings: StoredSettings;
  readonly unchecked: Treatment;
}

/**
 * Tells the audience of a channel. Asks Discord each time, since a channel may have changed since the command.
 * Throws DiscordError DISCORD_UNREACHABLE where Discord does not answer.
 */
export function audienceReader({ api, settings: stored, unchecked }: AudienceOptions) {
  return async (where: Where): Promise<Audience> => {
    const settings = await stored.resolve(where);
    if (where.guildId === null || where.channelId === null)
      return { ageRestricted: false, settings, unchecked };
    try {
      return { ageRestricted: await api.isAgeRestricted(where.channelId), settings, unchecked };
    } catch (cause) {
      throw new DiscordError("DISCORD_UNREACHABLE", "Discord did not say what the channel is.", { cause });
    }
  };
}
