import { hasOverview, type Job } from "../../core/job.js";
import type { Claim } from "../queue.js";
import { type ItemRow, type JobRow, type SheetRow, toJob } from "./job-row.js";
import { sql, type Work } from "./statement.js";

/** Jobs with their items and sheets, inside the transaction of the verb that asks. */

const byId = sql<{ id: string }, JobRow>("select * from jobs where id = @id");
const bySeq = sql<{ seq: number }, JobRow>("select * from jobs where seq = @seq");
const claimed = sql<{ id: string; owner: string; attempt: number }, JobRow>(
  "select * from jobs where id = @id and owner = @owner and attempt = @attempt and state = 'running'",
);
const tookBack = sql<{ id: string; lostBy: string }>(
  "update jobs set recoveries = recoveries - 1, lost_by = null where id = @id and lost_by = @lostBy",
);
const itemsOf = sql<{ seq: number }, ItemRow>("select * from items where job = @seq order by position");
const sheetsOf = sql<{ seq: number }, SheetRow>("select * from sheets where job = @seq order by number");

export const jobRow = (id: string): Work<JobRow | undefined> => byId.get({ id });

/** Who loses a job with a claim: the column `lost_by`. */
export const holderOf = ({ owner, attempt }: { readonly owner: string | null; readonly attempt: number }) =>
  `${owner} ${attempt}`;

/** A holder that comes back was not dead, so its loss tells nothing against the job. */
export function* takeBackDeath({ job, owner, attempt }: Claim): Work<void> {
  yield* tookBack.run({ id: job.id, lostBy: holderOf({ owner, attempt }) });
}

/** The row that a claim stands for, or undefined when the job is someone else's by now. */
export function* claimedRow(claim: Claim): Work<JobRow | undefined> {
  const { job, owner, attempt } = claim;
  const row = yield* claimed.get({ id: job.id, owner, attempt });
  if (row === undefined) yield* takeBackDeath(claim);
  return row;
}

export function* loadJob(row: JobRow): Work<Job> {
  const items = yield* itemsOf.all({ seq: row.seq });
  const sheets = hasOverview({ kind: row.kind, items }) ? yield* sheetsOf.all({ seq: row.seq }) : [];
  return toJob(row, items, sheets);
}

/** A job that is known to be stored. */
export function* storedJob(seq: number): Work<Job> {
  return yield* loadJob((yield* bySeq.get({ seq }))!);
}

export function* loadAll(rows: readonly JobRow[]): Work<Job[]> {
  const jobs: Job[] = [];
  for (const row of rows) jobs.push(yield* loadJob(row));
  return jobs;
}
