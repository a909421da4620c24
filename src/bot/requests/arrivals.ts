import { Semaphore } from "async-mutex";
import { describe } from "../../core/errors.js";
import type { Events } from "../../core/events.js";
import type { Arrival, Queue } from "../../db/queue.js";
import { faultOf } from "../discord/faults.js";
import type { DiscordApi } from "../discord/messenger.js";
import { plainMessage } from "../discord/outgoing.js";
import { refusals } from "../words/messages.js";

export interface ArrivalOptions {
  readonly queue: Queue;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  /** Delay after the first failed try to tell someone; it doubles with each one up to `retryMaxMs`. */
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
}

/** A sentence is small; a connection that takes longer is tried anew. */
const TELL_TIMEOUT_MS = 10_000;
/**
 * So many are told at once. A thousand that are refused in a minute would fill discord.js' own queue (50 requests a
 * second), in which nothing can be taken back: results would wait behind them, and so would the end of the program.
 */
const TELLS_AT_ONCE = 8;

/**
 * Commands between "Discord was told that it is being worked on" and "the job is stored". Each is noted before it is
 * acknowledged; one that becomes no job is answered in words, if need be after a restart, so that nobody waits for
 * nothing.
 */
export class Arrivals {
  readonly #options: ArrivalOptions;
  readonly #slots = new Semaphore(TELLS_AT_ONCE);
  readonly #telling = new Map<string, Promise<void>>();
  readonly #timers = new Map<NodeJS.Timeout, () => void>();
  #stopped = false;

  constructor(options: ArrivalOptions) {
    this.#options = options;
  }

  /** Tells those whom an earlier run of the program left waiting. */
  start(left: readonly Arrival[]): void {
    for (const arrival of left) void this.refuse(arrival, refusals.interrupted);
  }

  /** Ends what is under way and tries no more; who was not told yet is told by the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#slots.cancel();
    for (const [timer, resolve] of this.#timers) {
      clearTimeout(timer);
      resolve();
    }
    await Promise.all(this.#telling.values());
  }

  /** Notes a command; throws QueueError where that is not possible, and then it must not be acknowledged. */
  arrive(arrival: Arrival): Promise<void> {
    return this.#options.queue.arrive(arrival);
  }

  /** Ends a command that becomes no job with a sentence in its reply; tries again while the reply's token lives. */
  refuse(arrival: Arrival, sentence: string): Promise<void> {
    const known = this.#telling.get(arrival.interactionId);
    if (known !== undefined) return known;
    const telling = this.#tell(arrival, sentence)
      .catch((error) => this.#log("error", "A command's end could not be recorded", error))
      .finally(() => this.#telling.delete(arrival.interactionId));
    this.#telling.set(arrival.interactionId, telling);
    return telling;
  }

  async #tell(arrival: Arrival, sentence: string): Promise<void> {
    const { queue, api, now, retryFirstMs, retryMaxMs } = this.#options;
    for (
      let delayMs = retryFirstMs;
      now() < arrival.tokenExpiresAt;
      delayMs = Math.min(retryMaxMs, delayMs * 2)
    ) {
      try {
        await this.#slots.runExclusive(() => api.editReply(arrival, plainMessage(sentence), TELL_TIMEOUT_MS));
        break;
      } catch (error) {
        if (this.#stopped) return;
        // Never acknowledged, or deleted: Discord has said itself that nothing will come.
        if (faultOf(error) !== "transient") break;
        this.#log("warn", `Someone could not be told that a command ended: ${describe(error)}`, error);
      }
      await this.#pause(delayMs);
      if (this.#stopped) return;
    }
    await queue.settleArrival(arrival.interactionId);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, this.#stopped ? 0 : ms);
      const timers = this.#timers;
      timers.set(timer, done);
      function done(): void {
        timers.delete(timer);
        resolve();
      }
    });
  }

  #log(level: "warn" | "error", message: string, error: unknown): void {
    this.#options.events.emit("log", { level, message, error });
  }
}
