import type { JobKind, Origin } from "../core/job.js";
import type { ImageOptions, TextOptions } from "../core/options.js";
import type { NewItem } from "./queue.js";

/** All that makes a job, but where its answer goes. */
export interface DraftRequest {
  readonly kind: JobKind;
  readonly text: TextOptions;
  readonly image: ImageOptions;
  readonly items: readonly NewItem[];
  readonly preview: boolean;
}

/** A job that was read and checked, and waits for its user to press Start. */
export interface Draft {
  readonly id: string;
  readonly request: DraftRequest;
  readonly origin: Origin;
  readonly createdAt: number;
  /** Milliseconds since the epoch after which it can't be started any more. */
  readonly expiresAt: number;
}

/**
 * Drafts, whose buttons outlive a restart; `Queue.enqueue` takes the one that becomes a job. A draft may hold a
 * megabyte. All methods throw QueueError where the database fails.
 */
export interface Drafts {
  add(request: DraftRequest, origin: Origin, expiresAt: number): Promise<Draft>;
  get(id: string): Promise<Draft | undefined>;
  /** The draft that a command left. */
  ofInteraction(interactionId: string): Promise<Draft | undefined>;
  /** Removes a draft that is not started. */
  discard(id: string): Promise<void>;
  /** When the first draft ends, or null. */
  nextDueAt(): Promise<number | null>;
  /** Drafts whose time is over, the first to end first. */
  due(): Promise<Pick<Draft, "id" | "origin">[]>;
  /** Ids of a person's drafts, the oldest first. */
  idsOfUser(userId: string): Promise<string[]>;
  erase(userId: string): Promise<void>;
}
