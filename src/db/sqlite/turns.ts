import type { Database, Statement } from "better-sqlite3";
import type { Phase } from "../../core/job.js";

interface Place {
  readonly userId: string;
  readonly phase: Phase;
}

/** Writes the table `turns`, from which serving-order.ts makes the order of service. */
export class Turns {
  readonly #end: Statement<[Place]>;
  readonly #inPhase: Statement<[Place & { besidesSeq: number }]>;
  readonly #forget: Statement<[]>;

  constructor(db: Database) {
    this.#end = db.prepare(`
      insert into turns (user_id, phase, turn)
      values (@userId, @phase, (select coalesce(max(turn), 0) + 1 from turns))
      on conflict (user_id, phase) do update set turn = excluded.turn`);
    this.#inPhase = db.prepare(`
      select 1 from jobs
      where state in ('queued', 'running') and phase = @phase and held is null and user_id = @userId
        and seq <> @besidesSeq limit 1`);
    this.#forget = db.prepare(
      "delete from turns where user_id not in (select user_id from jobs where state in ('queued', 'running'))",
    );
  }

  /** Puts a user at the end of a phase's ring. */
  end(userId: string, phase: Phase): void {
    this.#end.run({ userId, phase });
  }

  /** Puts a user at the end of a phase's ring, unless another of the user's jobs waits or runs there already. */
  join(userId: string, phase: Phase, besidesSeq = -1): void {
    if (this.#inPhase.get({ userId, phase, besidesSeq }) === undefined) this.end(userId, phase);
  }

  /** Forgets users that have no open job. */
  forget(): void {
    this.#forget.run();
  }
}
