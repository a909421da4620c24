import type { ErrorCode, ErrorContext } from "../core/errors.js";
import type { Grid } from "../core/grid.js";
import type {
  Candidate,
  EvaluationDesign,
  ItemNote,
  Job,
  JobKind,
  LimitScope,
  Opponent,
  Origin,
  Phase,
  Picture,
  Sheet,
} from "../core/job.js";
import type { ImageOptions, OwnOptions, TextOptions } from "../core/options.js";
import type { PerSide, Side } from "../core/side.js";

/** A job to store. Items of a file of pairs have a rewrite already; `grid`: its items are the cells. */
export interface NewJob {
  /** Made by `newId` where something is stored for the job already; a new one by default. */
  readonly id?: string;
  readonly kind: JobKind;
  readonly origin: Origin;
  readonly text: TextOptions;
  readonly image: ImageOptions;
  readonly items: readonly NewItem[];
  readonly grid?: Grid;
  readonly evaluation?: EvaluationDesign;
  /** The job whose result has the button that made this one. */
  readonly parentId?: string;
  readonly blind?: boolean;
  /** Refuses the job when this many jobs of its user, channel or server are open. */
  readonly caps?: JobCaps;
  /** Holds the job outside the line while this many jobs of its user, channel or server are in it. */
  readonly limits?: JobCaps;
  readonly preview?: boolean;
  /** The draft that becomes this job. */
  readonly draftId?: string;
}

export interface JobCaps {
  readonly user?: number;
  readonly channel?: number;
  readonly server?: number;
}

export interface NewItem {
  readonly prompt: string;
  readonly rewrite: string | null;
  /** The one side to draw, where a pair is not wanted. */
  readonly only?: Side;
  /** Who writes the baseline's text, or wrote it already. */
  readonly against?: Pick<Opponent, "text" | "rewrite">;
  /** The rewrites to choose from, if an earlier job found them. */
  readonly candidates?: readonly Candidate[];
  /** Notes for the user that are known before any work. */
  readonly notes?: readonly ItemNote[];
  /** Instead of the job's seed plus the index. */
  readonly seed?: number;
  /** Instead of the job's own. */
  readonly text?: TextOptions;
  readonly image?: OwnOptions;
}

/** What is needed to answer a command that did not become a job. */
export type Arrival = Pick<
  Origin,
  "applicationId" | "interactionId" | "interactionToken" | "tokenExpiresAt" | "locale"
>;

/** The right to work on a job. Only the holder's writes are kept. */
export interface Claim {
  readonly job: Job;
  readonly owner: string;
  readonly attempt: number;
}

export interface TextResult {
  /** Whose text it is; `optimized` by default. */
  readonly side?: Side;
  readonly rewrite: string;
  /** Kept of the side `optimized` alone. */
  readonly candidates: readonly Candidate[];
  readonly notes: readonly ItemNote[];
  /** Milliseconds it took. */
  readonly ms?: number;
}

/** New pictures of an item. Each side of a pair is kept as soon as it is drawn. */
export interface PictureResult {
  readonly pictures?: Partial<PerSide<Picture>>;
  readonly comparison?: string;
  readonly notes?: readonly ItemNote[];
}

/** The work that is left in an unfinished job. */
export interface OpenWork {
  readonly id: string;
  readonly state: "queued" | "running";
  readonly phase: Phase;
  readonly kind: JobKind;
  readonly userId: string;
  readonly guildId: string | null;
  /** Which limit keeps the job out of the line, and how many jobs that limit lets in. */
  readonly held: LimitScope | null;
  readonly limit: number | null;
  /** Prompts to rewrite, pictures to draw, and guided denoising steps of each picture, on average (`stepsCost`). */
  readonly texts: number;
  readonly pictures: number;
  readonly steps: number;
}

/** The waiting jobs of a phase, including those in their back-off time. */
export interface WaitingLine {
  readonly phase: Phase;
  readonly jobs: number;
  /** When the job that has waited longest was stored. */
  readonly oldestAt: number;
}

