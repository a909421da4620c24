import { PHASES, type Phase } from "../../core/job.js";
import type { OpenWork, Queue, QueueDepth, WaitingLine } from "../queue.js";
import type { Connection } from "./connection.js";
import type { Jobs } from "./jobs.js";
import { SERVING_ORDER } from "./serving-order.js";

type Line = { readonly phase: Phase; readonly now: number };
type Verbs = Pick<Queue, "get" | "position" | "depth" | "lines" | "open" | "work">;

/** A row of SERVING_ORDER. */
interface Waiting {
  readonly seq: number;
  readonly id: string;
  readonly position: number;
}

/** Jobs and the line, as they are shown. */
export function showing(connection: Connection, jobs: Jobs): Verbs {
  const { db, now } = connection;
  const positionOf = db.prepare<[Line & { seq: number }], Waiting>(
    `select * from (${SERVING_ORDER}) as line where line.seq = @seq`,
  );
  const line = db.prepare<[Line], Waiting>(`${SERVING_ORDER} order by position`);
  const running = db
    .prepare<[], number>("select seq from jobs where state = 'running' order by started_at, seq")
    .pluck();
  const held = db
    .prepare<[], number>("select seq from jobs where held is not null and state = 'queued' order by seq")
    .pluck();
  const depth = db.prepare<[], QueueDepth>(`
    select (select count(*) from jobs where state = 'queued') as queued,
           (select count(*) from jobs where state = 'running') as running,
           (select count(*) from jobs
            where finished_at is not null and delivered_at is null and delivery_abandoned is null) as undelivered`);
  const lines = db.prepare<[], WaitingLine>(`
    select phase, count(*) as jobs, min(created_at) as oldestAt from jobs where state = 'queued'
    group by phase order by phase`);
  const openWork = db.prepare<[], OpenWork>(`
    select id, state, phase, kind, user_id as userId, guild_id as guildId, held,
      iif(held is null, null, json_extract(limits, '$.' || held)) as "limit",
      (select count(*) from items indexed by items_lack_rewrite
        where job = seq and cancelled = 0 and rewrite is null) as texts,
      iif(kind = 'optimize', 0,
        (select count(*) from items indexed by items_lack_baseline
        where job = seq and cancelled = 0 and baseline is null) +
        (select count(*) from items indexed by items_lack_optimized
        where job = seq and cancelled = 0 and optimized is null)
      ) as pictures,
      max(1, coalesce(json_extract(jobs.image_options, '$.from.strength'), 1) * coalesce(
        (select avg(coalesce(json_extract(items.image_options, '$.steps'), json_extract(jobs.image_options, '$.steps')))
        from items where job = seq and cancelled = 0 and (baseline is null or optimized is null)
          and exists (select 1 from items indexed by items_with_options where job = seq and image_options is not null)),
        json_extract(jobs.image_options, '$.steps')
      )) as steps
    from jobs where state in ('queued', 'running') order by seq`);

  const inLine = () => {
    const time = now();
    return PHASES.flatMap((phase) => line.all({ phase, now: time }));
  };

  return {
    get: (id) =>
      connection.read(() => {
        const row = jobs.row(id);
        return row === undefined ? undefined : jobs.load(row);
      }),

    position: (id) =>
      connection.read(() => {
        const row = jobs.row(id);
        if (row?.state === "running") return 0;
        if (row?.state !== "queued" || row.held !== null) return null;
        return positionOf.get({ phase: row.phase, now: now(), seq: row.seq })!.position;
      }),

    depth: () => connection.read(() => depth.get()!),

    lines: () => connection.read(() => lines.all()),

    open: (limit) =>
      connection.read(() => {
        const seqs = [...running.all(), ...inLine().map(({ seq }) => seq), ...held.all()];
        // Cut before the rows and their items are read: a thousand batches hold a hundred thousand prompts.
        return seqs.slice(0, limit).map((seq) => jobs.stored(seq));
      }),

    work: () =>
      connection.read(() => {
        const open = new Map(openWork.all().map((job) => [job.id, job]));
        const all = [...open.values()];
        return [
          ...all.filter(({ state }) => state === "running"),
          ...inLine().flatMap(({ id }) => open.get(id) ?? []),
          ...all.filter((job) => job.held !== null),
        ];
      }),
  };
}
