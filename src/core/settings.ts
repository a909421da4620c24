import type { PictureSize, PromptMode, SchedulerName, SearchMode, Speed } from "./options.js";

/** How a picture is posted: shown, hidden behind a click, or not at all. From least to most strict. */
export const TREATMENTS = ["show", "spoiler", "withhold"] as const;
export type Treatment = (typeof TREATMENTS)[number];

/**
 * What a community decides for its server or one of its channels. Every field is optional: a channel falls
 * back to its server, and a server to the program's configuration.
 */
export interface Settings {
  /** Defaults for the commands' options. */
  readonly steps?: number;
  readonly guidance?: number;
  readonly scheduler?: SchedulerName;
  readonly size?: PictureSize;
  readonly negative?: string;
  readonly prompts?: PromptMode;
  readonly mode?: SearchMode;
  /** By name (core/rewriters.ts). */
  readonly rewriter?: string;
  /** Who writes the other side of a pair, in place of the prompt as written. */
  readonly against?: string;
  /** The default model; one that is not offered any more counts for the configured one. */
  readonly model?: string;
  /** The models and LoRAs that may be used; unset: all. Those with an 18+ mark are for age-restricted channels. */
  readonly models?: readonly string[];
  readonly loras?: readonly string[];
  readonly adultModels?: readonly string[];
  /** What enlarges pictures, by name; one that is not here any more counts for the usual one. */
  readonly upscaler?: string;
  /** The name of a style; one that is not there any more counts for none. */
  readonly style?: string;
  /** `steps`, `guidance` and `scheduler` beside it count for this speed alone. */
  readonly speed?: Speed;
  /** Upper limits, at most those of the configuration. */
  readonly maxSteps?: number;
  readonly maxBatch?: number;
  readonly maxPairs?: number;
  readonly maxCells?: number;
  /**
   * Ids of roles that may use the commands, and of roles that may manage jobs and settings. Unset: Discord
   * decides.
   */
  readonly useRoles?: readonly string[];
  readonly manageRoles?: readonly string[];
  /** `/compare` hides which picture is which until people have voted, or until `revealMinutes` are over. */
  readonly blind?: boolean;
  readonly revealMinutes?: number;
  /** Whether anyone may press buttons that draw something new; only the requester may cancel and delete. */
  readonly strangers?: boolean;
  readonly spoiler?: boolean;
  /** The channel of the server where favourites are posted. */
  readonly gallery?: string;
  /** The emoji below a result that puts it there; `off`: none does. */
  readonly reaction?: string;
  /** Added to the negative prompt of every job. */
  readonly alwaysNegative?: string;
  /**
   * How to post pictures that the safety checker flagged, in age-restricted channels; elsewhere they are
   * withheld.
   */
  readonly flagged?: Treatment;
  /**
   * How to post pictures that no safety checker saw; outside age-restricted channels this can only be
   * stricter.
   */
  readonly unchecked?: Treatment;
  /** Prompts that contain one of these words are refused. */
  readonly refusedWords?: readonly string[];
  /**
   * Whether to mention the requester when a slow result is ready. The person's own choice takes precedence.
   */
  readonly ping?: boolean;
  /** Whether rewrites are chosen by what the server likes. */
  readonly taste?: boolean;
  /** Whether to show previews. */
  readonly preview?: boolean;
  /**
   * Jobs in line at once, per person here, per channel and per server; further jobs wait outside the line.
   */
  readonly userLimit?: number;
  readonly channelLimit?: number;
  readonly serverLimit?: number;
  /** Minutes of the card a day, per person here and for the whole server, and roles that are free of both. */
  readonly userMinutes?: number;
  readonly serverMinutes?: number;
  readonly freeRoles?: readonly string[];
  /** Open jobs per person here, per channel and per server; further ones are refused. */
  readonly userCap?: number;
  readonly channelCap?: number;
  readonly serverCap?: number;
}

/** A server's settings under a channel's: a speed of the channel's replaces what the server says of one. */
export function underChannel(server: Settings, channel: Settings): Settings {
  if (channel.speed === undefined) return { ...server, ...channel };
  const { steps: _, guidance: __, scheduler: ___, ...others } = server;
  return { ...others, ...channel };
}

/** A channel of a server, or a direct message. */
export interface Where {
  readonly guildId: string | null;
  readonly channelId: string | null;
}

export type SettingName = keyof Settings;
export type SettingScope = "server" | "channel" | "user";
