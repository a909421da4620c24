export interface LiveEditsOptions<T> {
  /** Least time between the starts of two edits of one message. */
  readonly gapMs: number;
  /** The same before an edit that is urgent. */
  readonly urgentGapMs: number;
  /** Most edits of one message in any time of this length. */
  readonly burst: { readonly edits: number; readonly ms: number };
  /** Edits started in one second, over all messages. */
  readonly perSecond: number;
  /** Must settle, and must not throw. */
  readonly send: (key: string, state: T) => Promise<void>;
}

interface Entry<T> {
  /** The newest state that is not sent yet. */
  pending: { readonly state: T; readonly urgent: boolean } | null;
  /** The serialized state that Discord shows, so that a state that changes nothing costs no edit. */
  shown: string | null;
  sending: Promise<void> | null;
  timer: NodeJS.Timeout | null;
  /** When the latest edits started, oldest first; as many as a burst may have. */
  starts: readonly number[];
}

/**
 * Keeps many messages at their newest state with few edits: one at a time per message, in order, with a gap
 * between two, and within a rate that all of them share. A state that a newer one overtakes is never sent, but
 * if it was urgent, so is the newer one.
 */
export class LiveEdits<T> {
  readonly #options: LiveEditsOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();
  /** Keys whose gap is over and that wait for their turn in the shared rate, first come first served. */
  readonly #ready = new Set<string>();
  #pump: NodeJS.Timeout | null = null;
  #nextSlotAt = 0;

  constructor(options: LiveEditsOptions<T>) {
    this.#options = options;
  }

  /** `urgent`: the state waits for the urgent gap only. */
  push(key: string, state: T, urgent = false): void {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { pending: null, shown: null, sending: null, timer: null, starts: [] };
      this.#entries.set(key, entry);
    }
    const waited = entry.pending?.urgent ?? false;
    entry.pending = { state, urgent: urgent || waited };
    if (urgent && !waited && entry.timer !== null) {
      clearTimeout(entry.timer);
      entry.timer = null;
    }
    this.#schedule(key, entry);
  }

  /** Drops the state that is not sent yet; once resolved, no edit of the message is under way. */
  async close(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#ready.delete(key);
    entry.pending = null;
    if (entry.timer !== null) clearTimeout(entry.timer);
    await entry.sending;
  }

  async closeAll(): Promise<void> {
    if (this.#pump !== null) clearTimeout(this.#pump);
    await Promise.all([...this.#entries.keys()].map((key) => this.close(key)));
  }

  #schedule(key: string, entry: Entry<T>): void {
    if (entry.timer !== null || entry.sending !== null || entry.pending === null) return;
    const waitMs = this.#earliestAt(entry.starts, entry.pending.urgent) - performance.now();
    if (waitMs <= 0) {
      this.#enter(key);
      return;
    }
    entry.timer = setTimeout(() => {
      entry.timer = null;
      this.#enter(key);
    }, waitMs);
  }

  /** When the next edit may start. */
  #earliestAt(starts: readonly number[], urgent: boolean): number {
    const { gapMs, urgentGapMs, burst } = this.#options;
    const last = starts.at(-1) ?? Number.NEGATIVE_INFINITY;
    const first = starts.at(-burst.edits) ?? Number.NEGATIVE_INFINITY;
    return Math.max(last + (urgent ? Math.min(urgentGapMs, gapMs) : gapMs), first + burst.ms);
  }

  #enter(key: string): void {
    this.#ready.add(key);
    this.#startReady();
  }

  #startReady(): void {
    if (this.#pump !== null) return;
    for (const key of this.#ready) {
      const now = performance.now();
      if (now < this.#nextSlotAt) {
        this.#pump = setTimeout(() => {
          this.#pump = null;
          this.#startReady();
        }, this.#nextSlotAt - now);
        return;
      }
      this.#ready.delete(key);
      const entry = this.#entries.get(key);
      if (entry !== undefined && this.#start(key, entry))
        this.#nextSlotAt = now + 1000 / this.#options.perSecond;
    }
  }

  /** False where Discord shows the state already. */
  #start(key: string, entry: Entry<T>): boolean {
    const { pending } = entry;
    entry.pending = null;
    if (pending === null) return false;
    const serialised = JSON.stringify(pending.state);
    if (serialised === entry.shown) return false;
    entry.shown = serialised;
    entry.starts = [...entry.starts, performance.now()].slice(-this.#options.burst.edits);
    entry.sending = this.#options.send(key, pending.state).finally(() => {
      entry.sending = null;
      this.#schedule(key, entry);
    });
    return true;
  }
}
