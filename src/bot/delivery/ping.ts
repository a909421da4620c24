import { type Job, linkTo } from "../../core/job.js";
import type { Deliveries } from "../../db/deliveries.js";
import type { StoredSettings } from "../../db/settings.js";
import type { DiscordApi } from "../discord/messenger.js";
import { plainMessage } from "../discord/outgoing.js";
import { wordsOf } from "../words/languages.js";

export interface PingOptions {
  readonly api: DiscordApi;
  readonly settings: StoredSettings;
  readonly deliveries: Deliveries;
  readonly now: () => number;
  /** A result that took longer than this calls the requester, in milliseconds. */
  readonly pingAfterMs: number;
}

/** Calls the requester of a job that took long, where they and their server want it. */
export class Ping {
  readonly #options: PingOptions;

  constructor(options: PingOptions) {
    this.#options = options;
  }

  /**
   * Sends a new message that links to the result, since Discord notifies nobody of an edit. `messageId`: the
   * result's message. Throws what discord.js throws where the message is not sent.
   */
  async send(job: Job, messageId: string): Promise<void> {
    const { api, settings, deliveries, now, pingAfterMs } = this.#options;
    const { origin, kind, state } = job;
    if (state === "cancelled" || now() - job.createdAt < pingAfterMs) return;
    const own = (await settings.of("user", origin.userId)).ping;
    if (!(own ?? (await settings.resolve(origin)).ping ?? true)) return;
    const { resultLines } = wordsOf(origin.locale);
    const sentence = state === "done" ? resultLines.readyAt : resultLines.endedAt;
    const link = linkTo(origin, messageId);
    const ping = await api.followUp(origin, plainMessage(sentence(origin.userId, kind, link)));
    await deliveries.posted(job.id, origin.channelId, ping);
  }
}
