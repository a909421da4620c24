import type { SettingName, SettingScope, Settings, Where } from "../core/settings.js";

/** A setting with who set it, for the list that admins see. */
export interface StoredSetting {
  readonly name: SettingName;
  readonly value: unknown;
  readonly changedBy: string;
  readonly changedAt: number;
}

/**
 * Settings of servers, channels and people. Values are checked before they are written. Reads are cheap enough to be
 * made for each command. All methods throw QueueError where the database fails.
 */
export interface StoredSettings {
  list(scope: SettingScope, id: string): Promise<StoredSetting[]>;
  of(scope: SettingScope, id: string): Promise<Settings>;
  /** What holds in a channel: its own settings over those of its server. */
  resolve(where: Where): Promise<Settings>;
  set<N extends SettingName>(
    scope: SettingScope,
    id: string,
    name: N,
    value: NonNullable<Settings[N]>,
    by: string,
  ): Promise<void>;
  /** False where it was not set. */
  reset(scope: SettingScope, id: string, name: SettingName): Promise<boolean>;
  /** Forgets what a person set for themselves. */
  erase(userId: string): Promise<void>;
}
