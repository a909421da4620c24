import type { Job } from "../core/job.js";
import type { Side } from "../core/side.js";

export type Choice = "left" | "right" | "tie" | "bad";

/** One blind comparison: which picture stands where, and whether people still vote. */
export interface Ballot {
  readonly jobId: string;
  readonly guildId: string | null;
  readonly channelId: string;
  readonly left: Side;
  readonly closesAt: number | null;
  readonly closedAt: number | null;
}

/** How votes fell, by what was chosen rather than where it stood. */
export interface Tally {
  readonly optimized: number;
  readonly baseline: number;
  readonly tie: number;
  readonly bad: number;
}

/** Whose votes to count: of one server, of one voter, or both. */
export interface VoteFilter {
  readonly guildId?: string | null;
  readonly userId?: string;
}

export interface TallyOf extends Tally {
  /** A search mode or a voter's id, as grouped. */
  readonly key: string;
}

/** What tells one vote from all others. */
export interface VoteKey {
  readonly jobId: string;
  readonly userId: string;
}

/** One vote as it is exported. */
export interface ExportedVote {
  readonly job: string;
  readonly voter: string;
  readonly choice: Side | "tie" | "bad";
  readonly leftSide: Side;
  readonly prompt: string;
  readonly optimized: string;
  readonly seed: number;
  readonly mode: string;
  readonly checkpoint: string | null;
  readonly votedAt: string;
}

/** Ballots and votes. All methods throw QueueError where the database fails. */
export interface Votes {
  /** Opens the ballot of a finished comparison, or answers the one that it has. A coin decides which side is left. */
  open(job: Job, closesAt: number | null): Promise<Ballot>;
  ballot(jobId: string): Promise<Ballot | undefined>;
  /** One vote a person, the last one counts. Answers the choice that it replaces; `closed` once the vote is over. */
  vote(jobId: string, userId: string, choice: Choice): Promise<{ readonly before: Choice | null } | "closed">;
  /** Ends the vote; false where it was over already. */
  close(jobId: string): Promise<boolean>;
  /** Open ballots whose time is over. */
  due(): Promise<Ballot[]>;
  /** When the next open ballot's time is over, or null. */
  nextDueAt(): Promise<number | null>;
  tally(jobId: string): Promise<Tally>;
  total(filter: VoteFilter): Promise<Tally>;
  by(group: "mode" | "user", filter: VoteFilter): Promise<TallyOf[]>;
  /** Whose vote on which job, the oldest first. */
  keys(filter: VoteFilter): Promise<VoteKey[]>;
  /** One vote with its prompts, or undefined where it is gone by now. */
  exported(key: VoteKey): Promise<ExportedVote | undefined>;
  /** Forgets a person's votes, and the ballots of what they asked for. */
  erase(userId: string): Promise<void>;
}
