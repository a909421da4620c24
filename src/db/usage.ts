import type { DayUse } from "../core/quota.js";

/** Whose use to add up: a person's, a server's, or a person's in one server; `guildId` null: in direct messages. */
export type UsageFilter =
  | { readonly userId: string; readonly guildId?: string | null }
  | { readonly guildId: string };

/** What a person used in one server on a day, as an export lists it. */
export interface PersonUse extends DayUse {
  readonly guildId: string | null;
}

/**
 * How long rewriting and drawing took, by day (UTC), person and server. `Queue.saveText` and `Queue.savePictures` add
 * the time of what they store, in the same transaction, so nothing is counted twice or lost. Days before COUNTED_DAYS
 * are forgotten. All methods throw QueueError when the database fails.
 */
export interface Usage {
  /** A day may come several times. */
  spent(filter: UsageFilter): Promise<DayUse[]>;
  /** Oldest first. */
  ofUser(userId: string): Promise<PersonUse[]>;
  /** Takes a person's name off what they used; it still counts for the servers where they did. */
  erase(userId: string): Promise<void>;
}
