import { type Events, log, subscribe } from "../../core/events.js";
import { isFinished, type Job, nextPhase } from "../../core/job.js";
import type { Deliveries } from "../../db/deliveries.js";
import type { Queue } from "../../db/queue.js";
import { faultOf } from "../discord/faults.js";
import { type DiscordApi, NONCE_LIFE_MS } from "../discord/messenger.js";
import type { Outgoing } from "../discord/outgoing.js";
import { retryTransient } from "../discord/retry-transient.js";
import { sheetItems, sheetName } from "../messages/parts/overview-files.js";
import { CHANNEL_LIMIT } from "../messages/parts/picture-fit.js";
import type { Presenter } from "../messages/parts/presentation.js";
import { sheetMessage } from "../messages/sheet-message.js";

export interface SheetPosterOptions {
  readonly queue: Queue;
  readonly deliveries: Deliveries;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly presenter: Presenter;
  /** Delay after the first failed try; it doubles with each one. */
  readonly retryFirstMs: number;
}

/**
 * Posts the contact sheets of a batch while it is drawn, each once, as messages below the batch's own. The
 * last one comes with the report. A sheet that Discord does not take in time is dropped: the report's zip has
 * its pictures too.
 */
export class SheetPoster {
  readonly #options: SheetPosterOptions;
  readonly #stopping = new AbortController();
  #unsubscribe: (() => void) | null = null;
  #posting: Promise<void> = Promise.resolve();

  constructor(options: SheetPosterOptions) {
    this.#options = options;
  }

  /** Posts the sheets that an earlier run left, and from now on each new one. */
  start(): void {
    this.#unsubscribe = subscribe(this.#options.events, { "job.sheet": () => this.#wake(false) });
    this.#wake(true);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#unsubscribe?.();
    await this.#posting;
  }

  /** `left`: an earlier run may have posted a sheet without noting it. */
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
        // Nothing is left to draw: this sheet comes with the report.
        if (job.items.every((item) => nextPhase(job.kind, item) === null)) continue;
        await this.#postOne(job, number, left);
      }
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      log(events, "warn", "Contact sheets could not be posted", error);
    }
  }

  async #postOne(job: Job, number: number, left: boolean): Promise<void> {
    const { deliveries, events, api, presenter, now, retryFirstMs: firstMs } = this.#options;
    const { signal } = this.#stopping;
    const facts = await presenter.facts(job, job.origin, sheetItems(job, number));
    const message = await sheetMessage(job, number, facts, CHANNEL_LIMIT);
    let messageId: string | null = null;
    if (message !== null) {
      try {
        // For as long as a repetition can't post the sheet twice.
        messageId = await retryTransient({ until: now() + NONCE_LIFE_MS, now, firstMs, signal }, async () => {
          const earlier = left ? await api.findPosted(job.origin, `${sheetName(job.id, number)}.`) : null;
          return earlier ?? (await api.post(job.origin, message, `${job.id}-sheet-${number}`));
        });
      } catch (error) {
        // The next start tries again.
        if (signal.aborted) return;
        messageId = await this.#reply(job, message, error, left);
        if (messageId === null) log(events, "warn", "A contact sheet was not posted", error, job.id);
      }
    }
    if (messageId !== null) await this.#note(job, messageId);
    await deliveries.settleSheet(job.id, number);
  }

  /** Notes a sheet's message, or takes it away where its user was erased meanwhile. */
  async #note({ id, origin }: Job, messageId: string): Promise<void> {
    const { deliveries, api, now, retryFirstMs: firstMs } = this.#options;
    if (await deliveries.posted(id, origin.channelId, messageId)) return;
    const { signal } = this.#stopping;
    const until = now() + NONCE_LIFE_MS;
    await retryTransient({ until, now, firstMs, signal }, () =>
      api.deleteMessage(origin.channelId, messageId),
    );
  }

  /**
   * Where the bot may not post, it may still reply. Whether an earlier run did can't be told, so the sheets
   * that it left are not sent this way.
   */
  async #reply(job: Job, message: Outgoing, error: unknown, left: boolean): Promise<string | null> {
    const { api, now } = this.#options;
    const closed = faultOf(error) === "forbidden" || faultOf(error) === "token-gone";
    if (!closed || left || now() >= job.origin.tokenExpiresAt) return null;
    try {
      return await api.followUp(job.origin, message);
    } catch {
      return null;
    }
  }
}
