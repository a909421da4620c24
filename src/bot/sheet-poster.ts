import type { Events } from "../core/events.js";
import { isFinished, type Job, nextPhase } from "../core/job.js";
import type { Queue } from "../db/queue.js";
import type { DiscordApi } from "./discord-api.js";
import { faultOf } from "./discord-error.js";
import type { Outgoing } from "./outgoing.js";
import type { SizeLimit } from "./picture-fit.js";
import { subscribe } from "./subscribe.js";

export interface SheetPosterOptions {
  readonly queue: Queue;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly limit: SizeLimit;
  /** Null where there is nothing to post. */
  readonly compose: (job: Job, number: number, limit: SizeLimit) => Promise<Outgoing | null>;
}

/**
 * Posts the contact sheets of a batch while it is drawn, each once, as messages of their own under the batch's. The
 * last one comes with the report. A sheet is a courtesy: the report has it too, so one that Discord refuses is let go.
 */
export class SheetPoster {
  readonly #options: SheetPosterOptions;
  #unsubscribe: (() => void) | null = null;
  #posting: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SheetPosterOptions) {
    this.#options = options;
  }

  /** Posts what an earlier run left, and from now on what is drawn. */
  start(): void {
    this.#unsubscribe = subscribe(this.#options.events, { "job.sheet": () => this.#wake() });
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe?.();
    await this.#posting;
  }

  #wake(): void {
    this.#posting = this.#posting.then(() => this.#post());
  }

  async #post(): Promise<void> {
    const { queue, events } = this.#options;
    try {
      for (const { jobId, number } of await queue.unsettledSheets()) {
        if (this.#stopped) return;
        const job = await queue.get(jobId);
        if (job === undefined || isFinished(job.state)) continue;
        // Nothing is left to draw: this one goes with the report.
        if (job.items.every((item) => nextPhase(job.kind, item) === null)) continue;
        await this.#postOne(job, number);
      }
    } catch (error) {
      events.emit("log", { level: "warn", message: "Contact sheets could not be posted", error });
    }
  }

  async #postOne(job: Job, number: number): Promise<void> {
    const { queue, events, api, now, compose, limit } = this.#options;
    const message = await compose(job, number, limit);
    if (message !== null) {
      try {
        // A nonce makes a second post of the same sheet harmless, so this is tried first.
        await api.post(job.origin, message, `${job.id}-sheet-${number}`);
      } catch (error) {
        const closed = faultOf(error) === "forbidden" || faultOf(error) === "token-gone";
        if (!closed || now() >= job.origin.tokenExpiresAt || !(await this.#reply(job, message))) {
          const level = "warn";
          events.emit("log", { level, message: "A contact sheet was not posted", jobId: job.id, error });
        }
      }
    }
    await queue.settleSheet(job.id, number);
  }

  /** Where the bot may not write by itself, it may still answer. */
  async #reply(job: Job, message: Outgoing): Promise<boolean> {
    try {
      await this.#options.api.followUp(job.origin, message);
      return true;
    } catch {
      return false;
    }
  }
}
