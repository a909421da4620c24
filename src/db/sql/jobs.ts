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
const itemsOf = sql<{ seq: number }, ItemRow>("select * from items where job = @seq order by position");
const sheetsOf = sql<{ seq: number }, SheetRow>("select * from sheets where job = @seq order by number");

export const jobRow = (id: string): Work<JobRow | undefined> => byId.get({ id });

/** The row that a claim stands for, or undefined when the job is someone else's by now. */
export const claimedRow = ({ job, owner, attempt }: Claim): Work<JobRow | undefined> =>
  claimed.get({ id: job.id, owner, attempt });

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
