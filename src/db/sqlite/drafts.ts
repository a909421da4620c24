import type { Database, Statement } from "better-sqlite3";
import { customAlphabet } from "nanoid";
import type { Origin } from "../../core/job.js";
import type { Draft, DraftRequest, Drafts } from "../drafts.js";
import { fromJson } from "./job-row.js";
import { toQueueError } from "./sqlite-error.js";

/** Like the ids of jobs: no look-alikes, fits a button. */
const newId = customAlphabet("23456789abcdefghjkmnpqrstvwxyz", 12);

interface Row {
  readonly id: string;
  readonly request: string;
  readonly origin: string;
  readonly created_at: number;
  readonly expires_at: number;
}

/** Drafts, in the queue's file. */
export class SqliteDrafts implements Drafts {
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

  async add(request: DraftRequest, origin: Origin, expiresAt: number): Promise<Draft> {
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

  async get(id: string): Promise<Draft | undefined> {
    return this.#explained(() => this.#read(this.#one.get(id)));
  }

  async ofInteraction(interactionId: string): Promise<Draft | undefined> {
    return this.#explained(() => this.#read(this.#ofInteraction.get(interactionId)));
  }

  async discard(id: string): Promise<void> {
    this.#explained(() => this.#discard.run(id));
  }

  async nextDueAt(): Promise<number | null> {
    return this.#explained(() => this.#nextDue.get() ?? null);
  }

  async due(): Promise<Pick<Draft, "id" | "origin">[]> {
    return this.#explained(() =>
      this.#due.all(this.#now()).map(({ id, origin }) => ({ id, origin: fromJson<Origin>(origin) })),
    );
  }

  async idsOfUser(userId: string): Promise<string[]> {
    return this.#explained(() => this.#idsOfUser.all(userId));
  }

  async erase(userId: string): Promise<void> {
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
