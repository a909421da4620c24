import { type Events, log, subscribe } from "../../core/events.js";
import { isFinished, type Job, nextPhase } from "../../core/job.js";
import type { Deliveries } from "../../db/deliveries.js";
import type { Queue } from "../../db/queue.js";
import { faultOf } from "../discord/faults.js";
import type { DiscordApi } from "../discord/messenger.js";
import type { Outgoing } from "../discord/outgoing.js";
import { retryTransient } from "../discord/retry-transient.js";
import { sheetName } from "../messages/batch-report.js";
import type { SizeLimit } from "../messages/picture-fit.js";

export interface SheetPosterOptions {
  readonly queue: Queue;
  readonly deliveries: Deliveries;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly limit: SizeLimit;
  /** Null where there is nothing to post. */
  readonly compose: (job: Job, number: number, limit: SizeLimit) => Promise<Outgoing | null>;
  /** Delay after the first failed try; it doubles with each one. */
  readonly retryFirstMs: number;
}

/** How long Discord surely remembers a nonce, which makes a second post of the same sheet harmless. */
const NONCE_LIFE_MS = 2 * 60_000;

/**
 * Posts the contact sheets of a batch while it is drawn, each once, as messages of their own under the batch's. The
 * last one comes with the report. A sheet is a courtesy: the report's zip has its pictures too, so one that Discord does
 * not take in time is let go.
 */
export class SheetPoster {
  readonly #options: SheetPosterOptions;
  readonly #stopping = new AbortController();
  #unsubscribe: (() => void) | null = null;
  #posting: Promise<void> = Promise.resolve();

  constructor(options: SheetPosterOptions) {
    this.#options = options;
  }

  /** Posts what an earlier run left, and from now on what is drawn. */
  start(): void {
    this.#unsubscribe = subscribe(this.#options.events, { "job.sheet": () => this.#wake(false) });
    this.#wake(true);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#unsubscribe?.();
    await this.#posting;
  }

  /** `left`: by an earlier run, which may have posted a sheet without having noted it. */
  #wake(left: boolean): void {
    this.#posting = this.#posting.then(() => this.#post(left));
  }

  async #post(left: boolean): Promise<void> {
    const { queue, deliveries, events } = this.#options;
    try {
      for (const { jobId, number } of await deliveries.unsettledSheets()) {
        if (this.#stopping.signal.aborted) return;
        const job = await queue.get(jobId);
        if (job === undefined || isFinished(job.state)) continue;
        // Nothing is left to draw: this one goes with the report.
        if (job.items.every((item) => nextPhase(job.kind, item) === null)) continue;
        await this.#postOne(job, number, left);
      }
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      log(events, "warn", "Contact sheets could not be posted", error);
    }
  }

  async #postOne(job: Job, number: number, left: boolean): Promise<void> {
    const { deliveries, events, api, compose, limit, now, retryFirstMs: firstMs } = this.#options;
    const { signal } = this.#stopping;
    const message = await compose(job, number, limit);
    if (message !== null) {
      try {
        // As long as a repetition can't post anything twice.
        await retryTransient({ until: now() + NONCE_LIFE_MS, now, firstMs, signal }, async () => {
          if (left && (await api.hasPosted(job.origin, `${sheetName(job.id, number)}.`))) return;
          await api.post(job.origin, message, `${job.id}-sheet-${number}`);
        });
      } catch (error) {
        // The next start tries again.
        if (signal.aborted) return;
        if (!(await this.#reply(job, message, error, left))) {
          log(events, "warn", "A contact sheet was not posted", error, job.id);
        }
      }
    }
    await deliveries.settleSheet(job.id, number);
  }

  /**
   * Where the bot may not write by itself, it may still answer. Nobody can tell whether an earlier run did, so what that
   * left is not answered again.
   */
  async #reply(job: Job, message: Outgoing, error: unknown, left: boolean): Promise<boolean> {
    const { api, now } = this.#options;
    const closed = faultOf(error) === "forbidden" || faultOf(error) === "token-gone";
    if (!closed || left || now() >= job.origin.tokenExpiresAt) return false;
    try {
      await api.followUp(job.origin, message);
      return true;
    } catch {
      return false;
    }
  }
}
