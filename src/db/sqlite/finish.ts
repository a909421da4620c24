import type { ErrorCode, ErrorContext } from "../../core/errors.js";
import { type Failure, isFinished, type JobState, nextPhase, type Phase } from "../../core/job.js";
import { type Claim, LONGEST_BACKOFF_MS, type Queue, type Recovered } from "../queue.js";
import type { Connection } from "./connection.js";
import { fromJson, type JobRow } from "./job-row.js";
import type { Jobs } from "./jobs.js";
import type { Limits } from "./limits.js";
import type { Turns } from "./turns.js";

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

/** The ways out of the running state and back into the line. */
export function finishing(
  connection: Connection,
  jobs: Jobs,
  turns: Turns,
  limits: Limits,
  maxAttempts: number,
): Verbs {
  const { db, now } = connection;
  const leave = db.prepare(`
    update jobs set state = @state, phase = @phase, owner = null, not_before = @notBefore, failures = @failures,
      finished_at = @finishedAt
    where seq = @seq`);
  const requestCancel = db.prepare<[number]>("update jobs set cancel_requested = 1 where seq = ?");
  const cancelWaiting = db.prepare<[{ seq: number; now: number }]>(
    "update jobs set state = 'cancelled', finished_at = @now where seq = @seq",
  );
  const running = db.prepare<[{ owner: string | null }], JobRow>(
    "select * from jobs where state = 'running' and (@owner is null or owner = @owner) order by started_at, seq",
  );
  const requeue = db.prepare<[{ seq: number; phase: Phase }]>(`
    update jobs set state = 'queued', phase = @phase, failures = '[]', not_before = 0, cancel_requested = 0,
      finished_at = null, delivered_at = null, message_id = null, delivery_attempts = 0, delivery_error = null,
      delivery_abandoned = null, pictures_pruned_at = null
    where seq = @seq`);
  const keepMessage = db.prepare<[number]>(`
    insert or ignore into job_messages (job, channel_id, message_id)
    select seq, channel_id, message_id from jobs where seq = ? and message_id is not null`);
  const forgetPictures = db.prepare<[number]>(
    "update items set baseline = null, optimized = null, comparison = null where job = ?",
  );
  const forgetSheets = db.prepare<[number]>("delete from sheets where job = ?");

  /** A job that was asked to stop is cancelled instead of queued again. Answers its new state. */
  function end<S extends JobState>(row: JobRow, ending: Ending<S>): S | "cancelled" {
    const state = ending.state === "queued" && row.cancel_requested === 1 ? "cancelled" : ending.state;
    const phase = ending.phase ?? row.phase;
    const failures = fromJson<Failure[]>(row.failures);
    if (ending.failure !== undefined) failures.push(ending.failure);
    leave.run({
      seq: row.seq,
      state,
      phase,
      notBefore: ending.notBefore ?? 0,
      failures: JSON.stringify(failures),
      finishedAt: isFinished(state) ? now() : null,
    });
    turns.end(row.user_id, row.phase);
    if (state === "queued" && phase !== row.phase) turns.join(row.user_id, phase, row.seq);
    if (isFinished(state)) limits.letIn();
    return state;
  }

  /** Ends the holder's work as `decide` says; false when the claim is stale. */
  function endClaimed<S extends JobState>(claim: Claim, decide: (row: JobRow, time: number) => Ending<S>) {
    return connection.write((): S | "cancelled" | false => {
      const row = jobs.claimed(claim);
      return row !== undefined && end(row, decide(row, now()));
    });
  }

  const isKept = async (ended: Promise<JobState | false>) => (await ended) !== false;

  return {
    advance: (claim) => endClaimed<"queued">(claim, () => ({ state: "queued", phase: "image" })),

    release: (claim) => endClaimed<"queued">(claim, () => ({ state: "queued" })),

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
      connection.write(() => {
        const row = jobs.row(id);
        if (row === undefined) return "unknown";
        if (isFinished(row.state)) return "finished";
        requestCancel.run(row.seq);
        if (row.state === "running") return "requested";
        cancelWaiting.run({ seq: row.seq, now: now() });
        limits.letIn();
        return "cancelled";
      }),

    recover: (owner) =>
      connection.write(() =>
        running
          .all({ owner: owner ?? null })
          .map((row): Recovered => ({ id: row.id, phase: row.phase, state: end(row, { state: "queued" }) })),
      ),

    requeue: (id) =>
      connection.write(() => {
        const row = jobs.row(id);
        if (row?.state !== "failed") return undefined;
        const { kind, origin, items } = jobs.load(row);
        const toRewrite = kind === "optimize" || items.some((item) => nextPhase(kind, item) === "text");
        const phase = toRewrite ? "text" : "image";
        turns.join(origin.userId, phase);
        if (row.pictures_pruned_at !== null) {
          forgetPictures.run(row.seq);
          forgetSheets.run(row.seq);
        }
        keepMessage.run(row.seq);
        requeue.run({ seq: row.seq, phase });
        return jobs.stored(row.seq);
      }),
  };
}
