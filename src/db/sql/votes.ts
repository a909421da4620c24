import { randomInt } from "node:crypto";
import { rewriterOf, textOfSide } from "../../core/job.js";
import { GIVEN, NO_REWRITER } from "../../core/rewriters.js";
import type { Side } from "../../core/side.js";
import { weightedShare } from "../../core/statistics/shares.js";
import type { Ballot, Choice, ExportedVote, Tally, TallyOf, VoteFilter, VoteKey, Votes } from "../votes.js";
import { CHOSEN, COUNTED } from "./chosen.js";
import { type Connection, readInPages, writeInSlices } from "./connection.js";
import { markLessons } from "./lessons.js";
import { sql, type Work } from "./statement.js";

interface BallotRow {
  readonly job_id: string;
  readonly guild_id: string | null;
  readonly channel_id: string;
  readonly left_side: Side;
  readonly closes_at: number | null;
  readonly closed_at: number | null;
}

/** A row of a page of votes. A ballot whose votes are over has one without a vote. */
interface VoteRow {
  /** The ballot's rowid. */
  readonly ballot: number;
  readonly guildId: string | null;
  readonly jobId: string;
  readonly userId: string | null;
  readonly mode: string;
  readonly baselineRewriter: string;
  readonly optimizedRewriter: string;
  readonly chosen: keyof Tally;
  /** 0 for a pair that the rewrite did not change. */
  readonly counted: 0 | 1;
  /** Null where taste did not choose. */
  readonly propensity: number | null;
  readonly isFirst: 0 | 1 | null;
  readonly at: number;
}

interface BallotOfPage {
  readonly ballot: number;
  readonly jobId: string;
  readonly isTheirs: 0 | 1;
}

/** A vote is read and counted in about two microseconds. */
const PAGE = 2_000;
/** Votes that are revealed at a time. */
const DUE_AT_ONCE = 100;

const COUNTS = `
  count(*) filter (where chosen = 'optimized') as optimized, count(*) filter (where chosen = 'baseline') as baseline,
  count(*) filter (where chosen = 'tie') as tie, count(*) filter (where chosen = 'bad') as bad`;
const ROW = `
  ballots.rowid as ballot, guild_id as "guildId", ballots.job_id as "jobId", user_id as "userId", mode,
  baseline_rewriter as "baselineRewriter", optimized_rewriter as "optimizedRewriter",
  ${CHOSEN} as chosen, case when ${COUNTED} then 1 else 0 end as counted, propensity, is_first as "isFirst",
  voted_at as at`;
/** The ballots from one on, each with its votes, without those up to a voter of the first ballot. */
const byBallot = (where: string) => `
  select ${ROW} from ballots left join votes
    on votes.job_id = ballots.job_id and user_id > case when ballots.rowid = @ballot then @voter else '' end
  where ${where} and ballots.rowid >= @ballot order by ballots.rowid, user_id limit ${PAGE}`;

const ballotOf = sql<{ jobId: string }, BallotRow>("select * from ballots where job_id = @jobId");
const open = sql<{
  readonly jobId: string;
  readonly guildId: string | null;
  readonly channelId: string;
  readonly authorId: string;
  readonly left: Side;
  readonly prompt: string;
  readonly rewrite: string;
  readonly seed: number;
  readonly mode: string;
  readonly baselineRewriter: string;
  readonly optimizedRewriter: string;
  readonly against: string | null;
  readonly checkpoint: string | null;
  readonly propensity: number | null;
  readonly isFirst: 0 | 1 | null;
  readonly now: number;
  readonly closesAt: number | null;
}>(`
  insert into ballots (job_id, guild_id, channel_id, author_id, left_side, prompt, rewrite, seed, mode,
    baseline_rewriter, optimized_rewriter, against, checkpoint, propensity, is_first, opened_at, closes_at)
  values (@jobId, @guildId, @channelId, @authorId, @left, @prompt, @rewrite, @seed, @mode, @baselineRewriter,
    @optimizedRewriter, @against, @checkpoint, @propensity, @isFirst, @now, @closesAt)
  on conflict (job_id) do nothing`);
const vote = sql<VoteKey & { choice: Choice; now: number }>(`
  insert into votes (job_id, user_id, choice, voted_at) values (@jobId, @userId, @choice, @now)
  on conflict (job_id, user_id) do nothing`);
const choiceOf = sql<VoteKey, { choice: Choice }>(
  "select choice from votes where job_id = @jobId and user_id = @userId",
);
const close = sql<{ jobId: string; now: number }>(
  "update ballots set closed_at = @now where job_id = @jobId and closed_at is null",
);
const due = sql<{ now: number }, BallotRow>(`
  select * from ballots where closed_at is null and closes_at <= @now order by closes_at limit ${DUE_AT_ONCE}`);
const nextDue = sql<null, { at: number | null }>(
  // In the words of the index.
  "select min(closes_at) as at from ballots where closed_at is null and closes_at is not null",
);
const tally = sql<{ jobId: string }, Tally>(`
  select ${COUNTS} from (
    select ${CHOSEN} as chosen from votes join ballots using (job_id) where job_id = @jobId and ${COUNTED}
  ) as counted`);
