import type { Origin } from "../../core/job.js";
import type { Draft, DraftRequest, Drafts } from "../drafts.js";
import type { Connection } from "./connection.js";
import { fromJson, newId } from "./job-row.js";

interface Row {
  readonly id: string;
  readonly request: string;
  readonly origin: string;
  readonly created_at: number;
  readonly expires_at: number;
}

/** Drafts, in the queue's file. */
export function sqliteDrafts(connection: Connection): Drafts {
  const { db, now } = connection;
  const insert = db.prepare<[Row & { user_id: string }]>(`
    insert into drafts (id, user_id, request, origin, created_at, expires_at)
    values (@id, @user_id, @request, @origin, @created_at, @expires_at)`);
  const byId = db.prepare<[string], Row>("select * from drafts where id = ?");
  const ofInteraction = db.prepare<[string], Row>(
    "select * from drafts where origin ->> '$.interactionId' = ?",
  );
  const discard = db.prepare<[string]>("delete from drafts where id = ?");
  const nextDue = db.prepare<[], number | null>("select min(expires_at) from drafts").pluck();
  const due = db.prepare<[number], Pick<Row, "id" | "origin">>(
    "select id, origin from drafts where expires_at <= ? order by expires_at, id",
  );
  const idsOfUser = db
    .prepare<[string], string>("select id from drafts where user_id = ? order by created_at")
    .pluck();
  const erase = db.prepare<[string]>("delete from drafts where user_id = ?");

  return {
    async add(request, origin, expiresAt) {
      const draft: Draft = { id: newId(), request, origin, createdAt: now(), expiresAt };
      const row = {
        id: draft.id,
        user_id: origin.userId,
        request: JSON.stringify(request),
        origin: JSON.stringify(origin),
        created_at: draft.createdAt,
        expires_at: expiresAt,
      };
      await connection.write(() => insert.run(row));
      return draft;
    },

    get: (id) => connection.read(() => toDraft(byId.get(id))),

    ofInteraction: (interactionId) => connection.read(() => toDraft(ofInteraction.get(interactionId))),

    async discard(id) {
      await connection.write(() => discard.run(id));
    },

    nextDueAt: () => connection.read(() => nextDue.get() ?? null),

    due: () =>
      connection.read(() =>
        due.all(now()).map(({ id, origin }) => ({ id, origin: fromJson<Origin>(origin) })),
      ),

    idsOfUser: (userId) => connection.read(() => idsOfUser.all(userId)),

    async erase(userId) {
      await connection.write(() => erase.run(userId));
    },
  };
}

function toDraft(row: Row | undefined): Draft | undefined {
  if (row === undefined) return undefined;
  return {
    id: row.id,
    request: fromJson<DraftRequest>(row.request),
    origin: fromJson<Origin>(row.origin),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
