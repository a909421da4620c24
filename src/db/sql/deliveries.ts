import { QueueError } from "../../core/errors.js";
import type { Deliveries } from "../deliveries.js";
import type { Connection } from "./connection.js";
import { FINISHED } from "./job-row.js";
import { sql, type Work } from "./statement.js";

const undelivered = sql<null, { id: string }>(`
  select id from jobs
  where finished_at is not null and delivered_at is null and delivery_abandoned is null and erasing is null
  order by finished_at, seq`);
const delivered = sql<{ id: string; messageId: string | null; now: number }>(`
  update jobs set delivered_at = @now, message_id = @messageId, delivery_abandoned = null
  where id = @id and ${FINISHED}`);
const failed = sql<{ id: string; detail: string }>(`
  update jobs set delivery_attempts = delivery_attempts + 1, delivery_error = @detail
  where id = @id and ${FINISHED}`);
const abandon = sql<{ id: string; reason: string }>(
  `update jobs set delivery_abandoned = @reason where id = @id and ${FINISHED}`,
);
const unsettled = sql<null, { jobId: string; number: number }>(`
  select id as "jobId", number from jobs join sheets on job = seq
  where state in ('queued', 'running') and settled_at is null order by seq, number`);
const settle = sql<{ id: string; number: number; now: number }>(`
  update sheets set settled_at = @now where number = @number and job = (select seq from jobs where id = @id)`);
const replied = sql<{ id: string; messageId: string }>(
  "update jobs set reply_id = @messageId where id = @id",
);
const seqOf = sql<{ id: string }, { seq: number }>("select seq from jobs where id = @id");
const posted = sql<{ seq: number; channelId: string; messageId: string }>(`
  insert into job_messages (job, channel_id, message_id) values (@seq, @channelId, @messageId)
  on conflict do nothing`);

/** Deliveries, in columns of the jobs and sheets themselves. */
export function sqlDeliveries(connection: Connection): Deliveries {
  const { now } = connection;

  /** Runs an update of one job's row. */
  async function record(id: string, update: () => Work<number>): Promise<void> {
    if ((await connection.write(update)) === 1) return;
    throw new QueueError("INTERNAL", `There is no finished job ${id} whose delivery could be recorded.`);
  }

  return {
    undelivered: async () => (await connection.read(() => undelivered.all())).map(({ id }) => id),
    delivered: (id, messageId) => record(id, () => delivered.run({ id, messageId, now: now() })),
    deliveryFailed: (id, detail) => record(id, () => failed.run({ id, detail })),
    abandonDelivery: (id, reason) => record(id, () => abandon.run({ id, reason })),
    async replied(id, messageId) {
      await connection.write(() => replied.run({ id, messageId }));
    },
    posted: (id, channelId, messageId) =>
      connection.write(function* () {
        const job = yield* seqOf.get({ id });
        if (job === undefined) return false;
        yield* posted.run({ seq: job.seq, channelId, messageId });
        return true;
      }),
    unsettledSheets: () => connection.read(() => unsettled.all()),
    async settleSheet(id, number) {
      await connection.write(() => settle.run({ id, number, now: now() }));
    },
  };
}
