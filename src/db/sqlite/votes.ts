import { randomInt } from "node:crypto";
import type { Side } from "../../core/side.js";
import type { Ballot, Choice, ExportedVote, Tally, TallyOf, VoteFilter, VoteKey, Votes } from "../votes.js";
import type { Connection } from "./connection.js";

interface BallotRow {
  readonly job_id: string;
  readonly guild_id: string | null;
  readonly channel_id: string;
  readonly left_side: Side;
  readonly closes_at: number | null;
  readonly closed_at: number | null;
}

interface Filter {
  readonly guildId: string | null;
  readonly userId: string | null;
}

const CHOSEN = `
  case when choice in ('tie', 'bad') then choice
       when (choice = 'left') = (left_side = 'optimized') then 'optimized'
       else 'baseline' end`;
const COUNTS = `
  count(*) filter (where chosen = 'optimized') as optimized, count(*) filter (where chosen = 'baseline') as baseline,
  count(*) filter (where chosen = 'tie') as tie, count(*) filter (where chosen = 'bad') as bad`;
/** The rule of core/job.ts's isUnchanged. An erased ballot has no texts, and is kept only where it counts. */
const COUNTED = "(prompt is null or trim(lower(prompt)) <> trim(lower(rewrite)))";
const FILTERED = `
  select votes.*, ballots.mode, ${CHOSEN} as chosen from votes join ballots using (job_id)
  where (@guildId is null or guild_id = @guildId) and (@userId is null or user_id = @userId) and ${COUNTED}`;

/** Ballots and votes, in the queue's file. */
export function sqliteVotes(connection: Connection): Votes {
  const { db, now } = connection;
  const ballot = db.prepare<[string], BallotRow>("select * from ballots where job_id = ?");
  const open = db.prepare(`
    insert into ballots (job_id, guild_id, channel_id, author_id, left_side, prompt, rewrite, seed, mode,
      checkpoint, opened_at, closes_at)
    values (@jobId, @guildId, @channelId, @authorId, @left, @prompt, @rewrite, @seed, @mode, @checkpoint, @now,
      @closesAt)
    on conflict (job_id) do nothing`);
  const vote = db.prepare<[string, string, Choice, number]>(`
    insert into votes (job_id, user_id, choice, voted_at) values (?, ?, ?, ?)
    on conflict (job_id, user_id) do nothing`);
  const choiceOf = db
    .prepare<[string, string], Choice>("select choice from votes where job_id = ? and user_id = ?")
    .pluck();
  const close = db.prepare<[number, string]>(
    "update ballots set closed_at = ? where job_id = ? and closed_at is null",
  );
  const due = db.prepare<[number], BallotRow>(
    "select * from ballots where closed_at is null and closes_at <= ? order by closes_at",
  );
  const nextDue = db
    .prepare<[], number | null>("select min(closes_at) from ballots where closed_at is null")
    .pluck();
  const tally = db.prepare<[string], Tally>(
    `select ${COUNTS} from (select ${CHOSEN} as chosen from votes join ballots using (job_id) where job_id = ? and ${COUNTED})`,
  );
  const total = db.prepare<[Filter], Tally>(`select ${COUNTS} from (${FILTERED})`);
  const by = {
    mode: db.prepare<[Filter], TallyOf>(
      `select mode as key, ${COUNTS} from (${FILTERED}) group by mode order by count(*) desc, mode`,
    ),
    user: db.prepare<[Filter], TallyOf>(
      `select user_id as key, ${COUNTS} from (${FILTERED}) group by user_id order by count(*) desc, user_id`,
    ),
  };
  const keys = db.prepare<[Filter], VoteKey>(`
    select job_id as jobId, user_id as userId from votes join ballots using (job_id)
    where (@guildId is null or guild_id = @guildId) and (@userId is null or user_id = @userId)
    order by voted_at, job_id, user_id`);
  const exported = db.prepare<
    [VoteKey],
    Omit<ExportedVote, "votedAt" | "counted"> & { at: number; counted: number }
  >(`
    select job_id as job, user_id as voter, ${CHOSEN} as choice, left_side as leftSide, prompt,
      rewrite as optimized, seed, mode, checkpoint, voted_at as at, ${COUNTED} as counted
    from votes join ballots using (job_id)
    where job_id = @jobId and user_id = @userId`);
  const eraseVotes = db.prepare<[string]>("delete from votes where user_id = ?");
  const eraseBallots = db.prepare<[string]>(`
    delete from ballots where author_id = ?
      and (not ${COUNTED} or not exists (select 1 from votes where votes.job_id = ballots.job_id))`);
  const eraseTexts = db.prepare<[number, string]>(`
    update ballots set author_id = null, prompt = null, rewrite = null, seed = null, closed_at = coalesce(closed_at, ?)
    where author_id = ?`);

  return {
    open: (job, closesAt) =>
      connection.write(() => {
        const item = job.items[0];
        open.run({
          jobId: job.id,
          guildId: job.origin.guildId,
          channelId: job.origin.channelId,
          authorId: job.origin.userId,
          left: randomInt(2) === 0 ? "baseline" : "optimized",
          prompt: item?.prompt ?? "",
          rewrite: item?.rewrite ?? "",
          seed: item?.seed ?? job.image.seed,
          mode: (item?.candidates.length ?? 0) > 0 ? job.text.mode : "given",
          checkpoint: job.checkpoints.diffusion,
          now: now(),
          closesAt,
        });
        return toBallot(ballot.get(job.id)!);
      }),

    ballot: (jobId) =>
      connection.read(() => {
        const row = ballot.get(jobId);
        return row === undefined ? undefined : toBallot(row);
      }),

    vote: (jobId, userId, choice) =>
      connection.write(() => {
        const row = ballot.get(jobId);
        if (row === undefined || row.closed_at !== null) return "closed";
        const isFirst = vote.run(jobId, userId, choice, now()).changes === 1;
        return { counted: choiceOf.get(jobId, userId)!, isFirst };
      }),

    close: (jobId) => connection.write(() => close.run(now(), jobId).changes === 1),

    due: () => connection.read(() => due.all(now()).map(toBallot)),

    nextDueAt: () => connection.read(() => nextDue.get() ?? null),

    tally: (jobId) => connection.read(() => tally.get(jobId)!),

    total: (filter) => connection.read(() => total.get(toFilter(filter))!),

    by: (group, filter) => connection.read(() => by[group].all(toFilter(filter))),

    keys: (filter) => connection.read(() => keys.all(toFilter(filter))),

    exported: (key) =>
      connection.read(() => {
        const found = exported.get(key);
        if (found === undefined) return undefined;
        const { at, counted, ...rest } = found;
        return { ...rest, votedAt: new Date(at).toISOString(), counted: counted === 1 };
      }),

    async erase(userId) {
      await connection.write(() => {
        eraseVotes.run(userId);
        eraseBallots.run(userId);
        eraseTexts.run(now(), userId);
      });
    },
  };
}

const toFilter = ({ guildId, userId }: VoteFilter): Filter => ({
  guildId: guildId ?? null,
  userId: userId ?? null,
});

const toBallot = (row: BallotRow): Ballot => ({
  jobId: row.job_id,
  guildId: row.guild_id,
  channelId: row.channel_id,
  left: row.left_side,
  closesAt: row.closes_at,
  closedAt: row.closed_at,
});
