import { type Events, log } from "../../core/events.js";
import type { ErasedMessage, Records } from "../../db/records.js";
import { faultOf } from "../discord/faults.js";
import type { DiscordApi } from "../discord/messenger.js";
import type { StatusBoard } from "./status-board.js";

export interface ErasedMessagesOptions {
  readonly records: Records;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly board: StatusBoard;
}

/** How many messages of a person's jobs were deleted, could not be, and will be tried again. */
export interface ErasedCount {
  readonly deleted: number;
  readonly failed: number;
  readonly later: number;
}
type Outcome = keyof ErasedCount;

const PAGE = 100;
const RETRY_MS = 10 * 60_000;

/**
 * Deletes the messages of erased jobs. They are stored until Discord has answered, so a restart in the middle
 * loses none.
 */
export class ErasedMessages {
  readonly #options: ErasedMessagesOptions;
  /** By job: a message that two calls meet is deleted once. */
  readonly #underWay = new Map<string, Promise<Outcome>>();
  #retry: NodeJS.Timeout | null = null;
  #sweep: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ErasedMessagesOptions) {
    this.#options = options;
  }

  /** Deletes what an earlier run left, in the background. */
  start(): void {
    this.#sweep = this.#deleteLeft();
    this.#retry = setInterval(() => {
      this.#sweep = this.#sweep.then(() => this.#deleteLeft());
    }, RETRY_MS);
    this.#retry.unref();
  }

  /** Deletes the stored messages of these jobs, one after the other. */
  async deleteOf(jobIds: readonly string[]): Promise<ErasedCount> {
    const wanted = new Set(jobIds);
    return this.#deleteEach(({ jobId }) => wanted.has(jobId));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#retry !== null) clearInterval(this.#retry);
    await this.#sweep;
    await Promise.all(this.#underWay.values());
  }

  async #deleteLeft(): Promise<void> {
    const { events } = this.#options;
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
    const { jobId } = message;
    const known = this.#underWay.get(jobId);
    if (known !== undefined) return known;
    const outcome = this.#delete(message).finally(() => this.#underWay.delete(jobId));
    this.#underWay.set(jobId, outcome);
    return outcome;
  }

  async #delete(message: ErasedMessage): Promise<Outcome> {
    const { records, board, events } = this.#options;
    const { jobId } = message;
    try {
      await board.settle(jobId);
      await this.#request(message);
    } catch (error) {
      const fault = faultOf(error);
      if (fault === "transient" || fault === "unauthorized") {
        log(events, "warn", "A message of an erased job will be deleted later", error, jobId);
        return "later";
      }
      // "Unknown message": somebody deleted it before.
      if (fault !== "token-gone") {
        log(events, "warn", "A message of an erased job can't be deleted", error, jobId);
        await records.messageSettled(jobId);
        return "failed";
      }
    }
    await records.messageSettled(jobId);
    return "deleted";
  }

  /** As the bot, or with the command's token where the bot does not see the channel. */
  async #request(message: ErasedMessage): Promise<void> {
    const { api, now } = this.#options;
    const { channelId, messageId, tokenExpiresAt } = message;
    const isOpen = now() < tokenExpiresAt;
    if (messageId === null) return api.deleteReply(message);
    try {
      await api.deleteMessage(channelId, messageId);
    } catch (error) {
      if (faultOf(error) !== "forbidden" || !isOpen) throw error;
      await api.deleteReply(message);
    }
  }
}
