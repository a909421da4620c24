import type { JobState } from "../../core/job.js";
import type { ErasedMessage, Records } from "../records.js";
import type { Connection } from "./connection.js";
import { FINISHED, type JobRow } from "./job-row.js";
import type { Jobs } from "./jobs.js";
import type { Limits } from "./limits.js";
import type { Turns } from "./turns.js";

/** They are searched at each letter that a user types. All prompts of 200 batches of 100 took 0.2 s. */
const RECENT_PROMPTS = 500;

/** What is kept of jobs, and how it is deleted. */
export function sqliteRecords(connection: Connection, jobs: Jobs, turns: Turns, limits: Limits): Records {
  const { db, now } = connection;
  const setAside = db.prepare<[number], JobRow>(
    "select * from jobs where state = 'failed' order by finished_at desc, seq desc limit ?",
  );
  const withPictures = db.prepare<[], { id: string; finishedAt: number }>(`
    select id, finished_at as finishedAt from jobs
    where ${FINISHED} and pictures_pruned_at is null and kind <> 'optimize'
      and (delivered_at is not null or delivery_abandoned is not null)
    order by finished_at, seq`);
  const keepsPictures = db
    .prepare<[string], number>("select pictures_pruned_at is null from jobs where id = ?")
    .pluck();
  const picturesPruned = db.prepare<[{ id: string; now: number }]>(
    `update jobs set pictures_pruned_at = @now where id = @id and ${FINISHED}`,
  );
  const storedBytes = db
    .prepare<[], number>(`
      select (page_count - freelist_count) * page_size
      from pragma_page_count(), pragma_freelist_count(), pragma_page_size()`)
    .pluck();
  const pruneOldest = db
    .prepare<[number], string>(`
      delete from jobs where seq in (
        select seq from jobs
        where finished_at is not null and (delivered_at is not null or delivery_abandoned is not null)
        order by finished_at, seq limit ?
      ) returning id`)
    .pluck();
  const prunable = db
    .prepare<[number], string>(`
      select id from jobs
      where finished_at < ? and (delivered_at is not null or delivery_abandoned is not null)
      order by finished_at, seq`)
    .pluck();
  const recentPrompts = db
    .prepare<[{ userId: string; part: string; limit: number }], string>(`
      select prompt from (
        select prompt, job from jobs cross join items on job = seq where user_id = @userId
        order by seq desc, position limit ${RECENT_PROMPTS}
      )
      where instr(lower(prompt), lower(@part)) > 0
      group by prompt order by max(job) desc limit @limit`)
    .pluck();
  const idsOfUser = db
    .prepare<[string], string>("select id from jobs where user_id = ? order by seq")
    .pluck();
  const requestCancel = db.prepare<[number]>("update jobs set cancel_requested = 1 where seq = ?");
  const erase = db.prepare<[number]>("delete from jobs where seq = ?");
  const keepMessage = db.prepare<[{ seq: number; now: number }]>(`
    insert or ignore into erased_messages
      (job_id, channel_id, message_id, application_id, interaction_token, token_expires_at)
    select id, channel_id, message_id, application_id, interaction_token, token_expires_at from jobs
    where seq = @seq and (message_id is not null or token_expires_at > @now)`);
  const erasedMessages = db.prepare<[number, number], ErasedMessage>(`
    select seq, job_id as jobId, channel_id as channelId, message_id as messageId,
      application_id as applicationId, interaction_token as interactionToken, token_expires_at as tokenExpiresAt
    from erased_messages where seq > ? order by seq limit ?`);
  const settleMessage = db.prepare<[string]>("delete from erased_messages where job_id = ?");
  const drop = db.prepare<[string]>(`delete from jobs where id = ? and ${FINISHED}`);

  const isDropped = (id: string) => drop.run(id).changes === 1;
  const afterSlice = () => {
    limits.letIn();
    turns.forget();
  };

  /** Deletes a job, or asks it to stop if it runs. Answers the state it was in. */
  function eraseOrStop(id: string, withMessages: boolean): JobState {
    const row = jobs.row(id);
    if (row === undefined) return "cancelled";
    if (row.state === "running") requestCancel.run(row.seq);
    else {
      if (withMessages) keepMessage.run({ seq: row.seq, now: now() });
      erase.run(row.seq);
    }
    return row.state;
  }

  return {
    setAside: (limit) => connection.read(() => setAside.all(limit).map((row) => jobs.load(row))),

    withPictures: () => connection.read(() => withPictures.all()),

    async keepsPictures(id) {
      const kept = await connection.read(() => keepsPictures.get(id));
      return kept === undefined ? null : kept === 1;
    },

    async picturesPruned(id) {
      await connection.write(() => picturesPruned.run({ id, now: now() }));
    },

    storedBytes: () => connection.read(() => storedBytes.get()!),

    pruneOldest: (count) => connection.write(() => pruneOldest.all(count)),

    async prune(finishedBefore) {
      const ids = await connection.read(() => prunable.all(finishedBefore));
      const dropped = await connection.writeInSlices(ids, isDropped, afterSlice);
      return ids.filter((_id, i) => dropped[i]);
    },

    recentPrompts: (userId, part, limit) => connection.read(() => recentPrompts.all({ userId, part, limit })),

    idsOfUser: (userId) => connection.read(() => idsOfUser.all(userId)),

    async eraseUser(userId, withMessages = false) {
      const ids = await connection.read(() => idsOfUser.all(userId));
      const states = await connection.writeInSlices(ids, (id) => eraseOrStop(id, withMessages), afterSlice);
      return {
        deleted: ids.filter((_id, i) => states[i] !== "running"),
        waiting: ids.filter((_id, i) => states[i] === "queued"),
        stopping: ids.filter((_id, i) => states[i] === "running"),
      };
    },

    erasedMessages: (afterSeq, limit) => connection.read(() => erasedMessages.all(afterSeq, limit)),

    async messageSettled(jobId) {
      await connection.write(() => settleMessage.run(jobId));
    },

    drop: (id) => connection.write(() => isDropped(id)),
  };
}