const ofAll = sql<{ ballot: number; voter: string }, VoteRow>(byBallot("true"));
const ofGuild = sql<{ ballot: number; voter: string; guildId: string }, VoteRow>(
  byBallot("guild_id = @guildId"),
);
const ofVoter = sql<{ userId: string; after: string }, VoteRow>(`
  select ${ROW} from votes join ballots using (job_id)
  where user_id = @userId and votes.job_id > @after order by votes.job_id limit ${PAGE}`);
const exported = sql<VoteKey, Omit<ExportedVote, "votedAt" | "counted"> & { at: number; counted: number }>(`
  select job_id as job, user_id as voter, ${CHOSEN} as choice, left_side as "leftSide", prompt,
    rewrite as optimized, against, seed, mode, baseline_rewriter as "baselineRewriter",
    optimized_rewriter as "optimizedRewriter", checkpoint, propensity, voted_at as at,
    case when ${COUNTED} then 1 else 0 end as counted
  from votes join ballots using (job_id)
  where job_id = @jobId and user_id = @userId`);
const ballotsPage = sql<{ author: string; after: number }, BallotOfPage>(`
  select rowid as ballot, job_id as "jobId", case when author_id = @author then 1 else 0 end as "isTheirs"
  from ballots where rowid > @after order by rowid limit ${PAGE}`);
const eraseVote = sql<VoteKey>("delete from votes where job_id = @jobId and user_id = @userId");
const eraseBallot = sql<{ jobId: string }>(`
  delete from ballots where job_id = @jobId
    and (not ${COUNTED} or not exists (select 1 from votes where votes.job_id = ballots.job_id))`);
const eraseTexts = sql<{ jobId: string; now: number }>(`
  update ballots set author_id = null, prompt = null, rewrite = null, against = null, seed = null,
    closed_at = coalesce(closed_at, @now)
  where job_id = @jobId`);

