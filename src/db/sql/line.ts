import { PHASES, type Phase } from "../../core/job.js";
import type { OpenWork, Queue, QueueDepth, WaitingLine } from "../queue.js";
import type { Connection } from "./connection.js";
import { jobRow, loadJob, storedJobs } from "./jobs.js";
import { SERVING_ORDER } from "./serving-order.js";
import { sql, type Work } from "./statement.js";

type Line = { readonly phase: Phase; readonly now: number };
type Verbs = Pick<Queue, "get" | "position" | "depth" | "lines" | "open" | "work">;

/** A row of SERVING_ORDER. */
interface Waiting {
  readonly seq: number;
  readonly id: string;
  readonly position: number;
}

const positionOf = sql<Line & { seq: number }, Waiting>(
  `select * from (${SERVING_ORDER}) as line where line.seq = @seq`,
);
const line = sql<Line, Waiting>(`${SERVING_ORDER} order by position`);
const running = sql<null, { seq: number }>(
  "select seq from jobs where state = 'running' order by started_at, seq",
);
const held = sql<null, { seq: number }>(
  "select seq from jobs where held is not null and state = 'queued' order by seq",
);
const depth = sql<null, QueueDepth>(`
  select (select count(*) from jobs where state = 'queued') as queued,
         (select count(*) from jobs where state = 'running') as running,
         (select count(*) from jobs
          where finished_at is not null and delivered_at is null and delivery_abandoned is null) as undelivered`);
const lines = sql<null, WaitingLine>(`
  select phase, count(*) as jobs, min(created_at) as "oldestAt" from jobs where state = 'queued'
  group by phase order by phase`);
const openWork = sql<null, OpenWork>(`
  select id, state, phase, kind, user_id as "userId", guild_id as "guildId", held,
    case when held is null then null else cast(limits ->> held as integer) end as "limit",
    (select count(*) from items /*sqlite indexed by items_lack_rewrite */
      where job = seq and cancelled = 0 and rewrite is null and only_side is distinct from 'baseline') +
    (select count(*) from items /*sqlite indexed by items_lack_opponent */
      where job = seq and cancelled = 0 and against_options is not null and against_rewrite is null
        and only_side is distinct from 'optimized') as texts,
    case when kind = 'optimize' then 0 else
      (select count(*) from items /*sqlite indexed by items_lack_baseline */
      where job = seq and cancelled = 0 and baseline is null and only_side is distinct from 'optimized') +
      (select count(*) from items /*sqlite indexed by items_lack_optimized */
      where job = seq and cancelled = 0 and optimized is null and only_side is distinct from 'baseline')
    end as pictures,
    coalesce(cast(jobs.image_options -> 'from' ->> 'strength' as double precision), 1) *
    coalesce(cast(jobs.image_options -> 'from' ->> 'enlarge' as double precision), 1) *
    coalesce(cast(jobs.image_options -> 'from' ->> 'enlarge' as double precision), 1) * coalesce(
      (select avg(cast(coalesce(items.image_options ->> 'steps', jobs.image_options ->> 'steps') as integer) *
        case when cast(coalesce(items.image_options ->> 'guidance', jobs.image_options ->> 'guidance')
          as double precision) > 1 then 1.0 else 0.5 end)
      from items where job = seq and cancelled = 0
        and (baseline is null and only_side is distinct from 'optimized'
          or optimized is null and only_side is distinct from 'baseline')
        and exists (select 1 from items /*sqlite indexed by items_with_options */
          where job = seq and image_options is not null)),
      cast(jobs.image_options ->> 'steps' as integer) *
        case when cast(jobs.image_options ->> 'guidance' as double precision) > 1 then 1.0 else 0.5 end
    ) as steps
  from jobs where state in ('queued', 'running') order by seq`);

function* inLine(now: number): Work<Waiting[]> {
  const all: Waiting[] = [];
  for (const phase of PHASES) all.push(...(yield* line.all({ phase, now })));
  return all;
}

/** Jobs and the line, as they are shown. */
export function showing(connection: Connection): Verbs {
  const { now } = connection;
  return {
    get: (id) =>
      connection.read(function* () {
        const row = yield* jobRow(id);
        return row === undefined ? undefined : yield* loadJob(row);
      }),

    position: (id) =>
      connection.read(function* () {
        const row = yield* jobRow(id);
        if (row?.state === "running") return 0;
        if (row?.state !== "queued" || row.held !== null) return null;
        return (yield* positionOf.get({ phase: row.phase, now: now(), seq: row.seq }))!.position;
      }),

    depth: () =>
      connection.read(function* () {
        return (yield* depth.get())!;
      }),

    lines: () => connection.read(() => lines.all()),

    open: (limit) =>
      connection.read(function* () {
        const rows = [...(yield* running.all()), ...(yield* inLine(now())), ...(yield* held.all())];
        // Cut before the rows and their items are read: a thousand batches hold a hundred thousand prompts.
        return yield* storedJobs(rows.slice(0, limit).map(({ seq }) => seq));
      }),

    work: () =>
      connection.read(function* () {
        const all = yield* openWork.all();
        const open = new Map(all.map((job) => [job.id, job]));
        return [
          ...all.filter(({ state }) => state === "running"),
          ...(yield* inLine(now())).flatMap(({ id }) => open.get(id) ?? []),
          ...all.filter((job) => job.held !== null),
        ];
      }),
  };
}
