import type { FileNotes } from "../core/file-notes.js";
import type { Grid } from "../core/grid.js";
import type { EvaluationDesign, JobKind, Origin } from "../core/job.js";
import type { ImageOptions, TextOptions } from "../core/options.js";
import type { NewItem } from "./queue.js";

/** Everything that makes a job, except where its answer goes. */
export interface DraftRequest {
  /** Of the draft, and of the job that it becomes, where something is stored for it already. */
  readonly id?: string;
  readonly kind: JobKind;
  readonly text: TextOptions;
  readonly image: ImageOptions;
  readonly items: readonly NewItem[];
  readonly grid?: Grid;
  readonly evaluation?: EvaluationDesign;
  readonly preview: boolean;
  /** Whether people vote before they are told which picture is which; false where it is left out. */
  readonly blind?: boolean;
  /** About the file that the prompts come from; said before anything is drawn. */
  readonly notes?: FileNotes;
}

/** A job that was read and checked and waits until its user presses Start. */
export interface Draft {
  readonly id: string;
  readonly request: DraftRequest;
  readonly origin: Origin;
  readonly createdAt: number;
  /** Milliseconds since the epoch; it can't be started after that. */
  readonly expiresAt: number;
}

/**
 * Drafts are stored because their buttons outlive a restart. `Queue.enqueue` removes the draft that becomes a
 * job. A draft may hold a megabyte. All methods throw QueueError when the database fails.
 */
export interface Drafts {
  add(request: DraftRequest, origin: Origin, expiresAt: number): Promise<Draft>;
  get(id: string): Promise<Draft | undefined>;
  /** The draft that a command made. */
  ofInteraction(interactionId: string): Promise<Draft | undefined>;
  /** Removes a draft without starting it. */
  discard(id: string): Promise<void>;
  /** When the next draft expires, or null. */
  nextDueAt(): Promise<number | null>;
  /** Expired drafts, in the order in which they expired. */
  due(): Promise<Pick<Draft, "id" | "origin">[]>;
  /** Ids of a user's drafts, oldest first. */
  idsOfUser(userId: string): Promise<string[]>;
  /** Notes the message that shows a draft. False if the draft is gone. */
  shown(id: string, messageId: string): Promise<boolean>;
  /**
   * Deletes all drafts of a user. Answers their ids. `withMessages`: their messages are kept in
   * `Records.erasedMessages` from the same transaction.
   */
  erase(userId: string, withMessages?: boolean): Promise<string[]>;
}
