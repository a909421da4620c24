import type { JobState } from "../../core/job.js";
import type { JobEntry, Records } from "../records.js";
import { type Connection, readInPages, writeInSlices } from "./connection.js";
import { erasedMessages, keepMessagesOfJob, settleMessage } from "./erased-messages.js";
import { FINISHED, type JobRow } from "./job-row.js";
import { jobRow, loadAll, loadJob } from "./jobs.js";
import { letIn } from "./limits.js";
import { sql, type Work } from "./statement.js";
import { forgetTurns } from "./turns.js";

/** A row of `jobs` is read in about a microsecond. */
const PAGE = 2_000;

/** What retention asks of a job. */
interface Finished {
  readonly seq: number;
  readonly id: string;
  readonly finishedAt: number | null;
  /** Its delivery succeeded or was given up. */
  readonly settled: 0 | 1;
  /** It has pictures. */
  readonly drawn: 0 | 1;
}

/** How a job is erased that ran when its user was: the column `erasing`. */
type Erasing = "with-messages" | "without-messages";

/** A job that has ended and is to be erased. */
interface Ended {
  readonly seq: number;
  readonly id: string;
  readonly erasing: Erasing;
}

/** They are searched at each letter that a user types. All prompts of 200 batches of 100 took 0.2 s. */
const RECENT_PROMPTS = 500;
const RECENT_JOBS = 500;

const latest = sql<{ limit: number }, JobRow>(
  `select * from jobs where ${FINISHED} order by finished_at desc, seq desc limit @limit`,
);
const ofMessage = sql<{ messageId: string }, JobRow>("select * from jobs where message_id = @messageId");
const setAside = sql<{ limit: number }, JobRow>(
  "select * from jobs where state = 'failed' order by finished_at desc, seq desc limit @limit",
);
// No index knows which jobs are finished and settled, so all are read, and chosen here.
const page = sql<{ after: number }, Finished>(`
  select seq, id, finished_at as "finishedAt",
    case when delivered_at is not null or delivery_abandoned is not null then 1 else 0 end as settled,
    case when pictures_pruned_at is null and kind <> 'optimize' then 1 else 0 end as drawn
  from jobs where seq > @after order by seq limit ${PAGE}`);
const prunedAt = sql<{ id: string }, { at: number | null }>(
  "select pictures_pruned_at as at from jobs where id = @id",
);
const picturesPruned = sql<{ id: string; now: number }>(
  `update jobs set pictures_pruned_at = @now where id = @id and ${FINISHED}`,
);
const storedBytes = sql<null, { bytes: number }>(`
  /*sqlite select (page_count - freelist_count) * page_size as bytes
    from pragma_page_count(), pragma_freelist_count(), pragma_page_size() */
  /*postgres select sum(bytes) as bytes from (
      select sum(pg_column_size(jobs.*)) as bytes from jobs
      union all select sum(pg_column_size(items.*)) from items
      union all select sum(pg_column_size(drafts.*)) from drafts
    ) as parts */`);
const FOUND_IN = "/*sqlite instr*//*postgres strpos*/";
const recentPrompts = sql<{ userId: string; part: string; limit: number }, { prompt: string }>(`
  select prompt from (
    select prompt, job from jobs cross join items /*sqlite on job = seq where*//*postgres where job = seq and*/
      user_id = @userId
    order by seq desc, position limit ${RECENT_PROMPTS}
  ) as recent
  where ${FOUND_IN}(lower(prompt), lower(@part)) > 0
  group by prompt order by max(job) desc limit @limit`);
const recentJobs = sql<{ userId: string; part: string; limit: number }, JobEntry>(`
  select id, kind, state, created_at as "createdAt", guild_id as "guildId", channel_id as "channelId",
    message_id as "messageId", prompt
  from (
    select seq, id, kind, state, created_at, guild_id, channel_id, message_id,
      coalesce((select prompt from items where job = seq order by position limit 1), '') as prompt
    from jobs where user_id = @userId order by seq desc limit ${RECENT_JOBS}
  ) as recent
  where ${FOUND_IN}(lower(prompt), lower(@part)) > 0 or ${FOUND_IN}(id, lower(@part)) = 1
  order by seq desc limit @limit`);
const ofUser = sql<{ userId: string; after: number }, { seq: number; id: string }>(`
  select seq, id from jobs where user_id = @userId and seq > @after order by seq limit ${PAGE}`);
const eraseAfterwards = sql<{ seq: number; erasing: Erasing }>(
  "update jobs set cancel_requested = 1, erasing = @erasing where seq = @seq",
);
const ended = sql<null, Ended>(
  `select seq, id, erasing from jobs where erasing is not null and ${FINISHED} order by seq`,
);
const erase = sql<{ seq: number }>("delete from jobs where seq = @seq");
const drop = sql<{ id: string }>(`delete from jobs where id = @id and ${FINISHED}`);

