/** setTimeout can't wait longer than 24 days; after this wait the clock is set again. */
const LONGEST_WAIT_MS = 12 * 3_600_000;
const LOOK_AGAIN_MS = 60_000;

export interface DueClockOptions {
  /** When the next thing is due, in milliseconds since the epoch; null for none. */
  readonly nextDueAt: () => Promise<number | null>;
  /** Ends all that is due. */
  readonly endDue: () => Promise<void>;
  readonly now: () => number;
  /** Called where what is due could not be read; it is read again a minute later. */
  readonly onError: (error: unknown) => void;
}

/** Ends stored things when their time comes, with one timer for the next of them. */
export class DueClock {
  readonly #options: DueClockOptions;
  #timer: NodeJS.Timeout | null = null;
  #ending: Promise<void> = Promise.resolve();
  #stopped = false;
  #windings = 0;

  constructor(options: DueClockOptions) {
    this.#options = options;
  }

  /** Sets the timer. To be called at the start and whenever what is stored has changed. */
  async wind(): Promise<void> {
    const { nextDueAt, endDue, now, onError } = this.#options;
    const winding = ++this.#windings;
    try {
      const dueAt = await nextDueAt();
      // A later call has read since, and knows more.
      if (winding !== this.#windings) return;
      this.#set(dueAt === null ? null : dueAt - now(), endDue);
    } catch (error) {
      onError(error);
      if (winding === this.#windings) this.#set(LOOK_AGAIN_MS, async () => {});
    }
  }

  /** Runs `work` after `ms` and winds the clock again; null clears it. */
  #set(ms: number | null, work: () => Promise<void>): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#stopped || ms === null) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#ending = work()
          .catch(this.#options.onError)
          .then(() => this.wind());
      },
      Math.min(LONGEST_WAIT_MS, Math.max(0, ms)),
    );
    this.#timer.unref();
  }

  /** Resolves when what is being ended has ended; nothing is ended afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#ending;
  }
}
