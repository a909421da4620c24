import type { Phase } from "../../core/job.js";
import { sql, type Work } from "./statement.js";

/** Writes the table `turns`, from which serving-order.ts makes the order of service. */

const end = sql<{ userId: string; phase: Phase }>(`
  insert into turns (user_id, phase, turn)
  values (@userId, @phase, (select coalesce(max(turn), 0) + 1 from turns))
  on conflict (user_id, phase) do update set turn = excluded.turn`);
const inPhase = sql<{ userId: string; phase: Phase; besidesSeq: number }, object>(`
  select 1 as found from jobs
  where state in ('queued', 'running') and phase = @phase and held is null and user_id = @userId
    and seq <> @besidesSeq limit 1`);
const forget = sql<null>(
  "delete from turns where user_id not in (select user_id from jobs where state in ('queued', 'running'))",
);

/** Puts a user at the end of a phase's ring. */
export function* endTurn(userId: string, phase: Phase): Work<void> {
  yield* end.run({ userId, phase });
}

/** Like `endTurn`, unless another job of the user waits or runs in the phase already. */
export function* joinRing(userId: string, phase: Phase, besidesSeq = -1): Work<void> {
  if ((yield* inPhase.get({ userId, phase, besidesSeq })) === undefined) yield* endTurn(userId, phase);
}

/** Deletes the turns of users without open jobs. */
export function* forgetTurns(): Work<void> {
  yield* forget.run();
}
