import type { Job } from "../core/job.js";
import type { Side } from "../core/side.js";
import type { Share } from "../core/statistics/shares.js";

export type Choice = "left" | "right" | "tie" | "bad";

/** One blind comparison: which picture is on which side, and whether people can still vote. */
export interface Ballot {
  readonly jobId: string;
  readonly guildId: string | null;
  readonly channelId: string;
  readonly left: Side;
  readonly closesAt: number | null;
  readonly closedAt: number | null;
}

/** Votes counted by what was chosen, not by the side it was on. */
export interface Tally {
  readonly optimized: number;
  readonly baseline: number;
  readonly tie: number;
  readonly bad: number;
}

/** Which votes to count: those of one server, of one voter, or both. */
export interface VoteFilter {
  readonly guildId?: string | null;
  readonly userId?: string;
}

export interface TasteShares {
  readonly with: Share | null;
  readonly without: Share | null;
}

export interface TallyOf extends Tally {
  /** A search mode or a voter's id, as grouped. */
  readonly key: string;
}

/** The votes between the texts of two writers, by name (core/rewriters.ts). */
export interface DuelTally extends Tally {
  readonly baselineRewriter: string;
  readonly optimizedRewriter: string;
}

/** Identifies one vote. */
export interface VoteKey {
  readonly jobId: string;
  readonly userId: string;
}

/** One vote in an export. */
export interface ExportedVote {
  readonly job: string;
  readonly voter: string;
  readonly choice: Side | "tie" | "bad";
  readonly leftSide: Side;
  /** Null, as the next two, where the person who asked for the pair was erased. */
  readonly prompt: string | null;
  readonly optimized: string | null;
  /** The text of the side `baseline` where that is another rewriter's; else null. */
  readonly against: string | null;
  readonly seed: number | null;
  readonly mode: string;
  /** Who wrote the text of each side, by name; `given`: a person or a file. */
  readonly baselineRewriter: string;
  readonly optimizedRewriter: string;
  readonly checkpoint: string | null;
  /** The probability with which taste took the rewrite; null where it did not choose. */
  readonly propensity: number | null;
  readonly votedAt: string;
  /** Whether the two texts differed; where the baseline's rewriter is `none`, `total` counts it then. */
  readonly counted: boolean;
}

/**
 * Ballots and votes. What is counted leaves out the votes on pairs that the rewrite did not change, which an
 * earlier version opened: both pictures are the same. Votes between two rewriters count in `duels` and in a job's
 * `tally` alone. What counts, lists or erases votes reads them in parts,
 * between which other calls run. All methods throw QueueError when the database fails.
 */
export interface Votes {
  /**
   * Opens the ballot of a finished comparison, or answers the existing one. The left side is chosen at
   * random.
   */
  open(job: Job, closesAt: number | null): Promise<Ballot>;
  ballot(jobId: string): Promise<Ballot | undefined>;
  /**
   * Each user has one vote, the first one: whoever has voted knows which picture is which. Answers the choice
   * that counts. `closed`: too late.
   */
  vote(
    jobId: string,
    userId: string,
    choice: Choice,
  ): Promise<{ readonly counted: Choice; readonly isFirst: boolean } | "closed">;
  /** Ends the vote. False if it had ended already. */
  close(jobId: string): Promise<boolean>;
  /** Open ballots whose time is up, at most some at a time. */
  due(): Promise<Ballot[]>;
  /** When the next open ballot's time is up, or null. */
  nextDueAt(): Promise<number | null>;
  tally(jobId: string): Promise<Tally>;
  total(filter: VoteFilter): Promise<Tally>;
  /**
   * How often the rewrite wins in a server where taste chooses it: as chosen, and as if always the model's own first
   * were taken, both from the pairs that taste chose. Null without a vote.
   */
  tasteShares(guildId: string): Promise<TasteShares>;
  /** The groups with the most votes first, at most `limit`. */
  by(group: "mode" | "user", filter: VoteFilter, limit: number): Promise<TallyOf[]>;
  /** Each two writers whose texts people voted between. */
  duels(filter: VoteFilter): Promise<DuelTally[]>;
  /** Who voted on which job, oldest first. */
  keys(filter: VoteFilter): Promise<VoteKey[]>;
  /** One vote with its prompts, or undefined if it is gone by now. */
  exported(key: VoteKey): Promise<ExportedVote | undefined>;
  /**
   * Deletes a user's votes. The ballots of their jobs are closed and lose all that the user wrote; they stay
   * where other people's votes on them count.
   */
  erase(userId: string): Promise<void>;
}