function* isDropped(id: string): Work<boolean> {
  return (yield* drop.run({ id })) === 1;
}

function* afterSlice(): Work<void> {
  yield* letIn();
  yield* forgetTurns();
}

/** What is kept of jobs, and how it is deleted. */
export function sqlRecords(connection: Connection): Records {
  const { now } = connection;

  /** The finished and settled jobs that `wanted` accepts, oldest first. */
  async function settled(
    wanted: (job: Finished & { readonly finishedAt: number }) => boolean,
  ): Promise<{ id: string; finishedAt: number }[]> {
    const found: { id: string; finishedAt: number }[] = [];
    const pages = readInPages<Finished>(connection, (after) => page.all({ after: after?.seq ?? 0 }));
    for await (const rows of pages) {
      for (const job of rows) {
        const { id, finishedAt } = job;
        if (finishedAt !== null && job.settled === 1 && wanted({ ...job, finishedAt }))
          found.push({ id, finishedAt });
      }
    }
    // They are nearly in order already, which makes this quick.
    return found.sort((a, b) => a.finishedAt - b.finishedAt);
  }

  async function idsOfUser(userId: string): Promise<string[]> {
    const ids: string[] = [];
    const pages = readInPages<{ seq: number; id: string }>(connection, (after) =>
      ofUser.all({ userId, after: after?.seq ?? 0 }),
    );
    for await (const rows of pages) for (const { id } of rows) ids.push(id);
    return ids;
  }

  /** Deletes those that are finished still. Answers their ids. */
  async function dropAll(ids: readonly string[]): Promise<string[]> {
    const dropped = await writeInSlices(connection, ids, isDropped, afterSlice);
    return ids.filter((_id, i) => dropped[i]);
  }

  function* eraseRow({ seq, erasing }: Pick<Ended, "seq" | "erasing">): Work<void> {
    if (erasing === "with-messages") yield* keepMessagesOfJob(seq, now());
    yield* erase.run({ seq });
  }

  /** Deletes a job, or asks it to stop if it runs. Answers the state it was in. */
  function* eraseOrStop(id: string, withMessages: boolean): Work<JobState> {
    const row = yield* jobRow(id);
    if (row === undefined) return "cancelled";
    const erasing = withMessages ? "with-messages" : "without-messages";
    if (row.state === "running") yield* eraseAfterwards.run({ seq: row.seq, erasing });
    else yield* eraseRow({ seq: row.seq, erasing });
    return row.state;
  }

  return {
    latest: (limit) =>
      connection.read(function* () {
        return yield* loadAll(yield* latest.all({ limit }));
      }),

    jobOfMessage: (messageId) =>
      connection.read(function* () {
        const row = yield* ofMessage.get({ messageId });
        return row === undefined ? undefined : yield* loadJob(row);
      }),

    setAside: (limit) =>
      connection.read(function* () {
        return yield* loadAll(yield* setAside.all({ limit }));
      }),

    withPictures: () => settled(({ drawn }) => drawn === 1),

    async keepsPictures(id) {
      const pruned = await connection.read(() => prunedAt.get({ id }));
      return pruned === undefined ? null : pruned.at === null;
    },

    async picturesPruned(id) {
      await connection.write(() => picturesPruned.run({ id, now: now() }));
    },

    storedBytes: async () => (await connection.read(() => storedBytes.get()))?.bytes ?? 0,

    pruneOldest: async (count) => dropAll((await settled(() => true)).slice(0, count).map(({ id }) => id)),

    prune: async (finishedBefore) =>
      dropAll((await settled(({ finishedAt }) => finishedAt < finishedBefore)).map(({ id }) => id)),

    async recentPrompts(userId, part, limit) {
      const found = await connection.read(() => recentPrompts.all({ userId, part, limit }));
      return found.map(({ prompt }) => prompt);
    },

    recentJobs: (userId, part, limit) => connection.read(() => recentJobs.all({ userId, part, limit })),

    idsOfUser,

    async eraseUser(userId, withMessages = false) {
      const ids = await idsOfUser(userId);
      const states = await writeInSlices(connection, ids, (id) => eraseOrStop(id, withMessages), afterSlice);
      return {
        deleted: ids.filter((_id, i) => states[i] !== "running"),
        waiting: ids.filter((_id, i) => states[i] === "queued"),
        stopping: ids.filter((_id, i) => states[i] === "running"),
      };
    },

    async eraseEnded() {
      const jobs = await connection.read(() => ended.all());
      await writeInSlices(connection, jobs, eraseRow, afterSlice);
      return jobs.map(({ id }) => id);
    },

    erasedMessages: (afterSeq, limit) => connection.read(() => erasedMessages(afterSeq, limit)),

    async messageSettled(seq) {
      await connection.write(() => settleMessage(seq));
    },

    drop: (id) => connection.write(() => isDropped(id)),
  };
}
