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
/** Those whose number is in `@seqs`, a list in JSON: one way to the server, however many jobs there are. */
const AMONG =
  "in (select /*sqlite value from json_each(@seqs)*//*postgres json_array_elements_text(@seqs)::bigint*/)";
const bySeqs = sql<{ seqs: string }, JobRow>(`select * from jobs where seq ${AMONG}`);
const itemsOfAll = sql<{ seqs: string }, ItemRow>(
  `select * from items where job ${AMONG} order by job, position`,
);
const sheetsOfAll = sql<{ seqs: string }, SheetRow>(
  `select * from sheets where job ${AMONG} order by job, number`,
);

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

/** In the order of `rows`. */
export function* loadAll(rows: readonly JobRow[]): Work<Job[]> {
  const seqs = JSON.stringify(rows.map(({ seq }) => seq));
  const items = byJob(yield* itemsOfAll.all({ seqs }));
  const sheets = byJob(yield* sheetsOfAll.all({ seqs }));
  return rows.map((row) => toJob(row, items.get(row.seq) ?? [], sheets.get(row.seq) ?? []));
}

/** Jobs that are known to be stored, in the order of `seqs`. */
export function* storedJobs(seqs: readonly number[]): Work<Job[]> {
  const rows = yield* bySeqs.all({ seqs: JSON.stringify(seqs) });
  const found = new Map(rows.map((row) => [row.seq, row]));
  return yield* loadAll(seqs.map((seq) => found.get(seq)!));
}

function byJob<Row extends { readonly job: number }>(rows: readonly Row[]): Map<number, Row[]> {
  const jobs = new Map<number, Row[]>();
  for (const row of rows) {
    const known = jobs.get(row.job);
    if (known === undefined) jobs.set(row.job, [row]);
    else known.push(row);
  }
  return jobs;
}
