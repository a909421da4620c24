/** setTimeout takes no longer waits; the clock is set anew when this one is over. */
const LONGEST_WAIT_MS = 12 * 3_600_000;

export interface DueClockOptions {
  /** When the next thing is due, in milliseconds since the epoch; null for none. */
  readonly nextDueAt: () => number | null;
  /** Ends all that is due. It must not reject. */
  readonly endDue: () => Promise<void>;
  readonly now: () => number;
}

/** Ends things that are stored with a time, when it comes: one timer, for the next of them. */
export class DueClock {
  readonly #options: DueClockOptions;
  #timer: NodeJS.Timeout | null = null;
  #ending: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: DueClockOptions) {
    this.#options = options;
  }

  /** To be called at the start, and whenever what is stored has changed. */
  wind(): void {
    if (this.#stopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { nextDueAt, endDue, now } = this.#options;
    const dueAt = nextDueAt();
    if (dueAt === null) return;
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(0, dueAt - now()));
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#ending = endDue().finally(() => this.wind());
    }, waitMs);
    this.#timer.unref();
  }

  /** Resolves when what is being ended has ended; nothing is ended afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#ending;
  }
}
