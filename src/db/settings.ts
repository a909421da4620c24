import type { SettingName, SettingScope, Settings, Where } from "../core/settings.js";

/** A setting and who set it, as admins see it in a list. */
export interface StoredSetting {
  readonly name: SettingName;
  readonly value: unknown;
  readonly changedBy: string;
  readonly changedAt: number;
}

/**
 * Settings of servers, channels and users. Callers check values before they write them. A read is cheap
 * enough for every command. All methods throw QueueError when the database fails.
 */
export interface StoredSettings {
  list(scope: SettingScope, id: string): Promise<StoredSetting[]>;
  of(scope: SettingScope, id: string): Promise<Settings>;
  /** The settings in force in a channel: its own, and those of its server where it has none. */
  resolve(where: Where): Promise<Settings>;
  /** What each server has set it to; those that have not are left out. */
  ofServers<N extends SettingName>(name: N): Promise<ReadonlyMap<string, NonNullable<Settings[N]>>>;
  set<N extends SettingName>(
    scope: SettingScope,
    id: string,
    name: N,
    value: NonNullable<Settings[N]>,
    by: string,
  ): Promise<void>;
  /** False if it was not set. */
  reset(scope: SettingScope, id: string, name: SettingName): Promise<boolean>;
  /** Deletes what a user set for themselves. */
  erase(userId: string): Promise<void>;
}
