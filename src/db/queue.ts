import type { ErrorCode } from "../core/errors.js";
import type {
  Candidate,
  ItemNote,
  Job,
  JobKind,
  LimitScope,
  Origin,
  Phase,
  Picture,
  Sheet,
} from "../core/job.js";
import type { ImageOptions, TextOptions } from "../core/options.js";
import type { PerSide } from "../core/side.js";

/** What intake hands in. `optimized` is given where the file already held pairs. */
export interface NewJob {
  readonly kind: JobKind;
  readonly origin: Origin;
  readonly text: TextOptions;
  readonly image: ImageOptions;
  readonly items: readonly NewItem[];
  /** The job under whose result a button made this one. */
  readonly parentId?: string;
  readonly blind?: boolean;
  /** Open jobs of the same person, channel and server that may be there already. */
  readonly caps?: JobCaps;
  /** Jobs of the same person, channel and server in line, over which this one waits outside of it. */
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
  /** The rewrites to choose from, where an earlier job found them. */
  readonly candidates?: readonly Candidate[];
  /** Instead of the job's seed plus the index. */
  readonly seed?: number;
}

/** What it takes to answer a command that has become no job. */
export type Arrival = Pick<Origin, "applicationId" | "interactionId" | "interactionToken" | "tokenExpiresAt">;

/** The right to work on a job: only the holder's writes are kept. */
export interface Claim {
  readonly job: Job;
  readonly owner: string;
  readonly attempt: number;
}

export interface TextResult {
  readonly rewrite: string;
  readonly candidates: readonly Candidate[];
  readonly notes: readonly ItemNote[];
  /** Milliseconds it took. */
  readonly ms?: number;
}

/** What is new of an item's pictures. One side of a pair is kept as soon as it is there. */
export interface PictureResult {
  readonly pictures?: Partial<PerSide<Picture>>;
  readonly comparison?: string;
  readonly notes?: readonly ItemNote[];
}

/** What an unfinished job still lacks. */
export interface OpenWork {
  readonly id: string;
  readonly state: "queued" | "running";
  readonly phase: Phase;
  readonly kind: JobKind;
  readonly userId: string;
  readonly guildId: string | null;
  /** Whose limit keeps the job out of the line, and how many that limit lets in. */
  readonly held: LimitScope | null;
  readonly limit: number | null;
  /** Prompts to rewrite, pictures to draw, and denoising steps of each of these. */
  readonly texts: number;
  readonly pictures: number;
  readonly steps: number;
}

/** The jobs of a phase that wait, those in their back-off time included. */
export interface WaitingLine {
  readonly phase: Phase;
  readonly jobs: number;
  /** When the job was stored that waits longest. */
  readonly oldestAt: number;
}

export interface QueueDepth {
  readonly queued: number;
  readonly running: number;
  readonly undelivered: number;
}

/** `cancelled`: the job was asked to stop while it ran, so it does not wait again. `false`: the claim is stale. */
export type LeaveResult = "queued" | "cancelled" | false;
export type RetryResult = LeaveResult | "failed";

/** What became of a running job that had lost its holder. */
export interface Recovered {
  readonly id: string;
  readonly phase: Phase;
  readonly state: "queued" | "cancelled";
}

export type CancelResult = "cancelled" | "requested" | "finished" | "unknown";

/** No failed job waits longer than this for its next attempt. */
export const LONGEST_BACKOFF_MS = 5 * 60_000;

/**
 * The queue's contract. One suite (test/db/contract/) holds every engine to it.
 *
 * Every write with a `Claim` is fenced on id, owner and attempt and answers whether it was kept: `false` means that
 * the job is someone else's now, and the caller drops its result. Times are milliseconds since the epoch.
 */
