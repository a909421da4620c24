import type { Database, Statement } from "better-sqlite3";
import { customAlphabet } from "nanoid";
import type { ImageOptions, JobKind, Origin, TextOptions } from "../../core/job.js";
import type { NewItem } from "../queue.js";
import { fromJson } from "./job-row.js";
import { toQueueError } from "./sqlite-error.js";

/** Like the ids of jobs: no look-alikes, fits a button. */
const newId = customAlphabet("23456789abcdefghjkmnpqrstvwxyz", 12);

/** All that makes a job, but where its answer goes. */
export interface DraftRequest {
  readonly kind: JobKind;
  readonly text: TextOptions;
  readonly image: ImageOptions;
  readonly items: readonly NewItem[];
  readonly preview: boolean;
}

/** A job that was read and checked and waits for its person to say yes. */
export interface Draft {
  readonly id: string;
  readonly request: DraftRequest;
  readonly origin: Origin;
  readonly createdAt: number;
  /** Milliseconds since the epoch after which it can't be started any more. */
  readonly expiresAt: number;
}

interface Row {
  readonly id: string;
  readonly request: string;
  readonly origin: string;
  readonly created_at: number;
  readonly expires_at: number;
}

/**
 * Drafts in the queue's file, so that their buttons outlive a restart; `Queue.enqueue` takes the one that becomes a job.
 * Throws QueueError like the queue.
 */
export class DraftStore {
  readonly #db: Database;
  readonly #now: () => number;
  readonly #insert: Statement<[Row & { user_id: string }]>;
  readonly #one: Statement<[string], Row>;
  readonly #ofInteraction: Statement<[string], Row>;
  readonly #discard: Statement<[string]>;
  readonly #nextDue: Statement<[], number | null>;
  readonly #due: Statement<[number], Pick<Row, "id" | "origin">>;
  readonly #idsOfUser: Statement<[string], string>;
  readonly #erase: Statement<[string]>;

  constructor(db: Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
    this.#insert = db.prepare(`
      insert into drafts (id, user_id, request, origin, created_at, expires_at)
      values (@id, @user_id, @request, @origin, @created_at, @expires_at)`);
    this.#one = db.prepare("select * from drafts where id = ?");
    this.#ofInteraction = db.prepare("select * from drafts where origin ->> '$.interactionId' = ?");
    this.#discard = db.prepare("delete from drafts where id = ?");
    this.#nextDue = db.prepare<[], number | null>("select min(expires_at) from drafts").pluck();
    this.#due = db.prepare("select id, origin from drafts where expires_at <= ? order by expires_at, id");
    this.#idsOfUser = db
      .prepare<[string], string>("select id from drafts where user_id = ? order by created_at")
      .pluck();
    this.#erase = db.prepare("delete from drafts where user_id = ?");
  }

  add(request: DraftRequest, origin: Origin, expiresAt: number): Draft {
    const draft: Draft = { id: newId(), request, origin, createdAt: this.#now(), expiresAt };
    this.#explained(() =>
      this.#insert.run({
        id: draft.id,
        user_id: origin.userId,
        request: JSON.stringify(request),
        origin: JSON.stringify(origin),
        created_at: draft.createdAt,
        expires_at: expiresAt,
      }),
    );
    return draft;
  }

  get(id: string): Draft | undefined {
    return this.#explained(() => this.#read(this.#one.get(id)));
  }

  /** The draft that a command left. */
  ofInteraction(interactionId: string): Draft | undefined {
    return this.#explained(() => this.#read(this.#ofInteraction.get(interactionId)));
  }

  /** Removes a draft that is not started. */
  discard(id: string): void {
    this.#explained(() => this.#discard.run(id));
  }

  /** When the first draft ends, or null; a draft may hold a megabyte, so none is read for it. */
  nextDueAt(): number | null {
    return this.#explained(() => this.#nextDue.get() ?? null);
  }

  /** Drafts whose time is over, the first to end first. */
  due(): Pick<Draft, "id" | "origin">[] {
    return this.#explained(() =>
      this.#due.all(this.#now()).map(({ id, origin }) => ({ id, origin: fromJson<Origin>(origin) })),
    );
  }

  /** Ids of a person's drafts, the oldest first. */
  idsOfUser(userId: string): string[] {
    return this.#explained(() => this.#idsOfUser.all(userId));
  }

  erase(userId: string): void {
    this.#explained(() => this.#erase.run(userId));
  }

  #read(row: Row | undefined): Draft | undefined {
    return row === undefined ? undefined : toDraft(row);
  }

  #explained<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw toQueueError(error, this.#db.name);
    }
  }
}

const toDraft = (row: Row): Draft => ({
  id: row.id,
  request: fromJson<DraftRequest>(row.request),
  origin: fromJson<Origin>(row.origin),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});
