import type { Host } from "../core/hosts/host.js";

/** What a program says with a heartbeat. */
export interface Beat extends Pick<Host, "name" | "role" | "version" | "state"> {
  /** True for the first one of a run. */
  readonly starts: boolean;
}

/**
 * The programs that work with the queue. A hint for people and for estimates: no claim looks at it, and jobs are given
 * back by their leases. Times are the database's. The suite in test/db/contract/ tests every engine; all methods throw
 * QueueError when the database fails.
 */
export interface Hosts {
  /** Answers whether the host is paused, which it stays over its restarts. */
  beat(beat: Beat): Promise<boolean>;
  /** The host ends by itself. */
  leave(name: string): Promise<void>;
  /** Those that run and those that are gone, by name. */
  list(): Promise<Host[]>;
  /** A paused host ends what it is at and takes no other job. False if there is no such host. */
  setPaused(name: string, paused: boolean): Promise<boolean>;
  /**
   * Deletes hosts that have been gone for a while: an hour after their goodbye, a day after their last heartbeat. A
   * paused one is kept, since it would come back unpaused. Answers how many there were.
   */
  forgetGone(): Promise<number>;
}
