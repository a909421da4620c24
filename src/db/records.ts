import type { Job } from "../core/job.js";

/** What is kept of jobs after their end: to show it again, to make room, and to export or erase it. */
export interface Records {
  /** Failed jobs, the last one first, at most `limit`. */
  setAside(limit: number): Promise<Job[]>;
  /** Finished jobs that still have their pictures and whose message was delivered or given up, the oldest first. */
  withPictures(): Promise<{ id: string; finishedAt: number }[]>;
  /** Whether the job still has its pictures or may yet get some; null where no such job is stored. */
  keepsPictures(id: string): Promise<boolean | null>;
  /** Records that the pictures of a finished job were deleted; its texts and settings stay. */
  picturesPruned(id: string): Promise<void>;
  /** Bytes that the stored jobs take. */
  storedBytes(): Promise<number>;
  /** Deletes the oldest jobs that `prune` may delete, at most `count`; answers their ids. */
  pruneOldest(count: number): Promise<string[]>;

  /**
   * Deletes finished jobs that ended before the time and whose message was delivered or given up; answers their ids so
   * that files can go too.
   */
  prune(finishedBefore: number): Promise<string[]>;
  /** A person's distinct prompts, the last one first, that have `part` in them, at most `limit`; of the last hundreds. */
  recentPrompts(userId: string, part: string, limit: number): Promise<string[]>;
  /** Ids of all jobs of a person that are stored, oldest first. */
  idsOfUser(userId: string): Promise<string[]>;
  /**
   * Cancels a person's open jobs and deletes all that do not run; a running one is deleted by `prune`. Answers their ids:
   * of those deleted, `waiting` were still in the queue; `stopping` run and are asked to stop. Thousands of jobs are deleted in several transactions, between which others have their turn.
   */
  eraseUser(userId: string): Promise<{ deleted: string[]; waiting: string[]; stopping: string[] }>;

  /** Deletes one finished job, delivered or not; false where there is none. */
  drop(id: string): Promise<boolean>;
}
