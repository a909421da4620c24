import type { Statement } from "better-sqlite3";
import { QueueError } from "../../core/errors.js";
import type { Deliveries } from "../deliveries.js";
import type { Connection } from "./connection.js";
import { FINISHED } from "./job-row.js";

/** Deliveries, in columns of the jobs and sheets themselves. */
export function sqliteDeliveries(connection: Connection): Deliveries {
  const { db, now } = connection;
  const undelivered = db
    .prepare<[], string>(`
      select id from jobs where finished_at is not null and delivered_at is null and delivery_abandoned is null and erasing is null
      order by finished_at, seq`)
    .pluck();
  const delivered = db.prepare<[{ id: string; messageId: string | null; now: number }]>(`
    update jobs set delivered_at = @now, message_id = @messageId, delivery_abandoned = null
    where id = @id and ${FINISHED}`);
  const failed = db.prepare<[{ id: string; detail: string }]>(`
    update jobs set delivery_attempts = delivery_attempts + 1, delivery_error = @detail
    where id = @id and ${FINISHED}`);
  const abandon = db.prepare<[{ id: string; reason: string }]>(
    `update jobs set delivery_abandoned = @reason where id = @id and ${FINISHED}`,
  );
  const unsettled = db.prepare<[], { jobId: string; number: number }>(`
    select id as jobId, number from jobs join sheets on job = seq
    where state in ('queued', 'running') and settled_at is null order by seq, number`);
  const settle = db.prepare<[{ id: string; number: number; now: number }]>(`
    update sheets set settled_at = @now where number = @number and job = (select seq from jobs where id = @id)`);

  const replied = db.prepare<[{ id: string; messageId: string }]>(
    "update jobs set reply_id = @messageId where id = @id",
  );
  const seqOf = db.prepare<[string], number>("select seq from jobs where id = ?").pluck();
  const posted = db.prepare<[{ seq: number; channelId: string; messageId: string }]>(`
    insert or ignore into job_messages (job, channel_id, message_id) values (@seq, @channelId, @messageId)`);

  function record<P extends { id: string }>(statement: Statement<[P]>, values: P): Promise<void> {
    return connection.write(() => {
      if (statement.run(values).changes === 1) return;
      throw new QueueError(
        "INTERNAL",
        `There is no finished job ${values.id} whose delivery could be recorded.`,
      );
    });
  }

  return {
    undelivered: () => connection.read(() => undelivered.all()),
    delivered: (id, messageId) => record(delivered, { id, messageId, now: now() }),
    deliveryFailed: (id, detail) => record(failed, { id, detail }),
    abandonDelivery: (id, reason) => record(abandon, { id, reason }),
    async replied(id, messageId) {
      await connection.write(() => replied.run({ id, messageId }));
    },
    posted: (id, channelId, messageId) =>
      connection.write(() => {
        const seq = seqOf.get(id);
        if (seq === undefined) return false;
        posted.run({ seq, channelId, messageId });
        return true;
      }),
    unsettledSheets: () => connection.read(() => unsettled.all()),
    async settleSheet(id, number) {
      await connection.write(() => settle.run({ id, number, now: now() }));
    },
  };
}