export interface QueueDepth {
  readonly queued: number;
  readonly running: number;
  readonly undelivered: number;
}

/** Model sets by their keys (core/model-set.ts), for a device that would rather not load another one. */
export interface ModelsAtHand {
  /** Loaded on it, and their turn lasts: users take turns with their jobs as long as any is due. */
  readonly loaded?: readonly string[] | undefined;
  /** Loaded on other devices, which draw their jobs: without a turn here, jobs of further models come first. */
  readonly elsewhere?: readonly string[];
}

/**
 * `cancelled`: the job was asked to stop while it ran, so it does not wait again. `false`: the claim is
 * stale.
 */
export type LeaveResult = "queued" | "cancelled" | false;
export type RetryResult = LeaveResult | "failed";

/** Whose running jobs have no holder: those whose lease is over, those of one loop, or all. */
export type Lost = "lapsed" | "all" | { readonly owner: string };

/** What became of a running job that lost its holder; `failed`: it was at work in each of MOST_DEATHS deaths. */
export interface Recovered {
  readonly id: string;
  readonly phase: Phase;
  readonly state: "queued" | "cancelled" | "failed";
}

export type CancelResult = "cancelled" | "requested" | "finished" | "unknown";

/**
 * What a holder must know of its job: it goes on (`held`), someone asked it to stop, or somebody else has the job by
 * now (`false`).
 */
export type LeaseResult = "held" | "cancel" | false;

/**
 * A claim lasts this long unless it is extended. Longer than a restart of the database and a pause of a busy machine,
 * since a holder that is taken for dead has worked for nothing.
 */
export const LEASE_MS = 15_000;

/**
 * A job is set aside (HOST_DIED) once so many programs in a row died while they worked on it, and none of them stored
 * anything of it: it may be what ends them, and would end all others in turn.
 */
export const MOST_DEATHS = 3;

/** No failed job waits longer than this for its next attempt. */
export const LONGEST_BACKOFF_MS = 5 * 60_000;

/**
 * Jobs from arrival to end. The suite in test/db/contract/ tests every engine.
 *
 * Every write with a `Claim` is fenced on id, owner and attempt and answers whether it was kept. `false`
 * means that somebody else has the job now, so the caller drops its result. Times are milliseconds since the
 * epoch. All methods throw QueueError when the database fails.
 */
export interface Queue {
  /**
   * Notes that a command is about to be acknowledged, until `enqueue` stores its job or `settleArrival` says
   * that it was answered. After a kill, `arrivals` has the commands that still need an answer. A second call
   * with the same id does nothing.
   */
  arrive(arrival: Arrival): Promise<void>;
  arrivals(): Promise<Arrival[]>;
  settleArrival(interactionId: string): Promise<void>;
  /**
   * Stores a job as queued and settles its arrival. Idempotent by `origin.interactionId`: a second call with
   * the same id stores nothing and answers the first job. `onStored` is called after the commit, and only for
   * a new job.
   *
   * A job over one of its `limits` is stored as held: it joins the line when enough of the counted jobs are
   * over, oldest first. A draft is deleted, and the arrival of its command settled, in the commit that stores
   * its job.
   *
   * Throws QueueError QUEUE_FULL when `maxWaiting` jobs wait already, InputError QUEUE_CAP with `scope` and
   * `limit` when a cap is reached, and InputError DRAFT_GONE when the draft does not exist.
   */
  enqueue(job: NewJob, onStored?: (job: Job) => void): Promise<Job>;
  get(id: string): Promise<Job | undefined>;

