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

const nextInRing = sql<Due, { seq: number }>(NEXT_IN_RING);
const nextOfBusy = sql<Due, { seq: number }>(NEXT_OF_BUSY);
const nextOfSets = sql<Due & { sets: string }, { seq: number }>(NEXT_OF_SETS);
const nextOfBusySets = sql<Due & { sets: string }, { seq: number }>(NEXT_OF_BUSY_SETS);
const waitingSets = sql<Pick<Due, "phase">, { name: string }>(WAITING_SETS);
const take = sql<{ seq: number; owner: string; now: number; until: number }, JobRow>(`
  update jobs set state = 'running', owner = @owner, lease_until = @until, attempt = attempt + 1,
    started_at = coalesce(started_at, @now)
  where seq = @seq
  returning *`);
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

/** Mostly nothing runs for somebody who waits, so the first look finds a job. */
function* findNext(due: Due, models: ModelsAtHand): Work<{ seq: number } | undefined> {
  const sets = yield* setsInTurn(due, models);
  if (sets === null) return (yield* nextInRing.get(due)) ?? (yield* nextOfBusy.get(due));
  const dueOfSets = { ...due, sets: JSON.stringify(sets) };
  return (
    (yield* nextOfSets.get(dueOfSets)) ??
    (yield* nextInRing.get(due)) ??
    (yield* nextOfBusySets.get(dueOfSets)) ??
    (yield* nextOfBusy.get(due))
  );
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
        if (yield* isPaused()) return undefined;
        const first = yield* findNext({ phase, now: time }, models);
        if (first === undefined) return undefined;
        const until = time + LEASE_MS;
        const job = yield* loadJob((yield* take.get({ seq: first.seq, owner, now: time, until }))!);
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
