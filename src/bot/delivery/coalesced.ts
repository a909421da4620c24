/**
 * Work that many events ask for: one run at a time, with a gap between two, and one more run for all asks
 * during one.
 */
export class Coalesced {
  readonly #gapMs: number;
  readonly #work: () => Promise<void>;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  #startedAt = Number.NEGATIVE_INFINITY;

  /** `gapMs`: least time between two starts. `work` must not reject. */
  constructor(gapMs: number, work: () => Promise<void>) {
    this.#gapMs = gapMs;
    this.#work = work;
  }

  ask(): void {
    if (this.#stopped || this.#timer !== null) return;
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    const waitMs = this.#startedAt + this.#gapMs - performance.now();
    if (waitMs <= 0) {
      this.#run();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#run();
    }, waitMs);
  }

  /** Resolves when the last run has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  #run(): void {
    this.#startedAt = performance.now();
    this.#running = this.#work().finally(() => {
      this.#running = null;
      if (!this.#again) return;
      this.#again = false;
      this.ask();
    });
  }
}
