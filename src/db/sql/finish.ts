import type { ErrorCode, ErrorContext } from "../../core/errors.js";
import { type Failure, imageOf, isFinished, type JobState, nextPhase, type Phase } from "../../core/job.js";
import { modelKey, modelSetOf } from "../../core/model-set.js";
import {
  type CancelResult,
  type Claim,
  LONGEST_BACKOFF_MS,
  type Lost,
  MOST_DEATHS,
  type Queue,
  type Recovered,
} from "../queue.js";
import type { Connection } from "./connection.js";
import { fromJson, type JobRow } from "./job-row.js";
import { claimedRow, holderOf, jobRow, loadJob, storedJob } from "./jobs.js";
import { letIn } from "./limits.js";
import { sql, type Work } from "./statement.js";
import { endTurn, joinRing } from "./turns.js";

/** What becomes of a running job when its holder gives it up. */
interface Ending<S extends JobState = JobState> {
  readonly state: S;
  readonly phase?: Phase;
  readonly notBefore?: number;
  readonly failure?: Failure;
}

type Verbs = Pick<
  Queue,
  "advance" | "release" | "complete" | "retry" | "fail" | "cancelled" | "cancel" | "recover" | "requeue"
>;

/** A failure as it is stored: without a context where that says nothing. */
const failureOf = (code: ErrorCode, detail: string, at: number, context: ErrorContext = {}): Failure =>
  Object.keys(context).length === 0 ? { code, detail, at } : { code, context, detail, at };

const leave = sql<Pick<JobRow, "seq" | "state" | "phase" | "not_before" | "failures" | "finished_at">>(`
  update jobs set state = @state, phase = @phase, owner = null, lease_until = null, not_before = @not_before, failures = @failures,
    finished_at = @finished_at
  where seq = @seq`);
const setModels = sql<Pick<JobRow, "seq" | "model_set">>(
  "update jobs set model_set = @model_set where seq = @seq",
);
const requestCancel = sql<{ seq: number }>("update jobs set cancel_requested = 1 where seq = @seq");
const cancelWaiting = sql<{ seq: number; now: number }>(
  "update jobs set state = 'cancelled', finished_at = @now where seq = @seq",
);
const running = "select * from jobs where state = 'running'";
const runningLapsed = sql<{ now: number }, JobRow>(
  // What an older version claimed has no lease.
  `${running} and coalesce(lease_until, 0) < @now order by started_at, seq`,
);
const someLapsed = sql<{ now: number }, object>(
  "select 1 as found from jobs where state = 'running' and coalesce(lease_until, 0) < @now limit 1",
);
const runningOf = sql<{ owner: string }, JobRow>(`${running} and owner = @owner order by started_at, seq`);
const runningAll = sql<null, JobRow>(`${running} order by started_at, seq`);
const noteDeath = sql<{ seq: number; recoveries: number; lostBy: string }>(
  "update jobs set recoveries = @recoveries, lost_by = @lostBy where seq = @seq",
);
const queueAgain = sql<{ seq: number; phase: Phase }>(`
  update jobs set state = 'queued', phase = @phase, failures = '[]', not_before = 0, cancel_requested = 0, recoveries = 0, lost_by = null,
    finished_at = null, delivered_at = null, message_id = null, delivery_attempts = 0, delivery_error = null,
    delivery_abandoned = null, pictures_pruned_at = null
  where seq = @seq`);
const keepMessage = sql<{ seq: number }>(`
  insert into job_messages (job, channel_id, message_id)
  select seq, channel_id, message_id from jobs where seq = @seq and message_id is not null
  on conflict do nothing`);
const forgetPictures = sql<{ seq: number }>(
  "update items set baseline = null, optimized = null, comparison = null where job = @seq",
);
const forgetSheets = sql<{ seq: number }>("delete from sheets where job = @seq");

/** How long a job waits that two programs in a row died with, and how far apart those are that were at work together. */
const SUSPECT_MS = 10_000;
const APART_MS = 120_000;

/** The program of a claim's owner, which may have several loops, or several owners, at work. */
const hostOf = ({ owner }: JobRow): string => owner?.replace(/ \S+$/, "") ?? "";
const diedWith = ({ owner, attempt }: JobRow): string =>
  `${owner ?? "a program"} died in attempt ${attempt}, as others did before, and nothing of the job was stored in between`;

function withoutHolder(lost: Lost, now: number): Work<JobRow[]> {
  if (lost === "lapsed") return runningLapsed.all({ now });
  return lost === "all" ? runningAll.all() : runningOf.all(lost);
}

