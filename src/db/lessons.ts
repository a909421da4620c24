import type { Side } from "../core/side.js";

/** A vote for one of the two pictures, with the texts of its pair: what taste is learned from. */
export interface Lesson {
  readonly jobId: string;
  readonly userId: string;
  /** Null in a direct message. */
  readonly guildId: string | null;
  /** The search mode, or `given` for a rewrite that a person wrote. */
  readonly mode: string;
  /** Who wrote the rewrite, by name, or `given`. */
  readonly rewriter: string;
  readonly chosen: Side;
  readonly prompt: string;
  readonly rewrite: string;
  /** The text of the baseline and who wrote it; null for the prompt as written, which nobody wrote. */
  readonly against: string | null;
  readonly againstRewriter: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The place of a lesson in their order. */
export type LessonKey = Pick<Lesson, "at" | "jobId" | "userId">;

/**
 * Votes as lessons: without those on pairs whose sides say the same, those whose texts were erased, ties, "both bad",
 * and what a server wants forgotten. All methods throw QueueError when the database fails.
 */
export interface Lessons {
  /** The lessons behind one, in order of time, at most some at a time; none at the end. */
  after(key: LessonKey): Promise<readonly Lesson[]>;
  /** A text that changes whenever lessons are taken away, by an erasure or by `forget`. */
  mark(): Promise<string>;
  /** Votes in this server up to now are no lessons any more. They still count in `/stats`. */
  forget(guildId: string): Promise<void>;
}
