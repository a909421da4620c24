import { InputError } from "../../core/errors.js";
import type { LimitScope, Origin, Phase } from "../../core/job.js";
import type { JobCaps } from "../queue.js";
import { fromJson } from "./job-row.js";
import { type Statement, sql, type Work } from "./statement.js";
import { joinRing } from "./turns.js";

/** Whose limits a job counts for. */
type Counted = Readonly<Record<LimitScope, string | null>>;
type InLine = Readonly<Record<LimitScope, Map<string, number>>>;

interface HeldRow extends Counted {
  readonly seq: number;
  readonly user: string;
  readonly phase: Phase;
  readonly held: LimitScope;
  readonly limits: string;
}

const SCOPES = ["user", "channel", "server"] as const satisfies readonly LimitScope[];

/** How many jobs of a user, channel or server may be open (caps) or in line (limits). */

/** A user's are found by an index, in which the phases and the jobs out of line stand apart. */
const openOf: Readonly<Record<LimitScope, Statement<{ id: string | null }, { jobs: number }>>> = {
  user: sql(`
    select (select count(*) from jobs where state in ('queued', 'running') and phase in ('text', 'image')
              and held is null and user_id = @id) +
           (select count(*) from jobs where state = 'queued' and held is not null and user_id = @id) as jobs`),
  channel: sql("select count(*) as jobs from jobs where state in ('queued', 'running') and channel_id = @id"),
  server: sql("select count(*) as jobs from jobs where state in ('queued', 'running') and guild_id = @id"),
};
const allInLine = sql<null, Counted>(`
  select user_id as "user", channel_id as channel, guild_id as server
  from jobs where state in ('queued', 'running') and held is null`);
const allHeld = sql<null, HeldRow>(`
  select seq, phase, held, limits, user_id as "user", channel_id as channel, guild_id as server
  from jobs where held is not null and state = 'queued' order by seq`);
const setHeld = sql<{ seq: number; held: LimitScope | null }>(
  "update jobs set held = @held where seq = @seq",
);

/** Throws InputError QUEUE_CAP when a cap is reached. */
export function* checkCaps(origin: Origin, caps: JobCaps): Work<void> {
  const counted = countedOf(origin);
  for (const scope of SCOPES) {
    const limit = caps[scope];
    if (limit === undefined) continue;
    const { jobs } = (yield* openOf[scope].get({ id: counted[scope] }))!;
    if (jobs >= limit)
      throw new InputError("QUEUE_CAP", `${jobs} jobs of this ${scope} are open.`, { scope, limit });
  }
}

/** The first limit that keeps a new job out of the line, or null. */
export function* holdingLimit(origin: Origin, limits: JobCaps): Work<LimitScope | null> {
  if (Object.keys(limits).length === 0) return null;
  return overLimit(countedOf(origin), limits, yield* countInLine());
}

/** Call it when jobs are over: held jobs join the line, oldest first, as far as the limits allow. */
export function* letIn(): Work<void> {
  const waiting = yield* allHeld.all();
  if (waiting.length === 0) return;
  const inLine = yield* countInLine();
  for (const job of waiting) {
    const held = overLimit(job, fromJson<JobCaps>(job.limits), inLine);
    if (held !== job.held) yield* setHeld.run({ seq: job.seq, held });
    if (held !== null) continue;
    yield* joinRing(job.user, job.phase, job.seq);
    count(inLine, job);
  }
}

/** Open jobs in line or running, by whose they are. */
function* countInLine(): Work<InLine> {
  const counts: InLine = { user: new Map(), channel: new Map(), server: new Map() };
  for (const job of yield* allInLine.all()) count(counts, job);
  return counts;
}

const countedOf = ({ userId, channelId, guildId }: Origin): Counted => ({
  user: userId,
  channel: channelId,
  server: guildId,
});

function count(counts: InLine, job: Counted): void {
  for (const scope of SCOPES) {
    const of = job[scope];
    if (of !== null) counts[scope].set(of, (counts[scope].get(of) ?? 0) + 1);
  }
}

function overLimit(job: Counted, limits: JobCaps, inLine: InLine): LimitScope | null {
  const over = SCOPES.find((scope) => {
    const limit = limits[scope];
    const of = job[scope];
    return limit !== undefined && of !== null && (inLine[scope].get(of) ?? 0) >= limit;
  });
  return over ?? null;
}