/** The ways out of the running state and back into the line. */
export function finishing(connection: Connection, maxAttempts: number): Verbs {
  const { now } = connection;

  /** A job that was asked to stop is cancelled instead of queued again. Answers its new state. */
  function* end<S extends JobState>(row: JobRow, ending: Ending<S>): Work<S | "cancelled"> {
    const isUnwanted =
      row.cancel_requested === 1 && (ending.state === "queued" || ending.failure?.code === "HOST_DIED");
    const state = isUnwanted ? "cancelled" : ending.state;
    const phase = ending.phase ?? row.phase;
    const failures = fromJson<Failure[]>(row.failures);
    if (ending.failure !== undefined) failures.push(ending.failure);
    yield* leave.run({
      seq: row.seq,
      state,
      phase,
      not_before: ending.notBefore ?? 0,
      failures: JSON.stringify(failures),
      finished_at: isFinished(state) ? now() : null,
    });
    yield* endTurn(row.user_id, row.phase);
    if (state === "queued" && phase !== row.phase) yield* joinRing(row.user_id, phase, row.seq);
    if (isFinished(state)) yield* letIn();
    return state;
  }

  /** Keeps with a job what its next picture needs, which may be another model than its last one did. */
  function* noteModels(row: JobRow): Work<void> {
    const job = yield* loadJob(row);
    const next = job.items.find((item) => nextPhase(job.kind, item) !== null);
    const model_set = modelKey(modelSetOf(imageOf(job, next)));
    if (model_set !== row.model_set) yield* setModels.run({ seq: row.seq, model_set });
  }

  /** Ends the holder's work as `decide` says; false when the claim is stale. */
  function endClaimed<S extends JobState>(claim: Claim, decide: (row: JobRow, time: number) => Ending<S>) {
    return connection.write(function* (): Work<S | "cancelled" | false> {
      const row = yield* claimedRow(claim);
      return row !== undefined && (yield* end(row, decide(row, now())));
    });
  }

  const isKept = async (ended: Promise<JobState | false>) => (await ended) !== false;

  return {
    advance: (claim) => endClaimed<"queued">(claim, () => ({ state: "queued", phase: "image" })),

    release: (claim) =>
      connection.write(function* () {
        const row = yield* claimedRow(claim);
        if (row === undefined) return false;
        yield* noteModels(row);
        return yield* end<"queued">(row, { state: "queued" });
      }),

    complete: (claim) => isKept(endClaimed(claim, () => ({ state: "done" }))),

    retry: (claim, code, detail, afterMs, context) =>
      endClaimed<"queued" | "failed">(claim, (row, time) => {
        const failure = failureOf(code, detail, time, context);
        const used = fromJson<Failure[]>(row.failures).length + 1;
        if (used >= maxAttempts) return { state: "failed", failure };
        const notBefore = Math.ceil(time + Math.min(afterMs, LONGEST_BACKOFF_MS));
        return { state: "queued", failure, notBefore };
      }),

    fail: (claim, code, detail, context) =>
      isKept(
        endClaimed(claim, (_row, time) => ({
          state: "failed",
          failure: failureOf(code, detail, time, context),
        })),
      ),

    cancelled: (claim) => isKept(endClaimed(claim, () => ({ state: "cancelled" }))),

    cancel: (id) =>
      connection.write(function* (): Work<CancelResult> {
        const row = yield* jobRow(id);
        if (row === undefined) return "unknown";
        if (isFinished(row.state)) return "finished";
        yield* requestCancel.run({ seq: row.seq });
        if (row.state === "running") return "requested";
        yield* cancelWaiting.run({ seq: row.seq, now: now() });
        yield* letIn();
        return "cancelled";
      }),

    async recover(lost) {
      // Each of many hosts looks every other second, and writers go one after the other.
      const isLapsed = lost !== "lapsed" || (await connection.read(() => someLapsed.get({ now: now() })));
      if (!isLapsed) return [];
      return connection.write(function* () {
        const time = now();
        const rows = yield* withoutHolder(lost, time);
        const mayCount = typeof lost === "string" && new Set(rows.map(hostOf)).size === 1;
        const recovered: Recovered[] = [];
        let suspects = 0;
        for (const row of rows) {
          const deaths = row.recoveries + 1;
          if (mayCount) yield* noteDeath.run({ seq: row.seq, recoveries: deaths, lostBy: holderOf(row) });
          const isSuspect = mayCount && deaths > 1;
          const notBefore = isSuspect ? time + SUSPECT_MS + suspects++ * APART_MS : 0;
          const ending: Ending<"queued" | "failed"> =
            mayCount && deaths >= MOST_DEATHS
              ? { state: "failed", failure: failureOf("HOST_DIED", diedWith(row), time, { times: deaths }) }
              : { state: "queued", notBefore };
          recovered.push({ id: row.id, phase: row.phase, state: yield* end(row, ending) });
        }
        return recovered;
      });
    },

    requeue: (id) =>
      connection.write(function* () {
        const row = yield* jobRow(id);
        if (row?.state !== "failed") return undefined;
        const { kind, origin, items } = yield* loadJob(row);
        const toRewrite = kind === "optimize" || items.some((item) => nextPhase(kind, item) === "text");
        const phase = toRewrite ? "text" : "image";
        const { seq } = row;
        yield* joinRing(origin.userId, phase);
        if (row.pictures_pruned_at !== null) {
          yield* forgetPictures.run({ seq });
          yield* forgetSheets.run({ seq });
        }
        yield* keepMessage.run({ seq });
        yield* queueAgain.run({ seq, phase });
        return yield* storedJob(seq);
      }),
  };
}
