import { type Events, log } from "../core/events.js";
import { LEASE_MS, type Queue } from "./queue.js";

const LOOK_MS = 2_000;
/** What is away for longer may have cost holders their leases. */
const GAP_MS = LEASE_MS / 2;

export interface LapsedOptions {
  /** A clock that never goes back, in milliseconds. */
  readonly now?: () => number;
  /** What to call when the database has been away for that long. */
  readonly gone?: { readonly afterMs: number; readonly call: () => void } | null;
}

/**
 * Gives the jobs of dead programs back to the line: those whose lease is over. While the database was away nobody
 * could extend a lease, so after that, and after this program itself was frozen, every holder first has the time of
 * a lease to come back.
 */
export class LapsedLeases {
  readonly #queue: Pick<Queue, "recover" | "paused">;
  readonly #events: Events;
  readonly #now: () => number;
  readonly #gone: LapsedOptions["gone"];
  #timer: NodeJS.Timeout | undefined;
  #look: Promise<void> = Promise.resolve();
  /** Since when both this program and the database have been there without a gap. */
  #since: number;
  #lookedAt: number;
  #stopped = false;

  constructor(
    queue: Pick<Queue, "recover" | "paused">,
    events: Events,
    { now = () => performance.now(), gone = null }: LapsedOptions = {},
  ) {
    this.#queue = queue;
    this.#events = events;
    this.#now = now;
    this.#gone = gone;
    this.#since = this.#lookedAt = now();
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#look = this.look().then(() => {
        if (!this.#stopped) this.start();
      });
    }, LOOK_MS);
  }

  /** One look. Answers whether lapsed leases were looked for, and never throws. */
  async look(): Promise<boolean> {
    try {
      await this.#queue.paused();
      const at = this.#now();
      if (at - this.#lookedAt > GAP_MS) this.#since = at;
      this.#lookedAt = at;
      if (at - this.#since < LEASE_MS) return false;
      await this.#queue.recover("lapsed");
      return true;
    } catch (error) {
      this.#since = this.#now();
      log(this.#events, "debug", "the jobs of dead programs can't be looked for", error);
      if (this.#gone != null && this.#since - this.#lookedAt >= this.#gone.afterMs) this.#gone.call();
      return false;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#look;
  }
}
