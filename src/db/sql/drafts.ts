import type { Origin } from "../../core/job.js";
import { newId } from "../../core/job-id.js";
import type { Draft, DraftRequest, Drafts } from "../drafts.js";
import { type Connection, readInPages } from "./connection.js";
import { keepMessagesOfDrafts } from "./erased-messages.js";
import { fromJson } from "./job-row.js";
import { sql } from "./statement.js";

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

const insert = sql<Row & { user_id: string }>(`
  insert into drafts (id, user_id, request, origin, created_at, expires_at)
  values (@id, @user_id, @request, @origin, @created_at, @expires_at)`);
const byId = sql<{ id: string }, Row>("select * from drafts where id = @id");
const discard = sql<{ id: string }>("delete from drafts where id = @id");
const page = sql<{ after: number }, End>(
  `select rowid as seq, id, origin, expires_at from drafts where rowid > @after order by rowid limit ${PAGE}`,
);
const idsOfUser = sql<{ userId: string }, { id: string }>(
  "select id from drafts where user_id = @userId order by created_at",
);
const shown = sql<{ id: string; messageId: string }>(
  "update drafts set message_id = @messageId where id = @id",
);
const erase = sql<{ userId: string }, { id: string }>(
  "delete from drafts where user_id = @userId returning id",
);

/** Drafts, beside the jobs that they become. */
export function sqlDrafts(connection: Connection): Drafts {
  const { now } = connection;

  /** All drafts, without their prompts. */
  async function* ends(): AsyncGenerator<End> {
    const pages = readInPages<End>(connection, (after) => page.all({ after: after?.seq ?? 0 }));
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

    get: async (id) => toDraft(await connection.read(() => byId.get({ id }))),

    async ofInteraction(interactionId) {
      for await (const { id, origin } of ends())
        if (fromJson<Origin>(origin).interactionId === interactionId)
          return toDraft(await connection.read(() => byId.get({ id })));
      return undefined;
    },

    async discard(id) {
      await connection.write(() => discard.run({ id }));
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

    idsOfUser: async (userId) => (await connection.read(() => idsOfUser.all({ userId }))).map(({ id }) => id),

    shown: async (id, messageId) => (await connection.write(() => shown.run({ id, messageId }))) === 1,

    erase: (userId, withMessages = false) =>
      connection.write(function* () {
        if (withMessages) yield* keepMessagesOfDrafts(userId, now());
        return (yield* erase.all({ userId })).map(({ id }) => id);
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
