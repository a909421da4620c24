/**
 * The words of the whole program as types (docs/glossary.md). Everything here is plain data that fits in a row or a
 * message.
 */

import type { PictureJudgement } from "./judgement.js";
import type { ImageOptions, TextOptions } from "./options.js";
import { type PerSide, SIDES, type Side } from "./side.js";

export type JobKind = "optimize" | "compare" | "batch";
export type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

/** The two kinds of work that own the GPU in turn: rewriting (Promptist) and drawing (Stable Diffusion). */
export type Phase = "text" | "image";

/** Which states may follow which. `running -> queued` is a retry, a recovery, or a step to the next phase. */
export const TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ["running", "cancelled", "failed"],
  running: ["queued", "done", "failed", "cancelled"],
  done: [],
  failed: ["queued"],
  cancelled: [],
};

/** True where the row will not change again by itself. */
export const isFinished = (state: JobState): boolean =>
  state === "done" || state === "failed" || state === "cancelled";

/** One rewrite that the search found. */
export interface Candidate {
  readonly text: string;
  /** Tokens generated, the end token included when there was one. */
  readonly tokens: number;
  /** The search's own score (length-penalised sum of log-probabilities); null where the mode has none. */
  readonly score: number | null;
}

/** One drawn picture. */
export interface Picture {
  /** File name inside the job's picture folder. */
  readonly file: string;
  /** Milliseconds that drawing took; null where it was copied from another picture. */
  readonly ms: number | null;
  /** Null for a picture of a version that had no judges. */
  readonly judgement: PictureJudgement | null;
}

export interface Item {
  /** Position in the job, from 0. */
  readonly index: number;
  readonly prompt: string;
  /** Null until Promptist has rewritten the prompt; given from the start in a file of pairs. */
  readonly rewrite: string | null;
  /** Milliseconds that the rewrite took; null until it is made, and where it was given. */
  readonly rewriteMs: number | null;
  /** All distinct rewrites, best first; empty for a given pair. */
  readonly candidates: readonly Candidate[];
  /** Seed of this item's two pictures: the job's seed plus the index. */
  readonly seed: number;
  /** Null until drawn. */
  readonly pictures: PerSide<Picture | null>;
  /** File name of the picture that shows both sides; null until drawn. */
  readonly comparison: string | null;
  /** Taken out of the job: nothing more is made of it. */
  readonly cancelled: boolean;
  /** What to tell about this item, such as words that fell beyond CLIP's 77 tokens. */
  readonly notes: readonly ItemNote[];
}

export type ItemNote =
  | { readonly code: "unchanged" }
  | { readonly code: "truncated"; readonly side: Side; readonly words: string };

/** Where the command came from. Ids are Discord snowflakes. */
export interface Origin {
  readonly userId: string;
  readonly guildId: string | null;
  readonly channelId: string;
  readonly locale: string;
  readonly applicationId: string;
  readonly interactionId: string;
  readonly interactionToken: string;
  /** Milliseconds since the epoch after which the token edits nothing any more. */
  readonly tokenExpiresAt: number;
}

export interface Failure {
  readonly code: string;
  /** For the log and the admin, never for a channel. */
  readonly detail: string;
  readonly at: number;
}

export interface Job {
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  /** The phase that the job needs next, or is in. */
  readonly phase: Phase;
  readonly origin: Origin;
  readonly text: TextOptions;
  readonly image: ImageOptions;
  readonly items: readonly Item[];
  /** The job under whose result a button made this one. */
  readonly parentId: string | null;
  /** True: which picture is which stays secret until people have voted. */
  readonly blind: boolean;
  /** Grows by one with each claim; fences finishing writes. */
  readonly attempt: number;
  /** One entry for each attempt that failed. */
  readonly failures: readonly Failure[];
  readonly cancelRequested: boolean;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Names of the checkpoints that made the result, for the message and the record. */
  readonly checkpoints: { readonly promptist: string | null; readonly diffusion: string | null };
  /** SHA-256 over their weight files; null where it was not taken. */
  readonly hashes: { readonly promptist: string | null; readonly diffusion: string | null };
  /** Contact sheets of a batch, in order. */
  readonly sheets: readonly Sheet[];
  /** Whose limit of jobs in line keeps this one out of it; null for a job that is in line, runs or is over. */
  readonly held: LimitScope | null;
  /** Whether the picture is shown as it forms. */
  readonly preview: boolean;
  /** When the pictures were deleted to make room; null while they are kept. */
  readonly picturesPrunedAt: number | null;
  readonly delivery: Delivery;
}

/** Whose open jobs a limit counts. */
export type LimitScope = "user" | "channel" | "server";

/** An overview of some pairs of a batch. */
export interface Sheet {
  /** From 1. */
  readonly number: number;
  /** File name inside the job's picture folder. */
  readonly file: string;
  /** Indexes of the items on it. */
  readonly items: readonly number[];
}

export interface Delivery {
  /** Null until the result's message was posted. */
  readonly deliveredAt: number | null;
  readonly messageId: string | null;
  readonly attempts: number;
  /** Why delivery was given up; the result stays stored. */
  readonly abandoned: string | null;
}

/** The phase that an item needs next, or null when nothing is left to do for it. */
export function nextPhase(kind: JobKind, item: Item): Phase | null {
  if (item.cancelled) return null;
  if (item.rewrite === null) return "text";
  if (kind === "optimize") return null;
  const { baseline, optimized } = item.pictures;
  return baseline === null || optimized === null || item.comparison === null ? "image" : null;
}

/** True where a job is shown as an overview, contact sheets and a report, instead of as one pair. */
export const hasOverview = ({
  kind,
  items,
}: {
  readonly kind: JobKind;
  readonly items: { readonly length: number };
}): boolean => kind === "batch" || items.length > 1;

/** What the judges say about both pictures of an item; null for a side that is not drawn or was never judged. */
export const judgementsOf = ({ pictures }: Item): PerSide<PictureJudgement | null> => ({
  baseline: pictures.baseline?.judgement ?? null,
  optimized: pictures.optimized?.judgement ?? null,
});

/** How many pictures of the items are drawn; comparisons and contact sheets don't count. */
export const picturesDrawn = (items: readonly Item[]): number =>
  items.reduce((sum, { pictures }) => sum + SIDES.filter((side) => pictures[side] !== null).length, 0);
