import type { Database, Statement } from "better-sqlite3";
import { hasOverview, type Job } from "../../core/job.js";
import type { Claim } from "../queue.js";
import { type ItemRow, type JobRow, type SheetRow, toJob } from "./job-row.js";

type Fence = { readonly id: string; readonly owner: string; readonly attempt: number };

/** Reads jobs with their items and sheets, inside the transaction of the verb that asks. */
export class Jobs {
  readonly #byId: Statement<[string], JobRow>;
  readonly #bySeq: Statement<[number], JobRow>;
  readonly #claimed: Statement<[Fence], JobRow>;
  readonly #items: Statement<[number], ItemRow>;
  readonly #sheets: Statement<[number], SheetRow>;

  constructor(db: Database) {
    this.#byId = db.prepare("select * from jobs where id = ?");
    this.#bySeq = db.prepare("select * from jobs where seq = ?");
    this.#claimed = db.prepare(
      "select * from jobs where id = @id and owner = @owner and attempt = @attempt and state = 'running'",
    );
    this.#items = db.prepare("select * from items where job = ? order by position");
    this.#sheets = db.prepare("select * from sheets where job = ? order by number");
  }

  row(id: string): JobRow | undefined {
    return this.#byId.get(id);
  }

  /** The row that a claim stands for, or undefined when the job is someone else's by now. */
  claimed({ job, owner, attempt }: Claim): JobRow | undefined {
    return this.#claimed.get({ id: job.id, owner, attempt });
  }

  load(row: JobRow): Job {
    const items = this.#items.all(row.seq);
    const sheets = hasOverview({ kind: row.kind, items }) ? this.#sheets.all(row.seq) : [];
    return toJob(row, items, sheets);
  }

  /** A job that is known to be stored. */
  stored(seq: number): Job {
    return this.load(this.#bySeq.get(seq)!);
  }
}
