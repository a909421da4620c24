import type { Phase } from "../../core/job.js";
import { LEASE_MS, type LeaseResult, LONGEST_BACKOFF_MS, type ModelsAtHand, type Queue } from "../queue.js";
import type { Connection } from "./connection.js";
import type { JobRow } from "./job-row.js";
import { loadJob, takeBackDeath } from "./jobs.js";
import {
  NEXT_IN_RING,
  NEXT_OF_BUSY,
  NEXT_OF_BUSY_SETS,
  NEXT_OF_SETS,
  WAITING_SETS,
} from "./serving-order.js";
import { sql, type Work } from "./statement.js";

interface Due {
  readonly phase: Phase;
  readonly now: number;
}
type Verbs = Pick<Queue, "claim" | "extend" | "hasWork" | "nextDueAt" | "setPaused" | "paused">;

interface Taken extends Due {
  readonly owner: string;
  readonly until: number;
}

const waitingSets = sql<Pick<Due, "phase">, { name: string }>(WAITING_SETS);
/** One statement, since others wait for its end. The later of `looks` are taken only where the first find no job. */
const taking = (...looks: readonly string[]) => `
  update jobs set state = 'running', owner = @owner, lease_until = @until, attempt = attempt + 1,
    started_at = coalesce(started_at, @now)
  where seq = coalesce(${looks.map((look) => `(${look})`).join(", ")})
    and not exists (select 1 from flags where name = 'paused' and value = 'true')
  returning *`;
/** Mostly nothing runs for somebody who waits, so the look into the ring finds a job. */
const take = sql<Taken, JobRow>(taking(NEXT_IN_RING, NEXT_OF_BUSY));
const takeOfSets = sql<Taken & { sets: string }, JobRow>(
  taking(NEXT_OF_SETS, NEXT_IN_RING, NEXT_OF_BUSY_SETS, NEXT_OF_BUSY),
);
const renew = sql<{ id: string; owner: string; attempt: number; until: number }, { cancel: number }>(`
  update jobs set lease_until = @until
  where id = @id and owner = @owner and attempt = @attempt and state = 'running'
  returning cancel_requested as cancel`);
const someDue = sql<Due & { besidesUser: string | null }, object>(`
  select 1 as found from jobs
  where state = 'queued' and phase = @phase and held is null and not_before <= @now
    and user_id is distinct from @besidesUser limit 1`);
const firstDue = sql<{ now: number }, { at: number | null }>(
  "select min(not_before) as at from jobs where state = 'queued' and not_before > @now",
);
const bringForward = sql<{ now: number; latest: number }>(
  "update jobs set not_before = @now where state = 'queued' and not_before > @latest",
);
const flag = sql<{ name: string }, { value: string }>("select value from flags where name = @name");
const setFlag = sql<{ name: string; value: string }>(`
  insert into flags (name, value) values (@name, @value)
  on conflict (name) do update set value = excluded.value`);

function* isPaused(): Work<boolean> {
  return (yield* flag.get({ name: "paused" }))?.value === "true";
}

function* takeNext(taken: Taken, models: ModelsAtHand): Work<JobRow | undefined> {
  const sets = yield* setsInTurn(taken, models);
  return sets === null
    ? yield* take.get(taken)
    : yield* takeOfSets.get({ ...taken, sets: JSON.stringify(sets) });
}

/**
 * Which model sets jobs wait for that are loaded, or, where none has its turn, that are not loaded on another device;
 * null where that makes no difference.
 */
function* setsInTurn(
  { phase }: Due,
  { loaded, elsewhere = [] }: ModelsAtHand,
): Work<readonly string[] | null> {
  if (loaded === undefined && elsewhere.length === 0) return null;
  const all = (yield* waitingSets.all({ phase })).map(({ name }) => name);
  const inTurn = all.filter((name) =>
    loaded === undefined ? !elsewhere.includes(name) : loaded.includes(name),
  );
  return inTurn.length === 0 || inTurn.length === all.length ? null : inTurn;
}

/** Hands out jobs: which one is next, whether and when there is one, and the pause. */
export function claiming(connection: Connection): Verbs {
  const { now } = connection;
  return {
    claim: (phase, owner, models = {}) =>
      connection.write(function* () {
        const time = now();
        const row = yield* takeNext({ phase, owner, now: time, until: time + LEASE_MS }, models);
        if (row === undefined) return undefined;
        const job = yield* loadJob(row);
        return { job, owner, attempt: job.attempt };
      }),

    // Told again in seconds; each of many hosts does, and what the disk must have holds all other writers up.
    extend: (claim) =>
      connection.write(
        function* (): Work<LeaseResult> {
          const { job, owner, attempt } = claim;
          const kept = yield* renew.get({ id: job.id, owner, attempt, until: now() + LEASE_MS });
          if (kept === undefined) yield* takeBackDeath(claim);
          return kept !== undefined && (kept.cancel === 1 ? "cancel" : "held");
        },
        { mayBeLost: true },
      ),

    hasWork: (phase, besidesUser) =>
      connection.read(function* () {
        if (yield* isPaused()) return false;
        return (yield* someDue.get({ phase, now: now(), besidesUser: besidesUser ?? null })) !== undefined;
      }),

    async nextDueAt() {
      const time = now();
      const latest = time + LONGEST_BACKOFF_MS;
      const at = (await connection.read(() => firstDue.get({ now: time })))?.at ?? null;
      if (at === null || at <= latest) return at;
      // The clock was set back since. Jobs do not wait for it to catch up.
      await connection.write(() => bringForward.run({ now: time, latest }));
      return time;
    },

    async setPaused(paused) {
      await connection.write(() => setFlag.run({ name: "paused", value: String(paused) }));
    },

    paused: () => connection.read(isPaused),
  };
}
