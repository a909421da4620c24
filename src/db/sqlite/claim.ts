import type { Phase } from "../../core/job.js";
import { LONGEST_BACKOFF_MS, type Queue } from "../queue.js";
import type { Connection } from "./connection.js";
import type { JobRow } from "./job-row.js";
import type { Jobs } from "./jobs.js";
import { NEXT_IN_ORDER } from "./serving-order.js";

interface Due {
  readonly phase: Phase;
  readonly now: number;
}
type Verbs = Pick<Queue, "claim" | "hasWork" | "nextDueAt" | "setPaused" | "paused">;

/** The way to the loop: which job is next, whether and when there is one, and the switch that holds all back. */
export function claiming(connection: Connection, jobs: Jobs): Verbs {
  const { db, now } = connection;
  const next = db.prepare<[Due], { seq: number }>(NEXT_IN_ORDER);
  const take = db.prepare<[{ seq: number; owner: string; now: number }], JobRow>(`
    update jobs set state = 'running', owner = @owner, attempt = attempt + 1,
      started_at = coalesce(started_at, @now)
    where seq = @seq
    returning *`);
  const someDue = db.prepare<[Due & { besidesUser: string | null }]>(`
    select 1 from jobs
    where state = 'queued' and phase = @phase and held is null and not_before <= @now
      and user_id is not @besidesUser limit 1`);
  const firstDue = db
    .prepare<[number], number | null>(
      "select min(not_before) from jobs where state = 'queued' and not_before > ?",
    )
    .pluck();
  const bringForward = db.prepare<[{ now: number; latest: number }]>(
    "update jobs set not_before = @now where state = 'queued' and not_before > @latest",
  );
  const flag = db.prepare<[string], string>("select value from flags where name = ?").pluck();
  const setFlag = db.prepare<[string, string]>(
    "insert into flags (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
  );
  const isPaused = () => flag.get("paused") === "true";

  return {
    claim: (phase, owner) =>
      connection.write(() => {
        const time = now();
        const first = isPaused() ? undefined : next.get({ phase, now: time });
        if (first === undefined) return undefined;
        const job = jobs.load(take.get({ seq: first.seq, owner, now: time })!);
        return { job, owner, attempt: job.attempt };
      }),

    hasWork: (phase, besidesUser) =>
      connection.read(
        () =>
          !isPaused() && someDue.get({ phase, now: now(), besidesUser: besidesUser ?? null }) !== undefined,
      ),

    async nextDueAt() {
      const time = now();
      const latest = time + LONGEST_BACKOFF_MS;
      const at = (await connection.read(() => firstDue.get(time))) ?? null;
      if (at === null || at <= latest) return at;
      // The clock was set back since: nobody waits an hour for that.
      await connection.write(() => bringForward.run({ now: time, latest }));
      return time;
    },

    async setPaused(paused) {
      await connection.write(() => setFlag.run("paused", String(paused)));
    },

    paused: () => connection.read(isPaused),
  };
}
