import { type Events, log, subscribe } from "../../core/events.js";
import type { ErasedMessage, Records } from "../../db/records.js";
import type { PictureStore } from "../../pictures/store.js";
import { faultOf } from "../discord/faults.js";
import type { DiscordApi } from "../discord/messenger.js";
import type { StatusBoard } from "./status-board.js";

export interface ErasedMessagesOptions {
  readonly records: Records;
  readonly pictures: PictureStore;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly board: StatusBoard;
}

/** How many messages of a person's jobs and drafts were deleted, could not be, and will be tried again. */
export interface ErasedCount {
  readonly deleted: number;
  readonly failed: number;
  readonly later: number;
}
type Outcome = keyof ErasedCount;

const PAGE = 100;
const RETRY_MS = 10 * 60_000;

/**
 * Deletes the messages of erased jobs and drafts, and erases the jobs that ran when their user was, once they
 * have ended. Messages are stored until Discord has answered, so a restart in the middle loses none.
 */
export class ErasedMessages {
  readonly #options: ErasedMessagesOptions;
  /** By number: a message that two calls meet is deleted once. */
  readonly #underWay = new Map<number, Promise<Outcome>>();
  #unsubscribe: (() => void) | null = null;
  #retry: NodeJS.Timeout | null = null;
  #sweep: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ErasedMessagesOptions) {
    this.#options = options;
  }

  /** Deletes what an earlier run left and what ends from now on, in the background. */
  start(): void {
    const sweep = () => {
      this.#sweep = this.#sweep.then(() => this.#deleteLeft());
    };
    const sweepEnded = () => {
      this.#sweep = this.#sweep.then(() => this.#eraseEnded());
    };
    sweep();
    this.#unsubscribe = subscribe(this.#options.events, { "job.finished": sweepEnded });
    this.#retry = setInterval(sweep, RETRY_MS);
    this.#retry.unref();
  }

  /** Deletes the stored messages of these jobs and drafts, one after the other. */
  async deleteOf(sourceIds: readonly string[]): Promise<ErasedCount> {
    const wanted = new Set(sourceIds);
    return this.#deleteEach(({ sourceId }) => wanted.has(sourceId));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe?.();
    if (this.#retry !== null) clearInterval(this.#retry);
    await this.#sweep;
    await Promise.all(this.#underWay.values());
  }

  /** Erases the jobs that have ended since their user was erased, with their pictures and messages. */
  async #eraseEnded(): Promise<void> {
    const { records, pictures, events } = this.#options;
    try {
      const ended = await records.eraseEnded();
      for (const id of ended) await pictures.remove(id);
      if (ended.length > 0) await this.deleteOf(ended);
    } catch (error) {
      log(events, "warn", "A job whose user was erased could not be erased", error);
    }
  }

  async #deleteLeft(): Promise<void> {
    const { events } = this.#options;
    await this.#eraseEnded();
    try {
      const { deleted, failed } = await this.#deleteEach(() => true);
      if (deleted + failed === 0) return;
      log(events, "info", `Messages of erased jobs: ${deleted} deleted, ${failed} could not be`);
    } catch (error) {
      log(events, "warn", "The messages of erased jobs could not be read", error);
    }
  }

  async #deleteEach(isWanted: (message: ErasedMessage) => boolean): Promise<ErasedCount> {
    const counts = { deleted: 0, failed: 0, later: 0 };
    for (let after = 0; ; ) {
      const page = await this.#options.records.erasedMessages(after, PAGE);
      for (const message of page.filter(isWanted)) counts[await this.#once(message)]++;
      const last = page.at(-1);
      if (last === undefined) return counts;
      after = last.seq;
    }
  }

  #once(message: ErasedMessage): Promise<Outcome> {
    if (this.#stopped) return Promise.resolve("later");
    const { seq } = message;
    const known = this.#underWay.get(seq);
    if (known !== undefined) return known;
    const outcome = this.#delete(message).finally(() => this.#underWay.delete(seq));
    this.#underWay.set(seq, outcome);
    return outcome;
  }

  async #delete(message: ErasedMessage): Promise<Outcome> {
    const { records, board, events } = this.#options;
    const { seq, sourceId } = message;
    let outcome: Outcome = "deleted";
    try {
      await board.settle(sourceId);
      await this.#request(message);
    } catch (error) {
      const fault = faultOf(error);
      if (fault === "transient" || fault === "unauthorized") {
        log(events, "warn", "A message of an erased job will be deleted later", error, sourceId);
        return "later";
      }
      // "Unknown message": somebody deleted it before.
      if (fault !== "token-gone" || (message.messageId === null && !this.#isOpen(message))) {
        log(events, "warn", "A message of an erased job can't be deleted", error, sourceId);
        outcome = "failed";
      }
    }
    await records.messageSettled(seq);
    return outcome;
  }

  /** As the bot, or with the command's token where the bot does not see the channel. */
  async #request(message: ErasedMessage): Promise<void> {
    const { api } = this.#options;
    const { channelId, messageId } = message;
    if (messageId === null) return api.deleteReply(message);
    try {
      await api.deleteMessage(channelId, messageId);
    } catch (error) {
      if (faultOf(error) !== "forbidden" || !this.#isOpen(message)) throw error;
      await api.deleteReply(message, messageId);
    }
  }

  #isOpen({ tokenExpiresAt }: ErasedMessage): boolean {
    return this.#options.now() < tokenExpiresAt;
  }
}
