import { Semaphore } from "async-mutex";
import { describe, InputError } from "../../core/errors.js";
import { type Events, log } from "../../core/events.js";
import type { Arrival, Queue } from "../../db/queue.js";
import { isGone } from "../discord/faults.js";
import type { DiscordApi } from "../discord/messenger.js";
import { plainMessage } from "../discord/outgoing.js";
import { retryTransient } from "../discord/retry-transient.js";
import { sentenceOf } from "../words/english/errors.js";
import { wordsOf } from "../words/languages.js";

export interface ArrivalOptions {
  readonly queue: Queue;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  /** Delay after the first failed try to tell someone; doubles with each further one, up to `retryMaxMs`. */
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
}

/** A sentence is small; a request that takes longer is sent again. */
const TELL_TIMEOUT_MS = 10_000;
/**
 * Sentences sent at once. A thousand refusals in a minute would fill discord.js's own queue (50 requests a
 * second), from which nothing can be taken back: results would wait behind them, and so would stopping the
 * program.
 */
const TELLS_AT_ONCE = 8;

/**
 * Commands between "Discord knows that we are working on it" and "the job is stored". Each is noted before it
 * is acknowledged. One that becomes no job is answered in words, after a restart if need be, so that nobody
 * waits in vain.
 */
export class Arrivals {
  readonly #options: ArrivalOptions;
  readonly #slots = new Semaphore(TELLS_AT_ONCE);
  readonly #telling = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(options: ArrivalOptions) {
    this.#options = options;
  }

  /** Tells the people whom an earlier run of the program left waiting. */
  start(left: readonly Arrival[]): void {
    for (const arrival of left) void this.refuse(arrival, wordsOf(arrival.locale).refusals.interrupted);
  }

  /** Ends what is under way and starts no further try; the next start tells whoever is left. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#slots.cancel();
    await Promise.all(this.#telling.values());
  }

  /** Notes a command; throws QueueError where that fails, and then the command must not be acknowledged. */
  arrive(arrival: Arrival): Promise<void> {
    return this.#options.queue.arrive(arrival);
  }

  /**
   * Runs the work of an acknowledged command. A failure ends the command with its sentence, which only its
   * user sees where the command was wrong; bugs are thrown on.
   */
  async work<T>(arrival: Arrival, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      await this.refuse(arrival, sentenceOf(error, wordsOf(arrival.locale)), error instanceof InputError);
      if (!(error instanceof InputError)) throw error;
      return null;
    }
  }

  /**
   * Ends a command that becomes no job with a sentence in its reply, or in a private message in its place;
   * retries while the reply's token lives.
   */
  refuse(arrival: Arrival, sentence: string, isPrivate = false): Promise<void> {
    const known = this.#telling.get(arrival.interactionId);
    if (known !== undefined) return known;
    const telling = this.#tell(arrival, sentence, isPrivate)
      .catch((error) => log(this.#options.events, "error", "A command's end could not be recorded", error))
      .finally(() => this.#telling.delete(arrival.interactionId));
    this.#telling.set(arrival.interactionId, telling);
    return telling;
  }

  async #tell(arrival: Arrival, sentence: string, isPrivate: boolean): Promise<void> {
    const { queue, events, now, retryFirstMs: firstMs, retryMaxMs: maxMs } = this.#options;
    const { signal } = this.#stopping;
    const until = arrival.tokenExpiresAt;
    const onTransient = (error: unknown) =>
      log(events, "warn", `Someone could not be told that a command ended: ${describe(error)}`, error);
    if (now() < until) {
      try {
        await retryTransient({ until, now, firstMs, maxMs, signal, onTransient }, () =>
          this.#slots.runExclusive(() => this.#say(arrival, sentence, isPrivate)),
        );
      } catch {
        // Stopped: the next start tells it. Otherwise Discord has already said that nothing will come: the
        // command was never acknowledged, or its token has ended.
        if (signal.aborted) return;
      }
    }
    await queue.settleArrival(arrival.interactionId);
  }

  /**
   * A public reply can't become private, so a private sentence follows its deletion; the other way round,
   * Discord would put the sentence into the reply. A reply that is gone may be one whose sentence a crash kept
   * from following.
   */
  async #say(arrival: Arrival, sentence: string, isPrivate: boolean): Promise<void> {
    const { api } = this.#options;
    const message = plainMessage(sentence);
    try {
      if (isPrivate) await api.deleteReply(arrival);
      else return void (await api.editReply(arrival, message, TELL_TIMEOUT_MS));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    await api.followUp(arrival, { ...message, ephemeral: true }, TELL_TIMEOUT_MS);
  }
}