export interface Queue {
  /**
   * Notes that a command is about to be acknowledged. It stays noted until `enqueue` stores its job or `settleArrival`
   * says that its person was told; what a kill leaves is in `arrivals`. A second call with the same id does nothing.
   */
  arrive(arrival: Arrival): Promise<void>;
  arrivals(): Promise<Arrival[]>;
  settleArrival(interactionId: string): Promise<void>;
  /**
   * Stores a job as queued. Idempotent by `origin.interactionId`: a second call with the same id stores nothing and
   * returns the first job. Its arrival is settled by it. Throws QueueError QUEUE_FULL when `maxWaiting` jobs wait
   * already, InputError QUEUE_CAP with `scope` and `limit` when one of the caps is reached, and InputError DRAFT_GONE
   * when there is no such draft; a draft goes with the same commit that stores its job, and with it the arrival that
   * made it. A job over one of its `limits` is stored as held: it has no place in line until enough of the jobs that
   * count are over, the oldest first.
   *
   * `onStored` is called with the job once it is stored, and not for a job that was known already.
   */
  enqueue(job: NewJob, onStored?: (job: Job) => void): Promise<Job>;
  get(id: string): Promise<Job | undefined>;

  /**
   * Takes the next waiting job of a phase, or undefined. Users take turns: a user's second waiting job comes after
   * the first waiting job of each other user, and who has been served goes behind those who have not. Jobs in their
   * back-off time are passed over.
   */
  claim(phase: Phase, owner: string): Promise<Claim | undefined>;
  /** Results are stored item by item, at once; notes are added to those the item has. The last write stands. */
  saveText(claim: Claim, item: number, result: TextResult): Promise<boolean>;
  /** Call it when the files are on the disk: the row must never name a picture that a power cut can take. */
  savePictures(claim: Claim, item: number, result: PictureResult): Promise<boolean>;
  saveSheet(claim: Claim, sheet: Sheet): Promise<boolean>;
  /** `hash`: SHA-256 over the weight files, where it was taken. */
  saveCheckpoint(claim: Claim, phase: Phase, name: string, hash?: string | null): Promise<boolean>;
  /** The text phase of the job is over and pictures are wanted: queued again, for the image phase. */
  advance(claim: Claim): Promise<LeaveResult>;
  /**
   * Puts the job back unharmed: others go first, or the program is stopping. It waits behind the first job of each
   * other user and before the later jobs of its own.
   */
  release(claim: Claim): Promise<LeaveResult>;
  complete(claim: Claim): Promise<boolean>;
  /**
   * Records a failed attempt: queued again after `afterMs`, LONGEST_BACKOFF_MS at most, or failed when `maxAttempts`
   * are used up.
   */
  retry(claim: Claim, code: ErrorCode, detail: string, afterMs: number): Promise<RetryResult>;
  fail(claim: Claim, code: ErrorCode, detail: string): Promise<boolean>;
  /** The holder saw the request to cancel and stopped. */
  cancelled(claim: Claim): Promise<boolean>;

  /**
   * Cancels a waiting job at once; asks the holder of a running one to stop (`requested`). A job so asked never waits
   * again: advance, release, retry and recover end it as cancelled. It may still be completed.
   */
  cancel(id: string): Promise<CancelResult>;
  /**
   * Takes one item out of an unfinished job; false where the job is over, the item is unknown, out already or has all
   * its results. The holder of a running job leaves it out from its next item on.
   */
  cancelItem(id: string, item: number): Promise<boolean>;
  /** After a start: every running job lost its holder and waits again, with all results it has. */
  recover(): Promise<Recovered[]>;

  /** True if a job of this phase waits now (back-off over); for another user than `besidesUser` when given. */
  hasWork(phase: Phase, besidesUser?: string): Promise<boolean>;
  /** When the earliest job in its back-off time is due, or null. Never later than the longest back-off from now. */
  nextDueAt(): Promise<number | null>;
  /** In the line of the job's phase: 1 for the job that is served next; 0 for one that runs; null when it is over or held. */
  position(id: string): Promise<number | null>;
  depth(): Promise<QueueDepth>;
  /** How long the line of each phase is; a phase for which nothing waits is missing. */
  lines(): Promise<WaitingLine[]>;
  /**
   * Running jobs, then those that wait for text, then those that wait for pictures, each in the order of service, and
   * last those that are held, the oldest first; the first `limit` of them all.
   */
  open(limit?: number): Promise<Job[]>;

  /** In the order of `open`, in one query and without the jobs' texts. */
  work(): Promise<OpenWork[]>;

  /** A failed job waits again, with the results it has and without its failures; undefined where there is none. */
  requeue(id: string): Promise<Job | undefined>;
  /** A paused queue hands out no job; what runs goes on. It stays paused over a restart. */
  setPaused(paused: boolean): Promise<void>;
  paused(): Promise<boolean>;
}
