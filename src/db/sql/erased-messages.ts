import type { ErasedMessage } from "../records.js";
import { sql, type Work } from "./statement.js";

/** Which messages of erased jobs and drafts Discord still has, inside the transaction of the verb that asks. */

const COLUMNS = "source_id, channel_id, message_id, application_id, interaction_token, token_expires_at";
const TOKEN = "application_id, interaction_token, token_expires_at";

// A result that came as a direct message is among the others, with its own channel.
const ofResult = sql<{ seq: number }>(`
  insert into erased_messages (${COLUMNS})
  select id, channel_id, message_id, ${TOKEN} from jobs
  where seq = @seq and message_id is distinct from reply_id and message_id is not null
    and message_id not in (select message_id from job_messages where job = @seq)`);
// Without an id, only the token reaches it. A result without a known reply came as the reply.
const ofReply = sql<{ seq: number; now: number }>(`
  insert into erased_messages (${COLUMNS})
  select id, channel_id, reply_id, ${TOKEN} from jobs
  where seq = @seq and (reply_id is not null or message_id is null and token_expires_at > @now)`);
const others = sql<{ seq: number }>(`
  insert into erased_messages (${COLUMNS})
  select id, m.channel_id, m.message_id, ${TOKEN} from job_messages m join jobs on m.job = seq
  where seq = @seq and m.message_id is distinct from reply_id`);
const ofDrafts = sql<{ userId: string; now: number }>(`
  insert into erased_messages (${COLUMNS})
  select id, origin ->> 'channelId', message_id, origin ->> 'applicationId',
    origin ->> 'interactionToken', cast(origin ->> 'tokenExpiresAt' as bigint)
  from drafts
  where user_id = @userId
    and (message_id is not null or cast(origin ->> 'tokenExpiresAt' as bigint) > @now)
  order by created_at`);
const page = sql<{ afterSeq: number; limit: number }, ErasedMessage>(`
  select seq, source_id as "sourceId", channel_id as "channelId", message_id as "messageId",
    application_id as "applicationId", interaction_token as "interactionToken",
    token_expires_at as "tokenExpiresAt"
  from erased_messages where seq > @afterSeq order by seq limit @limit`);
const settle = sql<{ seq: number }>("delete from erased_messages where seq = @seq");

/** Keeps the messages of a job whose row is about to go. */
export function* keepMessagesOfJob(seq: number, now: number): Work<void> {
  yield* ofReply.run({ seq, now });
  yield* others.run({ seq });
  yield* ofResult.run({ seq });
}

/** Keeps the messages of a user's drafts, which are about to go. */
export function* keepMessagesOfDrafts(userId: string, now: number): Work<void> {
  yield* ofDrafts.run({ userId, now });
}

export const erasedMessages = (afterSeq: number, limit: number): Work<ErasedMessage[]> =>
  page.all({ afterSeq, limit });

export const settleMessage = (seq: number): Work<number> => settle.run({ seq });
