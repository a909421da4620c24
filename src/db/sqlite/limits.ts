import type { Database, Statement } from "better-sqlite3";
import { InputError } from "../../core/errors.js";
import type { LimitScope, Origin, Phase } from "../../core/job.js";
import type { JobCaps } from "../queue.js";
import { fromJson } from "./job-row.js";
import type { Turns } from "./turns.js";

/** Whose limits count a job. */
type Counted = Readonly<Record<LimitScope, string | null>>;
type InLine = Readonly<Record<LimitScope, Map<string, number>>>;

interface HeldRow extends Counted {
  readonly seq: number;
  readonly user: string;
  readonly phase: Phase;
  readonly held: LimitScope;
  readonly limits: string;
}

const SCOPES = ["user", "channel", "server"] as const satisfies readonly LimitScope[];

/** Keeps people, channels and servers to their number of open jobs (caps) and of jobs in line (limits). */
export class Limits {
  readonly #turns: Turns;
  readonly #openOf: Statement<[Counted], Record<LimitScope, number>>;
  readonly #inLine: Statement<[], Counted>;
  readonly #held: Statement<[], HeldRow>;
  readonly #setHeld: Statement<[LimitScope | null, number]>;

  constructor(db: Database, turns: Turns) {
    this.#turns = turns;
    this.#openOf = db.prepare(`
      select count(*) filter (where user_id = @user) as user,
             count(*) filter (where channel_id = @channel) as channel,
             count(*) filter (where guild_id = @server) as server
      from jobs where state in ('queued', 'running')`);
    this.#inLine = db.prepare(`
      select user_id as user, channel_id as channel, guild_id as server
      from jobs where state in ('queued', 'running') and held is null`);
    this.#held = db.prepare(`
      select seq, phase, held, limits, user_id as user, channel_id as channel, guild_id as server
      from jobs where held is not null and state = 'queued' order by seq`);
    this.#setHeld = db.prepare("update jobs set held = ? where seq = ?");
  }

  /** Throws InputError QUEUE_CAP where a cap of open jobs is reached. */
  checkCaps(origin: Origin, caps: JobCaps): void {
    const open = this.#openOf.get(countedOf(origin))!;
    for (const scope of SCOPES) {
      const limit = caps[scope];
      if (limit === undefined || open[scope] < limit) continue;
      throw new InputError("QUEUE_CAP", `${open[scope]} jobs of this ${scope} are open.`, { scope, limit });
    }
  }

  /** The first limit that keeps a new job out of the line, or null. */
  holding(origin: Origin, limits: JobCaps): LimitScope | null {
    return overLimit(countedOf(origin), limits, this.#countInLine());
  }

  /** Jobs are over: lets those that a limit held back into the line, the oldest first, while there is room. */
  letIn(): void {
    const waiting = this.#held.all();
    if (waiting.length === 0) return;
    const inLine = this.#countInLine();
    for (const job of waiting) {
      const held = overLimit(job, fromJson<JobCaps>(job.limits), inLine);
      if (held !== job.held) this.#setHeld.run(held, job.seq);
      if (held !== null) continue;
      this.#turns.join(job.user, job.phase, job.seq);
      count(inLine, job);
    }
  }

  /** Open jobs in line or running, by whose they are. */
  #countInLine(): InLine {
    const counts: InLine = { user: new Map(), channel: new Map(), server: new Map() };
    for (const job of this.#inLine.all()) count(counts, job);
    return counts;
  }
}

const countedOf = ({ userId, channelId, guildId }: Origin): Counted => ({
  user: userId,
  channel: channelId,
  server: guildId,
});

function count(counts: InLine, job: Counted): void {
  for (const scope of SCOPES) {
    const of = job[scope];
    if (of !== null) counts[scope].set(of, (counts[scope].get(of) ?? 0) + 1);
  }
}

function overLimit(job: Counted, limits: JobCaps, inLine: InLine): LimitScope | null {
  const over = SCOPES.find((scope) => {
    const limit = limits[scope];
    const of = job[scope];
    return limit !== undefined && of !== null && (inLine[scope].get(of) ?? 0) >= limit;
  });
  return over ?? null;
}