  /**
   * Takes the next waiting job of a phase, or undefined. Users take turns: a user's second waiting job comes
   * after the first waiting job of every other user, and a user who was served goes to the back. Jobs in
   * their back-off time are skipped. Of the jobs that are due, those of `models` that are at hand come first. The claim has
   * a lease of LEASE_MS.
   */
  claim(phase: Phase, owner: string, models?: ModelsAtHand): Promise<Claim | undefined>;
  /** Renews the lease of a claim, also of one that is over, as long as nobody has recovered the job. */
  extend(claim: Claim): Promise<LeaseResult>;
  /**
   * Stores the text of one item, and like `savePictures` adds the time that it took to `Usage`. Notes are added to those of the item; everything else is replaced.
   */
  saveText(claim: Claim, item: number, result: TextResult): Promise<boolean>;
  /** Call it after the files are synced: a row must never name a picture that a power cut can lose. */
  savePictures(claim: Claim, item: number, result: PictureResult): Promise<boolean>;
  saveSheet(claim: Claim, sheet: Sheet): Promise<boolean>;
  /** `hash`: SHA-256 of the weight files, if it was computed. */
  saveCheckpoint(claim: Claim, phase: Phase, name: string, hash?: string | null): Promise<boolean>;
  /** The text phase is over and pictures are wanted: queues the job for the image phase. */
  advance(claim: Claim): Promise<LeaveResult>;
  /**
   * Puts the job back without a failure, because others go first or the program stops. It waits behind the
   * first job of every other user and before later jobs of its own user.
   */
  release(claim: Claim): Promise<LeaveResult>;
  complete(claim: Claim): Promise<boolean>;
  /**
   * Records a failed attempt; `context` has the values of the code's sentence. The job is queued again after
   * `afterMs`, LONGEST_BACKOFF_MS at most, or failed after `maxAttempts`.
   */
  retry(
    claim: Claim,
    code: ErrorCode,
    detail: string,
    afterMs: number,
    context?: ErrorContext,
  ): Promise<RetryResult>;
  fail(claim: Claim, code: ErrorCode, detail: string, context?: ErrorContext): Promise<boolean>;
  /** The holder saw the request to stop and did. */
  cancelled(claim: Claim): Promise<boolean>;

  /**
   * Cancels a waiting job at once and asks the holder of a running one to stop (`requested`). Such a job
   * never waits again: advance, release, retry and recover end it as cancelled. It may still be completed.
   */
  cancel(id: string): Promise<CancelResult>;
  /**
   * Takes one item out of an unfinished job. False if the job is over, or if the item is unknown, was taken
   * out before or has all its results. The holder of a running job skips it.
   */
  cancelItem(id: string, item: number): Promise<boolean>;
  /**
   * Running jobs whose holder is gone wait again with the results they have: those whose lease is over, where several
   * programs share the queue; those of an `owner`, which has lost them itself; or `all`, at the start of a program
   * that has the queue for itself. What an `owner` has lost itself, and what several hosts lost at once, tells nothing
   * against a job; else the death counts until something of the job is stored or its holder comes back. From the second
   * on it waits before it is tried again, so that those that were at work together are tried one by one, and MOST_DEATHS
   * end it.
   */
  recover(lost: Lost): Promise<Recovered[]>;

  /** True if a job of this phase is due now; with `besidesUser`, a job of another user. */
  hasWork(phase: Phase, besidesUser?: string): Promise<boolean>;
  /** When the first job in its back-off time is due, or null. At most LONGEST_BACKOFF_MS from now. */
  nextDueAt(): Promise<number | null>;
  /** In the line of the job's phase: 1 is served next, 0 runs, null is over, held or unknown. */
  position(id: string): Promise<number | null>;
  depth(): Promise<QueueDepth>;
  /** The line of each phase; a phase without waiting jobs is left out. */
  lines(): Promise<WaitingLine[]>;
  /**
   * Running jobs, then those waiting for text, then those waiting for pictures, each in the order of service,
   * then held jobs, oldest first. At most `limit` in all.
   */
  open(limit?: number): Promise<Job[]>;

  /** What open jobs lack, in the order of `open`, without reading their texts. */
  work(): Promise<OpenWork[]>;

  /**
   * Queues a failed job again, with its results and without its failures. Undefined if there is no such
   * failed job.
   */
  requeue(id: string): Promise<Job | undefined>;
  /** A paused queue hands out no jobs; running ones go on. It stays paused after a restart. */
  setPaused(paused: boolean): Promise<void>;
  paused(): Promise<boolean>;
}
