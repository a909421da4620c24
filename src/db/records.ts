import type { Job, JobKind, JobState } from "../core/job.js";

/** A message of an erased job or draft, which Discord still has. */
export interface ErasedMessage {
  /** In the order of erasing. */
  readonly seq: number;
  /** The job or draft. */
  readonly sourceId: string;
  readonly channelId: string;
  /** Null for the reply to a command whose id Discord has not told: only the token reaches it. */
  readonly messageId: string | null;
  readonly applicationId: string;
  readonly interactionToken: string;
  /** Milliseconds since the epoch. */
  readonly tokenExpiresAt: number;
}

/** What a list shows of one job. */
export interface JobEntry {
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  readonly createdAt: number;
  readonly guildId: string | null;
  readonly channelId: string;
  /** Null until the result's message is posted. */
  readonly messageId: string | null;
  /** The first one. */
  readonly prompt: string;
}

/** What is kept of jobs after their end: showing it again, making room, exporting and erasing it. */
export interface Records {
  /** Finished jobs, latest first, at most `limit`. Reads every row: for a start, not for each second. */
  latest(limit: number): Promise<Job[]>;
  /** The job whose result is this message; undefined for any other message. */
  jobOfMessage(messageId: string): Promise<Job | undefined>;
  /** Failed jobs, newest first, at most `limit`. */
  setAside(limit: number): Promise<Job[]>;
  /** Finished jobs that still have pictures and whose delivery succeeded or was given up, oldest first. */
  withPictures(): Promise<{ id: string; finishedAt: number }[]>;
  /** Whether the job has pictures or may still get some; null if it is not stored. */
  keepsPictures(id: string): Promise<boolean | null>;
  /** Records that the pictures of a finished job were deleted. Its texts and options stay. */
  picturesPruned(id: string): Promise<void>;
  /** Size of the database in bytes, without free pages. */
  storedBytes(): Promise<number>;
  /** Deletes the oldest jobs that `prune` may delete, at most `count`. Answers their ids. */
  pruneOldest(count: number): Promise<string[]>;

  /**
   * Deletes jobs that finished before the given time and whose delivery succeeded or was given up. Answers
   * their ids, so that their files can be deleted too.
   */
  prune(finishedBefore: number): Promise<string[]>;
  /**
   * Distinct prompts of a user that contain `part`, newest first, at most `limit`. Looks at the last hundreds
   * only.
   */
  recentPrompts(userId: string, part: string, limit: number): Promise<string[]>;
  /**
   * Jobs of a user, newest first, at most `limit`, whose first prompt contains `part` or whose id starts with
   * it. Looks at the last hundreds only.
   */
  recentJobs(userId: string, part: string, limit: number): Promise<JobEntry[]>;
  /** Ids of all stored jobs of a user, oldest first. */
  idsOfUser(userId: string): Promise<string[]>;
  /**
   * Deletes all jobs of a user except running ones, which are asked to stop; `eraseEnded` deletes these.
   * Answers the ids: `deleted` includes the `waiting` ones, which were still in the queue; `stopping` are the
   * running ones. Thousands of jobs are deleted in several transactions, so that other calls run in between.
   * `withMessages`: the messages of the deleted jobs are kept in `erasedMessages` from the same transaction.
   */
  eraseUser(
    userId: string,
    withMessages?: boolean,
  ): Promise<{ deleted: string[]; waiting: string[]; stopping: string[] }>;

  /** Deletes the jobs that ran when their user was erased and have ended since. Answers their ids. */
  eraseEnded(): Promise<string[]>;

  /** The oldest messages that are to be deleted, at most `limit`, after those up to `afterSeq`. */
  erasedMessages(afterSeq: number, limit: number): Promise<ErasedMessage[]>;
  /** Forgets a message that is deleted, or can't be. */
  messageSettled(seq: number): Promise<void>;

  /** Deletes one finished job, delivered or not. False if there is none. */
  drop(id: string): Promise<boolean>;
}