/** Ballots and votes, beside the jobs. */
export function sqlVotes(connection: Connection): Votes {
  const { now } = connection;

  function pages({ guildId, userId }: VoteFilter): AsyncGenerator<VoteRow[]> {
    return readInPages<VoteRow>(connection, (after) => {
      if (userId !== undefined) return ofVoter.all({ userId, after: after?.jobId ?? "" });
      const from = {
        ballot: after === undefined ? 0 : after.userId === null ? after.ballot + 1 : after.ballot,
        voter: after?.userId ?? "",
      };
      return guildId == null ? ofAll.all(from) : ofGuild.all({ ...from, guildId });
    });
  }

  /** The votes of a filter; other calls run between two pages of them. */
  async function forEach(filter: VoteFilter, work: (vote: VoteRow & VoteKey) => void): Promise<void> {
    for await (const rows of pages(filter)) {
      for (const row of rows) {
        const { userId, guildId } = row;
        if (userId !== null && (filter.guildId == null || guildId === filter.guildId))
          work({ ...row, userId });
      }
    }
  }

  /** Ids of the comparisons that a user asked for. */
  async function ofAuthor(author: string): Promise<string[]> {
    const jobs: string[] = [];
    const ballots = readInPages<BallotOfPage>(connection, (after) =>
      ballotsPage.all({ author, after: after?.ballot ?? 0 }),
    );
    for await (const rows of ballots) for (const { jobId, isTheirs } of rows) if (isTheirs) jobs.push(jobId);
    return jobs;
  }

  return {
    open: (job, closesAt) =>
      connection.write(function* () {
        const item = job.items[0];
        const taste = item?.notes.find((note) => note.code === "taste");
        yield* open.run({
          jobId: job.id,
          guildId: job.origin.guildId,
          channelId: job.origin.channelId,
          authorId: job.origin.userId,
          left: randomInt(2) === 0 ? "baseline" : "optimized",
          prompt: item?.prompt ?? "",
          rewrite: item?.rewrite ?? "",
          seed: item?.seed ?? job.image.seed,
          mode: (item?.candidates.length ?? 0) > 0 ? job.text.mode : "given",
          baselineRewriter: (item && rewriterOf(job, item, "baseline")) ?? NO_REWRITER,
          optimizedRewriter: (item && rewriterOf(job, item)) ?? GIVEN,
          against: item?.against === undefined ? null : textOfSide(item, "baseline"),
          checkpoint: job.checkpoints.diffusion,
          propensity: taste?.propensity ?? null,
          isFirst: taste === undefined ? null : taste.isFirst ? 1 : 0,
          now: now(),
          closesAt,
        });
        return toBallot((yield* ballotOf.get({ jobId: job.id }))!);
      }),

    async ballot(jobId) {
      const row = await connection.read(() => ballotOf.get({ jobId }));
      return row === undefined ? undefined : toBallot(row);
    },

    vote: (jobId, userId, choice) =>
      connection.write(function* () {
        const row = yield* ballotOf.get({ jobId });
        if (row === undefined || row.closed_at !== null) return "closed";
        const isFirst = (yield* vote.run({ jobId, userId, choice, now: now() })) === 1;
        return { counted: (yield* choiceOf.get({ jobId, userId }))!.choice, isFirst };
      }),

    close: async (jobId) => (await connection.write(() => close.run({ jobId, now: now() }))) === 1,

    due: async () => (await connection.read(() => due.all({ now: now() }))).map(toBallot),

    nextDueAt: async () => (await connection.read(() => nextDue.get()))?.at ?? null,

    tally: async (jobId) => (await connection.read(() => tally.get({ jobId })))!,

    async total(filter) {
      const counts = noVotes();
      await forEach(filter, (vote) => {
        if (isOnRewriting(vote)) counts[vote.chosen] += vote.counted;
      });
      return counts;
    },

    async tasteShares(guildId) {
      const pairs = new Map<string, { weight: number; isFirst: boolean; won: number; n: number }>();
      await forEach({ guildId }, (vote) => {
        const { jobId, chosen, counted, propensity, isFirst } = vote;
        if (
          counted === 0 ||
          !isOnRewriting(vote) ||
          propensity === null ||
          (chosen !== "optimized" && chosen !== "baseline")
        )
          return;
        const pair = pairs.get(jobId) ?? { weight: 1 / propensity, isFirst: isFirst === 1, won: 0, n: 0 };
        pair.n++;
        if (chosen === "optimized") pair.won++;
        pairs.set(jobId, pair);
      });
      const all = [...pairs.values()];
      return {
        with: weightedShare(all.map((pair) => ({ ...pair, weight: 1 }))),
        without: weightedShare(all.filter(({ isFirst }) => isFirst)),
      };
    },

    async by(group, filter, limit) {
      const groups = new Map<string, Counts>();
      await forEach(filter, (vote) => {
        const { mode, userId, chosen, counted } = vote;
        if (counted === 0 || !isOnRewriting(vote)) return;
        const key = group === "mode" ? mode : userId;
        const counts = groups.get(key) ?? noVotes();
        counts[chosen]++;
        groups.set(key, counts);
      });
      return largest(groups, limit);
    },

    async duels(filter) {
      const found = new Map<string, Counts & { baselineRewriter: string; optimizedRewriter: string }>();
      await forEach(filter, ({ baselineRewriter, optimizedRewriter, chosen, counted }) => {
        if (counted === 0) return;
        const key = JSON.stringify([baselineRewriter, optimizedRewriter]);
        const counts = found.get(key) ?? { baselineRewriter, optimizedRewriter, ...noVotes() };
        counts[chosen]++;
        found.set(key, counts);
      });
      return [...found.values()];
    },

    async keys(filter) {
      const found: (VoteKey & { readonly at: number })[] = [];
      await forEach(filter, ({ jobId, userId, at }) => found.push({ jobId, userId, at }));
      return found.sort((a, b) => a.at - b.at).map(({ jobId, userId }) => ({ jobId, userId }));
    },

    async exported(key) {
      const found = await connection.read(() => exported.get(key));
      if (found === undefined) return undefined;
      const { at, counted, ...rest } = found;
      return { ...rest, votedAt: new Date(at).toISOString(), counted: counted === 1 };
    },

    async erase(userId) {
      const own: string[] = [];
      await forEach({ userId }, ({ jobId }) => own.push(jobId));
      await writeInSlices(connection, own, (jobId) => eraseVote.run({ jobId, userId }), markLessons);
      await writeInSlices(connection, await ofAuthor(userId), eraseBallotOf, markLessons);
    },
  };

  function* eraseBallotOf(jobId: string): Work<void> {
    if ((yield* eraseBallot.run({ jobId })) === 0) yield* eraseTexts.run({ jobId, now: now() });
  }
}

/** Whether a vote is on a rewrite against the prompt as written, not against another rewriter. */
const isOnRewriting = ({ baselineRewriter }: VoteRow): boolean => baselineRewriter === NO_REWRITER;

type Counts = { -readonly [C in keyof Tally]: number };
const noVotes = (): Counts => ({ optimized: 0, baseline: 0, tie: 0, bad: 0 });
const sizeOf = ({ optimized, baseline, tie, bad }: Tally): number => optimized + baseline + tie + bad;

/** The groups with the most votes; sorting all of a hundred thousand voters would take too long. */
function largest(groups: ReadonlyMap<string, Tally>, limit: number): TallyOf[] {
  const first = (a: TallyOf, b: TallyOf) => sizeOf(b) - sizeOf(a) || (a.key < b.key ? -1 : 1);
  const most: TallyOf[] = [];
  for (const [key, counts] of groups) {
    const group = { key, ...counts };
    if (most.length === limit && first(group, most.at(-1)!) > 0) continue;
    most.push(group);
    most.sort(first);
    if (most.length > limit) most.pop();
  }
  return most;
}

const toBallot = (row: BallotRow): Ballot => ({
  jobId: row.job_id,
  guildId: row.guild_id,
  channelId: row.channel_id,
  left: row.left_side,
  closesAt: row.closes_at,
  closedAt: row.closed_at,
});
