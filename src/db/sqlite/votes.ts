import { randomInt } from "node:crypto";
import type { Database } from "better-sqlite3";
import type { Job } from "../../core/job.js";
import type { Side } from "../../core/side.js";
import type { Ballot, Choice, ExportedVote, Tally, TallyOf, VoteFilter, VoteKey, Votes } from "../votes.js";
import { toQueueError } from "./sqlite-error.js";

interface BallotRow {
  readonly job_id: string;
  readonly guild_id: string | null;
  readonly channel_id: string;
  readonly left_side: Side;
  readonly closes_at: number | null;
  readonly closed_at: number | null;
}

const CHOSEN = `
  case when choice in ('tie', 'bad') then choice
       when (choice = 'left') = (left_side = 'optimized') then 'optimized'
       else 'baseline' end`;
const COUNTS = `
  count(*) filter (where chosen = 'optimized') as optimized, count(*) filter (where chosen = 'baseline') as baseline,
  count(*) filter (where chosen = 'tie') as tie, count(*) filter (where chosen = 'bad') as bad`;
const FILTERED = `
  select votes.*, ballots.mode, ${CHOSEN} as chosen from votes join ballots using (job_id)
  where (@guildId is null or guild_id = @guildId) and (@userId is null or user_id = @userId)`;

type Filter = { guildId: string | null; userId: string | null };

/** Ballots and votes, in the queue's file. */
export class SqliteVotes implements Votes {
  readonly #db: Database;
  readonly #now: () => number;
  readonly #sql;

  constructor(db: Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
    this.#sql = {
      ballot: db.prepare<[string], BallotRow>("select * from ballots where job_id = ?"),
      open: db.prepare(`
        insert into ballots (job_id, guild_id, channel_id, author_id, left_side, prompt, rewrite, seed, mode,
          checkpoint, opened_at, closes_at)
        values (@jobId, @guildId, @channelId, @authorId, @left, @prompt, @rewrite, @seed, @mode, @checkpoint, @now,
          @closesAt)
        on conflict (job_id) do nothing`),
      vote: db.prepare<[string, string, Choice, number]>(`
        insert into votes (job_id, user_id, choice, voted_at) values (?, ?, ?, ?)
        on conflict (job_id, user_id) do update set choice = excluded.choice, voted_at = excluded.voted_at`),
      choice: db
        .prepare<[string, string], Choice>("select choice from votes where job_id = ? and user_id = ?")
        .pluck(),
      close: db.prepare<[number, string]>(
        "update ballots set closed_at = ? where job_id = ? and closed_at is null",
      ),
      due: db.prepare<[number], BallotRow>(
        "select * from ballots where closed_at is null and closes_at <= ? order by closes_at",
      ),
      nextDue: db
        .prepare<[], number | null>("select min(closes_at) from ballots where closed_at is null")
        .pluck(),
      tally: db.prepare<[string], Tally>(
        `select ${COUNTS} from (select ${CHOSEN} as chosen from votes join ballots using (job_id) where job_id = ?)`,
      ),
      total: db.prepare<[Filter], Tally>(`select ${COUNTS} from (${FILTERED})`),
      byMode: db.prepare<[Filter], TallyOf>(
        `select mode as key, ${COUNTS} from (${FILTERED}) group by mode order by count(*) desc, mode`,
      ),
      byUser: db.prepare<[Filter], TallyOf>(
        `select user_id as key, ${COUNTS} from (${FILTERED}) group by user_id order by count(*) desc, user_id`,
      ),
      keys: db.prepare<[Filter], VoteKey>(`
        select job_id as jobId, user_id as userId from votes join ballots using (job_id)
        where (@guildId is null or guild_id = @guildId) and (@userId is null or user_id = @userId)
        order by voted_at, job_id, user_id`),
      exported: db.prepare<[VoteKey], ExportedVote & { at: number }>(`
        select job_id as job, user_id as voter, ${CHOSEN} as choice, left_side as leftSide, prompt, rewrite as optimized, seed, mode,
          checkpoint, voted_at as at
        from votes join ballots using (job_id)
        where job_id = @jobId and user_id = @userId`),
      eraseVotes: db.prepare<[string]>("delete from votes where user_id = ?"),
      eraseBallots: db.prepare<[string]>("delete from ballots where author_id = ?"),
    };
  }

  async open(job: Job, closesAt: number | null): Promise<Ballot> {
    return this.#explained(() => {
      const item = job.items[0];
      this.#sql.open.run({
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
        now: this.#now(),
        closesAt,
      });
      return toBallot(this.#sql.ballot.get(job.id)!);
    });
  }

  async ballot(jobId: string): Promise<Ballot | undefined> {
    const row = this.#explained(() => this.#sql.ballot.get(jobId));
    return row === undefined ? undefined : toBallot(row);
  }

  async vote(
    jobId: string,
    userId: string,
    choice: Choice,
  ): Promise<{ readonly before: Choice | null } | "closed"> {
    return this.#explained(() =>
      this.#db
        .transaction(() => {
          const ballot = this.#sql.ballot.get(jobId);
          if (ballot === undefined || ballot.closed_at !== null) return "closed" as const;
          const before = this.#sql.choice.get(jobId, userId) ?? null;
          this.#sql.vote.run(jobId, userId, choice, this.#now());
          return { before };
        })
        .immediate(),
    );
  }

  async close(jobId: string): Promise<boolean> {
    return this.#explained(() => this.#sql.close.run(this.#now(), jobId).changes === 1);
  }

  async due(): Promise<Ballot[]> {
    return this.#explained(() => this.#sql.due.all(this.#now()).map(toBallot));
  }

  async nextDueAt(): Promise<number | null> {
    return this.#explained(() => this.#sql.nextDue.get() ?? null);
  }

  async tally(jobId: string): Promise<Tally> {
    return this.#explained(() => this.#sql.tally.get(jobId)!);
  }

  async total(filter: VoteFilter): Promise<Tally> {
    return this.#explained(() => this.#sql.total.get(toFilter(filter))!);
  }

  async by(group: "mode" | "user", filter: VoteFilter): Promise<TallyOf[]> {
    const statement = group === "mode" ? this.#sql.byMode : this.#sql.byUser;
    return this.#explained(() => statement.all(toFilter(filter)));
  }

  async keys(filter: VoteFilter): Promise<VoteKey[]> {
    return this.#explained(() => this.#sql.keys.all(toFilter(filter)));
  }

  async exported(key: VoteKey): Promise<ExportedVote | undefined> {
    return this.#explained(() => {
      const found = this.#sql.exported.get(key);
      if (found === undefined) return undefined;
      const { at, ...vote } = found;
      return { ...vote, votedAt: new Date(at).toISOString() };
    });
  }

  async erase(userId: string): Promise<void> {
    this.#explained(() => {
      this.#sql.eraseVotes.run(userId);
      this.#sql.eraseBallots.run(userId);
    });
  }

  #explained<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw toQueueError(error, this.#db.name);
    }
  }
}

const toFilter = ({ guildId = null, userId }: VoteFilter): Filter => ({ guildId, userId: userId ?? null });

const toBallot = (row: BallotRow): Ballot => ({
  jobId: row.job_id,
  guildId: row.guild_id,
  channelId: row.channel_id,
  left: row.left_side,
  closesAt: row.closes_at,
  closedAt: row.closed_at,
});
