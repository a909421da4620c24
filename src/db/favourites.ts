/** A result that is, or is about to be, in its server's gallery. */
export interface Favourite {
  readonly jobId: string;
  /** Who asked for the result. */
  readonly userId: string;
  readonly guildId: string;
  /** The gallery's channel when it was put there. */
  readonly channelId: string;
  readonly applicationId: string;
  /** Who put it there; null where that person was erased. */
  readonly addedBy: string | null;
  /** Null until it is posted. */
  readonly messageId: string | null;
}

/**
 * Favourites, one for a job, which also outlive their jobs: their messages stay until someone takes them away. All
 * methods throw QueueError when the database fails.
 */
export interface Favourites {
  /** False if the job's result is there already. */
  add(favourite: Omit<Favourite, "messageId" | "addedBy"> & { readonly addedBy: string }): Promise<boolean>;
  get(jobId: string): Promise<Favourite | undefined>;
  /** Those that are not posted yet, oldest first. */
  pending(): Promise<Favourite[]>;
  /** Notes the message. False if the favourite was taken away meanwhile. */
  posted(jobId: string, messageId: string): Promise<boolean>;
  /** Forgets a favourite; its message, if there is one, is kept in `Records.erasedMessages` from the same transaction. */
  remove(jobId: string): Promise<void>;
  /**
   * The same for all results that a person asked for, and their name is taken off those that they put there. Answers
   * the jobs. `withMessages`: as in `Records.eraseUser`.
   */
  erase(userId: string, withMessages?: boolean): Promise<string[]>;
}
