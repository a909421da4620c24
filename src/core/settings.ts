import type { PictureSize, SchedulerName, SearchMode } from "./options.js";

/** What becomes of a picture in a message: shown, hidden behind a click, or not posted. In order of strictness. */
export const TREATMENTS = ["show", "spoiler", "withhold"] as const;
export type Treatment = (typeof TREATMENTS)[number];

/**
 * What a community decides about its server or one of its channels. All are optional: a channel falls back to its
 * server, a server to the program's own configuration.
 */
export interface Settings {
  /** Defaults of the commands' options. */
  readonly steps?: number;
  readonly guidance?: number;
  readonly scheduler?: SchedulerName;
  readonly size?: PictureSize;
  readonly negative?: string;
  readonly mode?: SearchMode;
  /** Caps below those of the program. */
  readonly maxSteps?: number;
  readonly maxBatch?: number;
  readonly maxPairs?: number;
  /** Ids of the roles that may use the commands, and those that may manage jobs and settings. None: as Discord says. */
  readonly useRoles?: readonly string[];
  readonly manageRoles?: readonly string[];
  /** `/compare` hides which picture is which until people have voted, and for how many minutes at most. */
  readonly blind?: boolean;
  readonly revealMinutes?: number;
  /** Whether anyone may press the buttons that draw something new; cancelling and deleting stay the requester's. */
  readonly strangers?: boolean;
  readonly spoiler?: boolean;
  /** Added to the negative prompt of every job. */
  readonly alwaysNegative?: string;
  /** What becomes of pictures that the safety checker flagged, in age-restricted channels; elsewhere they are withheld. */
  readonly flagged?: Treatment;
  /** What becomes of pictures that no safety checker has seen; outside age-restricted channels it can only be stricter. */
  readonly unchecked?: Treatment;
  /** A prompt that has one of these words is refused. */
  readonly refusedWords?: readonly string[];
  /** Whether a person is called when a result that took long is there. A person's own choice goes first. */
  readonly ping?: boolean;
  /** Whether a picture is shown as it forms. */
  readonly preview?: boolean;
  /** Jobs of one person here, of the channel and of the server that stand in line at once; further ones wait outside. */
  readonly userLimit?: number;
  readonly channelLimit?: number;
  readonly serverLimit?: number;
  /** Open jobs of one person here, of the channel and of the server after which further ones are refused. */
  readonly userCap?: number;
  readonly channelCap?: number;
  readonly serverCap?: number;
}

/** Where something happens: in a channel of a server, or in a direct message. */
export interface Where {
  readonly guildId: string | null;
  readonly channelId: string | null;
}

export type SettingName = keyof Settings;
export type SettingScope = "server" | "channel" | "user";
