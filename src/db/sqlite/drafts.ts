import type { Origin } from "../../core/job.js";
import { newId } from "../../core/job-id.js";
import type { Draft, DraftRequest, Drafts } from "../drafts.js";
import type { Connection } from "./connection.js";
import type { ErasedMessages } from "./erased-messages.js";
import { fromJson } from "./job-row.js";

interface Row {
  readonly id: string;
  readonly request: string;
  readonly origin: string;
  readonly created_at: number;
  readonly expires_at: number;
}

/** A column behind a megabyte of prompts takes a millisecond to reach. */
const PAGE = 8;

/** When a draft ends, and where it is shown. */
interface End extends Pick<Row, "id" | "origin" | "expires_at"> {
  readonly seq: number;
}

/** Drafts, in the queue's file. */
export function sqliteDrafts(connection: Connection, messages: ErasedMessages): Drafts {
  const { db, now } = connection;
  const insert = db.prepare<[Row & { user_id: string }]>(`
    insert into drafts (id, user_id, request, origin, created_at, expires_at)
    values (@id, @user_id, @request, @origin, @created_at, @expires_at)`);
  const byId = db.prepare<[string], Row>("select * from drafts where id = ?");
  const discard = db.prepare<[string]>("delete from drafts where id = ?");
  const page = db.prepare<[number], End>(
    `select rowid as seq, id, origin, expires_at from drafts where rowid > ? order by rowid limit ${PAGE}`,
  );
  const idsOfUser = db
    .prepare<[string], string>("select id from drafts where user_id = ? order by created_at")
    .pluck();
  const shown = db.prepare<[{ id: string; messageId: string }]>(
    "update drafts set message_id = @messageId where id = @id",
  );
  const erase = db.prepare<[string], string>("delete from drafts where user_id = ? returning id").pluck();

  /** All drafts, without their prompts. */
  async function* ends(): AsyncGenerator<End> {
    const pages = connection.readInPages<End>((after) => page.all(after?.seq ?? 0));
    for await (const rows of pages) yield* rows;
  }

  return {
    async add(request, origin, expiresAt) {
      const draft: Draft = { id: request.id ?? newId(), request, origin, createdAt: now(), expiresAt };
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

    async ofInteraction(interactionId) {
      for await (const { id, origin } of ends())
        if (fromJson<Origin>(origin).interactionId === interactionId)
          return connection.read(() => toDraft(byId.get(id)));
      return undefined;
    },

    async discard(id) {
      await connection.write(() => discard.run(id));
    },

    async nextDueAt() {
      let first: number | null = null;
      for await (const { expires_at } of ends()) first = Math.min(first ?? expires_at, expires_at);
      return first;
    },

    async due() {
      const time = now();
      const found: End[] = [];
      for await (const end of ends()) if (end.expires_at <= time) found.push(end);
      return found
        .sort((a, b) => a.expires_at - b.expires_at || (a.id < b.id ? -1 : 1))
        .map(({ id, origin }) => ({ id, origin: fromJson<Origin>(origin) }));
    },

    idsOfUser: (userId) => connection.read(() => idsOfUser.all(userId)),

    shown: (id, messageId) => connection.write(() => shown.run({ id, messageId }).changes === 1),

    erase: (userId, withMessages = false) =>
      connection.write(() => {
        if (withMessages) messages.keepOfDrafts(userId);
        return erase.all(userId);
      }),
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
