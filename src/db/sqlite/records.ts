import type { JobState } from "../../core/job.js";
import type { JobEntry, Records } from "../records.js";
import type { Connection } from "./connection.js";
import type { ErasedMessages } from "./erased-messages.js";
import { FINISHED, type JobRow } from "./job-row.js";
import type { Jobs } from "./jobs.js";
import type { Limits } from "./limits.js";
import type { Turns } from "./turns.js";

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

/** What is kept of jobs, and how it is deleted. */
export function sqliteRecords(
  connection: Connection,
  jobs: Jobs,
  turns: Turns,
  limits: Limits,
  messages: ErasedMessages,
): Records {
  const { db, now } = connection;
  const latest = db.prepare<[number], JobRow>(
    `select * from jobs where ${FINISHED} order by finished_at desc, seq desc limit ?`,
  );
  const setAside = db.prepare<[number], JobRow>(
    "select * from jobs where state = 'failed' order by finished_at desc, seq desc limit ?",
  );
  // No index knows which jobs are finished and settled, so all are read, and chosen here.
  const page = db.prepare<[number], Finished>(`
    select seq, id, finished_at as finishedAt,
      delivered_at is not null or delivery_abandoned is not null as settled,
      pictures_pruned_at is null and kind <> 'optimize' as drawn
    from jobs where seq > ? order by seq limit ${PAGE}`);
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
  const recentPrompts = db
    .prepare<[{ userId: string; part: string; limit: number }], string>(`
      select prompt from (
        select prompt, job from jobs cross join items on job = seq where user_id = @userId
        order by seq desc, position limit ${RECENT_PROMPTS}
      )
      where instr(lower(prompt), lower(@part)) > 0
      group by prompt order by max(job) desc limit @limit`)
    .pluck();
  const recentJobs = db.prepare<[{ userId: string; part: string; limit: number }], JobEntry>(`
    select id, kind, state, created_at as createdAt, guild_id as guildId, channel_id as channelId,
      message_id as messageId, prompt
    from (
      select seq, id, kind, state, created_at, guild_id, channel_id, message_id, coalesce((select prompt from items where job = seq order by position limit 1), '') as prompt
      from jobs where user_id = @userId order by seq desc limit ${RECENT_JOBS}
    )
    where instr(lower(prompt), lower(@part)) > 0 or instr(id, lower(@part)) = 1
    order by seq desc limit @limit`);
  const ofUser = db.prepare<[{ userId: string; after: number }], { seq: number; id: string }>(`
    select seq, id from jobs where user_id = @userId and seq > @after order by seq limit ${PAGE}`);
  const eraseAfterwards = db.prepare<[{ seq: number; erasing: Erasing }]>(
    "update jobs set cancel_requested = 1, erasing = @erasing where seq = @seq",
  );
  const ended = db.prepare<[], Ended>(
    `select seq, id, erasing from jobs where erasing is not null and ${FINISHED} order by seq`,
  );
  const erase = db.prepare<[number]>("delete from jobs where seq = ?");
  const drop = db.prepare<[string]>(`delete from jobs where id = ? and ${FINISHED}`);

  const isDropped = (id: string) => drop.run(id).changes === 1;
  const afterSlice = () => {
    limits.letIn();
    turns.forget();
  };

  /** The finished and settled jobs that `wanted` accepts, oldest first. */
  async function settled(
    wanted: (job: Finished & { readonly finishedAt: number }) => boolean,
  ): Promise<{ id: string; finishedAt: number }[]> {
    const found: { id: string; finishedAt: number }[] = [];
    const pages = connection.readInPages<Finished>((after) => page.all(after?.seq ?? 0));
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
    const pages = connection.readInPages<{ seq: number; id: string }>((after) =>
      ofUser.all({ userId, after: after?.seq ?? 0 }),
    );
    for await (const rows of pages) for (const { id } of rows) ids.push(id);
    return ids;
  }

  /** Deletes those that are finished still. Answers their ids. */
  async function dropAll(ids: readonly string[]): Promise<string[]> {
    const dropped = await connection.writeInSlices(ids, isDropped, afterSlice);
    return ids.filter((_id, i) => dropped[i]);
  }

  function eraseRow({ seq, erasing }: Pick<Ended, "seq" | "erasing">): void {
    if (erasing === "with-messages") messages.keepOfJob(seq);
    erase.run(seq);
  }

  /** Deletes a job, or asks it to stop if it runs. Answers the state it was in. */
  function eraseOrStop(id: string, withMessages: boolean): JobState {
    const row = jobs.row(id);
    if (row === undefined) return "cancelled";
    const erasing = withMessages ? "with-messages" : "without-messages";
    if (row.state === "running") eraseAfterwards.run({ seq: row.seq, erasing });
    else eraseRow({ seq: row.seq, erasing });
    return row.state;
  }

  return {
    latest: (limit) => connection.read(() => latest.all(limit).map((row) => jobs.load(row))),

    setAside: (limit) => connection.read(() => setAside.all(limit).map((row) => jobs.load(row))),

    withPictures: () => settled(({ drawn }) => drawn === 1),

    async keepsPictures(id) {
      const kept = await connection.read(() => keepsPictures.get(id));
      return kept === undefined ? null : kept === 1;
    },

    async picturesPruned(id) {
      await connection.write(() => picturesPruned.run({ id, now: now() }));
    },

    storedBytes: () => connection.read(() => storedBytes.get()!),

    pruneOldest: async (count) => dropAll((await settled(() => true)).slice(0, count).map(({ id }) => id)),

    prune: async (finishedBefore) =>
      dropAll((await settled(({ finishedAt }) => finishedAt < finishedBefore)).map(({ id }) => id)),

    recentPrompts: (userId, part, limit) => connection.read(() => recentPrompts.all({ userId, part, limit })),

    recentJobs: (userId, part, limit) => connection.read(() => recentJobs.all({ userId, part, limit })),

    idsOfUser,

    async eraseUser(userId, withMessages = false) {
      const ids = await idsOfUser(userId);
      const states = await connection.writeInSlices(ids, (id) => eraseOrStop(id, withMessages), afterSlice);
      return {
        deleted: ids.filter((_id, i) => states[i] !== "running"),
        waiting: ids.filter((_id, i) => states[i] === "queued"),
        stopping: ids.filter((_id, i) => states[i] === "running"),
      };
    },

    async eraseEnded() {
      const jobs = await connection.read(() => ended.all());
      await connection.writeInSlices(jobs, eraseRow, afterSlice);
      return jobs.map(({ id }) => id);
    },

    erasedMessages: (afterSeq, limit) => connection.read(() => messages.page(afterSeq, limit)),

    async messageSettled(seq) {
      await connection.write(() => messages.settle(seq));
    },

    drop: (id) => connection.write(() => isDropped(id)),
  };
}
