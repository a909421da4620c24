import type { Database, Statement } from "better-sqlite3";
import type { ErasedMessage } from "../records.js";

const COLUMNS = "source_id, channel_id, message_id, application_id, interaction_token, token_expires_at";

/** Which messages of erased jobs and drafts Discord still has, inside the transaction of the verb that asks. */
export class ErasedMessages {
  readonly #ofResult: Statement<[{ seq: number }]>;
  readonly #ofReply: Statement<[{ seq: number; now: number }]>;
  readonly #others: Statement<[{ seq: number }]>;
  readonly #ofDrafts: Statement<[{ userId: string; now: number }]>;
  readonly #page: Statement<[number, number], ErasedMessage>;
  readonly #settle: Statement<[number]>;
  readonly #now: () => number;

  constructor(db: Database, now: () => number) {
    this.#now = now;
    const token = "application_id, interaction_token, token_expires_at";
    // A result that came as a direct message is among the others, with its own channel.
    this.#ofResult = db.prepare(`
      insert into erased_messages (${COLUMNS})
      select id, channel_id, message_id, ${token} from jobs
      where seq = @seq and message_id is not reply_id and message_id is not null
        and message_id not in (select message_id from job_messages where job = @seq)`);
    // Without an id, only the token reaches it. A result without a known reply came as the reply.
    this.#ofReply = db.prepare(`
      insert into erased_messages (${COLUMNS})
      select id, channel_id, reply_id, ${token} from jobs
      where seq = @seq and (reply_id is not null or message_id is null and token_expires_at > @now)`);
    this.#others = db.prepare(`
      insert into erased_messages (${COLUMNS})
      select id, m.channel_id, m.message_id, ${token} from job_messages m join jobs on m.job = seq
      where seq = @seq and m.message_id is not reply_id`);
    this.#ofDrafts = db.prepare(`
      insert into erased_messages (${COLUMNS})
      select id, origin ->> '$.channelId', message_id, origin ->> '$.applicationId',
        origin ->> '$.interactionToken', origin ->> '$.tokenExpiresAt'
      from drafts
      where user_id = @userId and (message_id is not null or origin ->> '$.tokenExpiresAt' > @now)
      order by created_at`);
    this.#page = db.prepare(`
      select seq, source_id as sourceId, channel_id as channelId, message_id as messageId,
        application_id as applicationId, interaction_token as interactionToken,
        token_expires_at as tokenExpiresAt
      from erased_messages where seq > ? order by seq limit ?`);
    this.#settle = db.prepare("delete from erased_messages where seq = ?");
  }

  /** Keeps the messages of a job whose row is about to go. */
  keepOfJob(seq: number): void {
    this.#ofReply.run({ seq, now: this.#now() });
    this.#others.run({ seq });
    this.#ofResult.run({ seq });
  }

  /** Keeps the messages of a user's drafts, which are about to go. */
  keepOfDrafts(userId: string): void {
    this.#ofDrafts.run({ userId, now: this.#now() });
  }

  page(afterSeq: number, limit: number): ErasedMessage[] {
    return this.#page.all(afterSeq, limit);
  }

  settle(seq: number): void {
    this.#settle.run(seq);
  }
}
